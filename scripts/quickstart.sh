#!/usr/bin/env bash
# Sets everything up and runs the whole experiment on the embedded default model; the last line is the report's path.
# Further arguments go to `openbook run quickstart`, such as --set sampling.samples=4.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
install_openbook
exec .venv/bin/openbook run quickstart "$@"
