#!/usr/bin/env bash
# Resolves the lock files: hashed, for every platform, naming no registry. UPGRADE=1 takes newer ones.
set -euo pipefail

compile() {
  .venv/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-header --quiet ${UPGRADE:+--upgrade} "$@"
}

compile --extra server --extra helm --group build -o requirements/server.txt
compile --extra server --extra helm --group build --group dev -c requirements/server.txt -o requirements/dev.txt
