"""The command line: it answers at once, says what it can do, and a dry run touches nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from train import __version__
from train.loading import shipped_recipes, summary

VERBS = (
    "check", "run", "train", "sample", "grade", "report", "init", "compare", "label", "verify", "chat", "merge",
    "recipes",
)  # fmt: skip
HEAVY = ("torch", "transformers", "trl", "peft", "datasets", "scipy", "statsmodels", "pandas", "pyarrow", "numpy")

Done = subprocess.CompletedProcess[str]


def openbook_process(*arguments: str, **options) -> Done:
    """The command line in a process of its own, its output buffered as in a person's shell."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = [sys.executable, "-m", "train", *arguments]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.run(command, check=False, text=True, timeout=60, env=environment, **streams)


def files_of(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Content and time of every file."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_help_names_every_verb_and_what_the_exit_codes_mean(openbook):
    code, out, err = openbook("--help")
    assert (code, err) == (0, "")
    for text in (*VERBS, "--debug", "--version", "Exit codes: 0 good", "130/143 interrupted"):
        assert text in out


@pytest.mark.parametrize(
    ("verb", "mentioned"),
    [
        ("init", ["--questions", "--documents", "--model", "--name", "--out", "--four-bit"]),
        ("chat", ["a run directory", "--arm", "--seed", "--passages", "--trust-remote-code"]),
        ("merge", ["a run directory", "--arm", "--seed", "--out"]),
        (
            "check",
            ["RECIPE", "--limit N", "--set PATH=VALUE", "sampling.samples=8", "leakage", "where the loss starts"],
        ),
        (
            "run",
            [
                "RECIPE",
                "--set",
                "--limit N",
                "--out",
                "runs/<recipe name>",
                "--dry-run",
                "from where an earlier run stopped",
            ],
        ),
        ("train", ["RECIPE", "--set", "--out", "--dry-run"]),
        ("sample", ["RECIPE", "--set", "--out", "--dry-run"]),
        ("grade", ["RECIPE", "--set", "--out"]),
        ("report", ["RECIPE", "--set", "--out"]),
        (
            "compare",
            ["answers", "--questions", "--contrast", "ARM/CONDITION vs ARM/CONDITION", "--abstention", "--out"],
        ),
        ("label", ["a run directory", "--as NAME", "--answers N", "--port", "--export FILE.csv", "--import FILE.csv"]),
        ("verify", ["a run directory", "name what differs"]),
        ("recipes", ["list the recipes there are"]),
    ],
)
def test_every_verb_says_what_it_takes(openbook, verb, mentioned):
    code, out, err = openbook(verb, "--help")
    assert (code, err) == (0, "")
    words = " ".join(out.split()).lower()
    assert all(text.lower() in words for text in mentioned)


def test_every_verb_is_in_the_table_above(openbook):
    _, _, err = openbook("?")
    assert re.findall(r"\w+", err.split("there is ")[1]) == list(VERBS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: VERB"),
        (["nonsense"], "invalid choice: 'nonsense'"),
        (["run"], "the following arguments are required: recipe"),
        (["compare", "answers.csv"], "the following arguments are required: --questions"),
        (["recipes", "--nonsense"], "unrecognized arguments: --nonsense"),
        (["run", "nonsense"], "recipe 'nonsense': neither a .py file nor a shipped recipe"),
    ],
)
def test_wrong_use_exits_with_2_and_says_what_is_wrong(openbook, arguments, message):
    code, out, err = openbook(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["recipes"], ["run", "--help"]])
def test_what_needs_no_model_imports_no_heavy_library(arguments, tmp_path):
    code = (
        "import sys\nfrom train.cli import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert done.stdout
    assert done.stderr.strip() == "[]"


def test_the_module_is_the_command(tmp_path):
    done = openbook_process("--version", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"openbook {__version__}\n", "")


def test_recipes_lists_each_with_one_line(openbook):
    code, out, err = openbook("recipes")
    assert (code, err) == (0, "")
    assert len(shipped_recipes()) == len(out.splitlines()) > 0
    for line, (name, path) in zip(out.splitlines(), shipped_recipes().items(), strict=True):
        assert line.split()[0] == name
        assert line.endswith(summary(path))


@pytest.mark.parametrize("arguments", [["recipes"], ["--help"], ["run", "--help"]])
def test_a_reader_that_leaves_early_gets_no_complaint(arguments):
    """As in `openbook recipes | head -1`; Python's own way out would be exit code 120 and two lines on stderr."""
    reading, writing = os.pipe()
    os.close(reading)
    done = openbook_process(*arguments, stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("verb", ["run", "train", "sample"])
def test_a_dry_run_prints_the_plan_and_makes_nothing(openbook, project, tmp_path, verb):
    before = files_of(tmp_path)
    code, out, err = openbook(verb, project / "recipe.py", "--dry-run")
    assert (code, out) == (0, "")
    plan = err[err.index("plan:") :].splitlines()[1:]
    assert [line.split()[:2] for line in plan] == [
        ["contexts", "do"],
        ["tuning", "do"],
        ["tuning", "do"],
        ["sampling", "do"],
        ["grading", "…"],
    ]
    assert ("closed-book" in plan[1], "open-book" in plan[2]) == (True, True)
    assert files_of(tmp_path) == before
    assert not Path("runs").exists()


def test_a_dry_run_of_a_finished_run_says_that_all_is_there_and_changes_nothing(openbook, finished_run, tmp_path):
    shutil.copytree(finished_run, tmp_path / "run")
    before = files_of(tmp_path)
    recipe = finished_run.parent / "recipe.py"
    code, _, err = openbook("run", recipe, "--dry-run", "--out", tmp_path / "run")
    assert code == 0
    plan = err[err.index("plan:") :]
    assert plan.count("reuse") == 5
    code, _, err = openbook("run", recipe, "--dry-run", "--out", tmp_path / "run", "--set", "sampling.samples=3")
    assert code == 0
    assert "go on" in err[err.index("plan:") :]
    assert files_of(tmp_path) == before


def test_a_run_ends_with_the_path_of_its_report(openbook, finished_run, tmp_path):
    shutil.copytree(finished_run, tmp_path / "run")
    code, out, _ = openbook("run", finished_run.parent / "recipe.py", "--out", Path("..") / "run")
    assert code == 0
    report = Path(out.splitlines()[-1])
    assert report.is_absolute()
    assert report.samefile(tmp_path / "run" / "report.html")
