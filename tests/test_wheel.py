"""What is installed is what is in the repository: no file of a package is left out of the wheel."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
PACKAGES = ("train", "recipes")
NOT_SHIPPED = set((ROOT / "recipes/gallery").glob("*.png"))
"""The pictures in the READMEs."""


def files_of(package: str) -> set[Path]:
    """The package's files that are committed, or would be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", package]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("no git checkout")
    return {path for name in done.stdout.splitlines() if (path := ROOT / name).is_file()}


@pytest.mark.parametrize("package", PACKAGES)
def test_files_that_are_no_modules_are_package_data(package):
    others = {path for path in files_of(package) if path.suffix != ".py"}
    assert others
    data = {path for pattern in SETUPTOOLS["package-data"][package] for path in (ROOT / package).glob(pattern)}
    assert sorted(str(path.relative_to(ROOT)) for path in others - data - NOT_SHIPPED) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_modules_are_in_folders_that_setuptools_takes_for_packages(package):
    assert f"{package}*" in SETUPTOOLS["packages"]["find"]["include"]
    folders = {folder for path in files_of(package) if path.suffix == ".py" for folder in path.parents}
    inside = {folder for folder in folders if (ROOT / package) in (folder, *folder.parents)}
    assert [str(folder) for folder in sorted(inside) if not (folder / "__init__.py").is_file()] == []
