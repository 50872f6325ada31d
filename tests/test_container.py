"""The container: what the Dockerfile promises, what goes into its build, and what the wheel that is made there holds.

No container engine is needed: the Dockerfile is read, and only its steps that need no root are carried out.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from train.cli import parser
from train.loading import shipped_recipes

ROOT = Path(__file__).parent.parent
SECRET = re.compile(r"TOKEN|SECRET|PASSW|CREDENTIAL|AUTH|API_?KEY", re.IGNORECASE)


def steps() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in order, with their arguments; comments gone, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = [line.strip() for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def arguments(instruction: str) -> list[str]:
    return [rest for word, rest in steps() if word == instruction]


def environment() -> dict[str, str]:
    pairs = [pair for rest in arguments("ENV") for pair in shlex.split(rest)]
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


def copied() -> list[str]:
    return [source for rest in arguments("COPY") for source in rest.split()[:-1]]


def writable_for_all() -> list[str]:
    """The directories that are made with the mode of /tmp."""
    found = re.findall(r"install --directory --mode 1777 ((?:/\S+ ?)+)", " ".join(arguments("RUN")))
    return [path for paths in found for path in paths.split()]


def is_left_out(path: str) -> bool:
    """Whether .dockerignore keeps a path out: the last pattern that fits it or a folder above it decides."""
    places = (path, *map(str, PurePosixPath(path).parents[:-1]))
    out = False
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        pattern = re.escape(line.removeprefix("!"))
        pattern = pattern.replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
        if any(re.fullmatch(pattern, place) for place in places):
            out = not line.startswith("!")
    return out


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a build gets to see."""
    folder = tmp_path_factory.mktemp("context")
    for source in copied():
        files = [ROOT / source] if (ROOT / source).is_file() else sorted((ROOT / source).rglob("*"))
        for name in (str(file.relative_to(ROOT)) for file in files if file.is_file()):
            if not is_left_out(name):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def installed(context: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is built from it, unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    source = shutil.copytree(context, folder / "source")  # a build leaves things beside the sources
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_image_runs_as_a_user_other_than_root_who_is_given_by_number() -> None:
    user, _, group = arguments("USER")[-1].partition(":")
    assert int(user) > 0
    assert int(group) > 0


def test_the_base_image_is_an_argument_with_a_tagged_default() -> None:
    assert steps()[0] == ("ARG", "BASE_IMAGE=python:3.12-slim")
    assert steps()[1] == ("FROM", "${BASE_IMAGE}")


def test_nothing_comes_from_an_address_but_packages_by_pip() -> None:
    assert arguments("ADD") == []
    commands = " ".join(arguments("RUN"))
    assert re.findall(r"\b(?:curl|wget|git|apt-get|apt)\b|https?://", commands) == []


def test_no_argument_or_variable_of_the_image_is_for_a_secret() -> None:
    names = [rest.partition("=")[0] for rest in arguments("ARG")] + list(environment())
    assert "TORCH" in names
    assert "HF_HOME" in names
    assert [name for name in names if SECRET.search(name)] == []
    assert not re.search(r"\bhf_\w{8}", (ROOT / "Dockerfile").read_text(encoding="utf-8"))


def test_everything_copied_is_there_and_goes_into_the_build() -> None:
    assert copied()
    assert [source for source in copied() if not (ROOT / source).exists()] == []
    assert [source for source in copied() if is_left_out(source)] == []


def test_packages_are_installed_before_the_sources_are_copied() -> None:
    order = [f"{word} {rest}" for word, rest in steps()]
    packages = next(number for number, step in enumerate(order) if "--requirement requirements.txt" in step)
    sources = [number for number, step in enumerate(order) if re.match(r"COPY (?:train|recipes|README)", step)]
    assert len(sources) == 3
    assert packages < min(sources)


def test_whatever_pip_installs_is_pinned_or_openbook_itself() -> None:
    installs = re.findall(r"pip install ([^&|]*)", " ".join(arguments("RUN")))
    assert len(installs) == 4
    pinned = [each for each in installs if "--constraint constraints.txt" in each]
    assert [each.strip() for each in installs if each not in pinned] == ["--no-deps ."]


def test_the_torch_of_the_base_image_is_kept_by_every_later_step() -> None:
    torch, packages = (run for run in arguments("RUN") if "--constraint" in run)
    look, install = torch.partition("}")[0].split("||")
    assert "pip show --quiet torch" in look
    assert install.strip().startswith("python3 -m pip install ")
    assert torch.endswith("> torch.txt")
    assert "--constraint torch.txt --requirement requirements.txt" in packages


@pytest.mark.parametrize("extras", [[], ["dev"]])
def test_the_requirements_are_those_of_the_project(extras: list[str]) -> None:
    (run,) = (run for run in arguments("RUN") if "> requirements.txt" in run)
    command = run.partition(" > requirements.txt")[0].replace("python3", shlex.quote(sys.executable), 1)
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=ROOT,
        env={**os.environ, "OPENBOOK_EXTRAS": " ".join(extras)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in extras)]
    assert done.stdout.splitlines() == [package for packages in wanted for package in packages]


def test_without_arguments_the_container_runs_a_shipped_recipe_and_arguments_replace_it() -> None:
    assert json.loads(arguments("ENTRYPOINT")[-1]) == ["openbook"]
    options = parser().parse_args(json.loads(arguments("CMD")[-1]))
    assert options.verb == "run"
    assert options.recipe in shipped_recipes()


@pytest.mark.parametrize("variable", ["HOME", "HF_HOME", "OPENBOOK_CACHE"])
def test_whoever_runs_the_container_can_write_where_it_keeps_things(variable: str) -> None:
    assert environment()[variable] in writable_for_all()


def test_runs_land_in_a_directory_to_mount_that_whoever_runs_the_container_can_write() -> None:
    runs = PurePosixPath(arguments("WORKDIR")[-1]) / "runs"  # where a run goes without --out
    assert str(runs) == "/runs"
    assert {"/runs", "/data", "/cache"} <= set(writable_for_all())


def test_a_number_that_nobody_has_in_the_image_still_has_a_name() -> None:
    assert environment()["USER"]  # torch asks getpass, which fails for a number without an account


@pytest.mark.parametrize(
    "path",
    [
        "runs/quickstart/report.html",
        ".venv/bin/python",
        ".git/config",
        ".ci/run",
        "tests/test_container.py",
        "scripts/setup.sh",
        "openbook.egg-info/PKG-INFO",
        "build/lib/train/cli.py",
        ".env",
        "token",
        "train/.env",
        "train/report/.cache/secret",
        "train/__pycache__/cli.cpython-311.pyc",
        "recipes/data/handbook/.DS_Store",
        "recipes/gallery/light.png",
        "model.safetensors",
    ],
)
def test_left_out_of_the_build(path: str) -> None:
    assert is_left_out(path)


@pytest.mark.parametrize(
    "path", ["train/cli.py", "train/py.typed", "recipes/quickstart.py", "recipes/data/handbook/corpus/fares.md"]
)
def test_goes_into_the_build(path: str) -> None:
    assert (ROOT / path).is_file()
    assert not is_left_out(path)


def test_the_wheel_holds_every_template_and_data_file(context: Path, installed: Path) -> None:
    files = {str(file.relative_to(context)) for room in ("train", "recipes") for file in (context / room).rglob("*.*")}
    wanted = {name for name in files if (context / name).is_file()}
    assert {"train/report/report.html.j2", "recipes/data/handbook/questions.jsonl"} <= wanted
    assert sorted(name for name in wanted if not (installed / name).is_file()) == []


def test_the_recipes_of_an_installed_openbook_find_their_data(installed: Path, tmp_path: Path) -> None:
    script = """
import json, pathlib, train
from train.loading import load_recipe, shipped_recipes
values = {name: vars(load_recipe(name).data).values() for name in shipped_recipes()}
paths = {name: [str(value) for value in each if isinstance(value, pathlib.Path)] for name, each in values.items()}
print(json.dumps({"train": train.__file__, "paths": paths}))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert Path(found["train"]).is_relative_to(installed)
    assert sorted(found["paths"]) == sorted(shipped_recipes())
    paths = [Path(path) for paths in found["paths"].values() for path in paths]
    assert paths
    assert [path for path in paths if not path.is_relative_to(installed) or not path.exists()] == []
