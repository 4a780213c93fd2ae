#!/usr/bin/env bash
# Installs exactly what a lock file says into a virtual environment: with uv, which takes seconds.
# Where pip was given an index of its own, that decides, and pip installs.
# usage: packaging/install.sh VENV LOCK
set -euo pipefail

venv=$1 lock=$2
pip=("$venv/bin/python" -m pip -qq) # twice quiet: errors only

if ! "$venv/bin/python" -m pip config list | grep -qE '\.(index-url|no-index|proxy)='; then
  if [ ! -x "$venv/bin/uv" ]; then
    only_uv=$(mktemp)
    trap 'rm -f "$only_uv"' EXIT
    sed -n '/^uv==/,/[^\\]$/p' requirements/server.txt >"$only_uv"
    "${pip[@]}" install --require-hashes --no-deps -r "$only_uv"
  fi
  if "$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --require-hashes --no-deps \
    --compile-bytecode -r "$lock" 2>"$venv/uv.log"; then
    exit
  fi
fi
"${pip[@]}" install --require-hashes --no-deps -r "$lock"
