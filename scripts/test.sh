#!/usr/bin/env bash
# Sets everything up, checks style and types, and runs the tests. Arguments go to pytest, such as tests/grading -k korean.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
install_openbook dev
if [ $# -eq 0 ]; then
    set -- --numprocesses logical --maxprocesses 4
    .venv/bin/ruff check .
    .venv/bin/ruff format --check .
    .venv/bin/mypy
fi
exec .venv/bin/python -m pytest "$@"
