#!/usr/bin/env bash
# Makes the virtual environment FOLDER with PYTHON; one that works is kept.
# usage: packaging/venv.sh PYTHON FOLDER
set -euo pipefail

python=$1 folder=$2
if [ -z "$python" ]; then
  echo "Windlass needs Python 3.11 or newer. Install it (apt-get install python3), or: make PYTHON=/path/to/python" >&2
  exit 1
fi
if "$folder/bin/python" -m pip --version >/dev/null 2>&1; then
  exit
fi
# Debian ships Python without the part that makes environments.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  packaging/debian.sh --required no-such-command:python3-venv
fi
"$python" -m venv --clear "$folder"
