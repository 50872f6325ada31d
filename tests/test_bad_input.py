"""Bad input is refused in a line or two that name the place, the value and the mend, and nothing is lost."""

from __future__ import annotations

import resource
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .bad_input import CASES, Case


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below the folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def error_in(err: str) -> list[str]:
    """The lines of the error, which is the last thing that is said."""
    assert "Traceback" not in err
    return err.split("error: ", 1)[1].splitlines()


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_bad_input_is_refused_with_place_value_and_mend(case: Case, project, openbook, monkeypatch, tmp_path):
    monkeypatch.chdir(project)
    monkeypatch.setenv("OPENBOOK_CACHE", str(tmp_path / "cache"))
    for change in case.changes:
        change(project)
    before = contents(project)
    code, out, err = openbook(*shlex.split(case.command))
    said = error_in(err)
    assert code == 2
    assert out == ""
    for part in (case.place, case.value, case.mend):
        assert part in err  # where the verb is used wrongly, the mend is the usage before the error
    assert len(said) == case.problems if case.problems else len(said) <= 2
    assert before.items() <= contents(project).items()


def test_the_table_has_at_least_forty_cases_and_each_names_all_three():
    assert len({case.name for case in CASES}) == len(CASES) >= 40
    assert all(case.place and case.value and case.mend for case in CASES)


def test_a_stage_whose_own_input_is_not_there_says_what_to_run_first(project, openbook):
    recipe, directory = project / "recipe.py", project / "run"
    command = (recipe, "--out", directory, "--set", "optimization.epochs=1", "--set", "sampling.samples=1")
    for done, next_one, missing in (
        ("train", "grade", "the answers are not all there; run `openbook sample` first"),
        ("sample", "report", "the answers, as they are now, are not graded; run `openbook grade` first"),
    ):
        assert openbook(done, *command)[0] == 0
        before = contents(directory / "adapters") | contents(project / "corpus")
        code, out, err = openbook(next_one, *command)
        assert (code, out, error_in(err)) == (2, "", [f"{directory}: {missing}"])
        assert contents(directory / "adapters") | contents(project / "corpus") == before
    assert len((directory / "answers.jsonl").read_text(encoding="utf-8").splitlines()) == 156


HOLD = """
import sys; from pathlib import Path; from train.store import Run
with Run(Path(sys.argv[1]), "tiny") as run:
    run.amend({"recipe": {"name": "tiny"}})
    print("at work", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("verb", ["run", "train", "sample", "grade", "report"])
def test_a_run_that_another_process_works_on_is_left_alone(verb, project, openbook):
    directory = project / "run"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(directory)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "at work\n"
        before = contents(project)
        code, out, err = openbook(verb, project / "recipe.py", "--out", directory)
        other.stdin.close()
    assert (code, out) == (2, "")
    assert error_in(err) == [f"{directory}: another openbook is at work in it; wait for it or end it"]
    assert contents(project) == before


def on_a_small_disk(size: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    """The command in a process none of whose files may grow beyond so many bytes."""
    return subprocess.run(
        [sys.executable, "-m", "train", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )


def test_a_full_disk_loses_nothing_and_the_same_command_goes_on(finished_run, tmp_path, openbook):
    directory = tmp_path / "run"
    shutil.copytree(finished_run, directory)
    shutil.rmtree(directory / "adapters/open-book")
    (directory / "answers.jsonl").unlink()
    command = (finished_run.parent / "recipe.py", "--out", directory)
    full = "the disk is full; nothing is lost, make room and give the same command again"

    before = contents(directory / "adapters/closed-book")
    done = on_a_small_disk(50_000, "run", *command)  # too small for a checkpoint
    assert (done.returncode, error_in(done.stderr)) == (2, [full])
    assert contents(directory / "adapters/closed-book") == before

    assert openbook("train", *command)[0] == 0
    before = contents(directory / "adapters")
    done = on_a_small_disk(50_000, "run", *command)  # too small for the answers
    assert (done.returncode, error_in(done.stderr)) == (2, [f"{directory / 'answers.jsonl'}: {full}"])
    assert contents(directory / "adapters") == before
    sampled = (directory / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(sampled) < 312  # answers are handed over twice a second, so perhaps none yet

    assert openbook("sample", *command)[0] == 0
    assert openbook("grade", *command)[0] == 0
    before = contents(directory)
    done = on_a_small_disk(100_000, "report", *command)  # too small for the comparison
    assert (done.returncode, error_in(done.stderr)) == (2, [f"{directory / 'comparison.json'}: {full}"])
    assert contents(directory) | {"manifest.json": b""} == before | {"manifest.json": b""}

    assert openbook("run", *command)[0] == 0
    assert set(sampled) <= set((directory / "answers.jsonl").read_text(encoding="utf-8").splitlines())
    for name in ("comparison.json", "adapters/open-book/seed-0/adapter_model.safetensors"):
        assert (directory / name).read_bytes() == (finished_run / name).read_bytes()
