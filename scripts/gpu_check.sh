#!/usr/bin/env bash
# On a machine with a GPU: sets everything up, runs the tests there, and measures LoRA against QLoRA at real shapes with
# random weights (no hub needed). Arguments go to scripts/gpu_check.py, such as --steps 20 --out gpu.json.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
install_openbook dev
.venv/bin/python -m pytest tests/invariants tests/architectures
exec .venv/bin/python scripts/gpu_check.py "$@"
