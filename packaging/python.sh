#!/usr/bin/env bash
# Prints the Python that .venv is made with: the system's own when it is 3.11 or newer, else the
# first of PATH that is. Nothing when there is none.
set -euo pipefail

for python in /usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11; do
  if found=$(command -v "$python") && "$found" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "$found"
    exit
  fi
done
