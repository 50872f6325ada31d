"""The run directory: nothing that was stored is lost, and no edit of it goes unnoticed."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from train.errors import UserError
from train.records import Answer, Context, Counterfactual, Passage, Question, Verdict
from train.sealing import digest, is_sealed, seal, unsealed
from train.serialising import context_record, revive, revive_context, to_json
from train.store import Run

RECORD = {"question": "q1", "text": "코사인 유사도는 1.", "tokens": 12, "seconds": 0.5, "found": ["1", ["one", "uno"]]}


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with Run(tmp_path / "run", "small") as run:
        yield run


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """No file may grow beyond so many bytes, as on a disk that is nearly full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def another_process(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Another Python that runs the code and has printed its first line."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


# Seals


@pytest.mark.parametrize(
    "change",
    [
        {"text": "코사인 유사도는 2."},
        {"tokens": 13},
        {"tokens": "12"},
        {"seconds": 0.50001},
        {"found": [["one", "uno"], "1"]},
        {"question": None},
        {"more": 0},
    ],
)
def test_an_edited_record_is_noticed(change):
    assert is_sealed(seal(RECORD))
    assert not is_sealed({**seal(RECORD), **change})


def test_a_record_that_lacks_a_field_or_its_check_is_noticed():
    sealed = seal(RECORD)
    for missing in sealed:
        assert not is_sealed({key: value for key, value in sealed.items() if key != missing})


def test_a_seal_does_not_depend_on_the_order_of_fields_or_on_an_older_seal():
    sealed = seal(RECORD)
    assert is_sealed(dict(reversed(sealed.items())))
    assert seal(sealed) == sealed
    assert unsealed(sealed) == RECORD
    assert unsealed(RECORD) == RECORD


def test_equal_data_have_one_digest():
    assert digest({"a": [1, "한"], "b": None}) == digest({"b": None, "a": [1, "한"]})
    assert digest([1, 2]) != digest([2, 1])


# Records


def test_stored_records_come_back_sealed(run):
    records = [{**RECORD, "number": number} for number in range(3)]
    run.write_records("a.jsonl", records[:1])
    run.append_records("a.jsonl", records[1:])
    assert all(map(is_sealed, run.records("a.jsonl")))
    assert [unsealed(record) for record in run.records("a.jsonl")] == records
    assert run.records("missing.jsonl") == []


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(seal(RECORD), ensure_ascii=False),
        json.dumps(seal(RECORD)),
        json.dumps(dict(reversed(seal(RECORD).items())), separators=(",", ":")),
        json.dumps(seal({})),
    ],
)
def test_a_line_in_another_layout_is_as_good_as_ours(run, text):
    run.path("a.jsonl").write_text(text + "\n", encoding="utf-8")
    assert all(map(is_sealed, run.records("a.jsonl")))


@pytest.mark.parametrize(
    ("old", "new"),
    [('"한', '"두'), ('"check":"', '"check":"0'), (',"check"', ',"more":0,"check"'), ('"check":', '"checks":')],
)
def test_a_line_of_which_a_letter_was_changed_is_refused(run, old, new):
    run.write_records("a.jsonl", [{"text": "한국어", "number": 1}, {}])
    whole = run.path("a.jsonl").read_text(encoding="utf-8")
    assert len(run.records("a.jsonl")) == 2
    assert old in whole
    run.path("a.jsonl").write_text(whole.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UserError, match=r"a\.jsonl:1: was edited"):
        run.records("a.jsonl")


def test_a_last_line_that_a_kill_cut_short_is_dropped_wherever_it_was_cut(run):
    run.write_records("a.jsonl", [RECORD, RECORD])
    whole = run.path("a.jsonl").read_bytes()
    begins = whole.index(b"\n") + 1
    for cut in range(begins, len(whole)):  # in the middle of a letter, too
        run.path("a.jsonl").write_bytes(whole[:cut])
        assert run.records("a.jsonl") == [seal(RECORD)]
        run.mend("a.jsonl")
        assert run.path("a.jsonl").read_bytes() == whole[:begins]
    run.append_records("a.jsonl", [{"number": 3}])
    assert [record.get("number") for record in run.records("a.jsonl")] == [None, 3]


def test_mending_leaves_whole_files_and_missing_ones_alone(run):
    run.write_records("a.jsonl", [RECORD])
    before = run.path("a.jsonl").read_bytes()
    run.mend("a.jsonl")
    run.mend("missing.jsonl")
    assert run.path("a.jsonl").read_bytes() == before
    assert not run.path("missing.jsonl").exists()


@pytest.mark.parametrize("damage", ['{"number": 1', "no json", "5", '["number"]', ""])
def test_a_damaged_line_in_the_middle_is_named(run, damage):
    run.write_records("a.jsonl", [RECORD])
    with run.path("a.jsonl").open("a", encoding="utf-8") as file:
        file.write(f"{damage}\n")
    run.append_records("a.jsonl", [RECORD])
    with pytest.raises(UserError, match=r"a\.jsonl:2: is damaged .*; restore it or remove the line"):
        run.records("a.jsonl")


APPEND = """
import itertools, sys
from pathlib import Path
from train.store import Run
run = Run(Path(sys.argv[1]), "small")
run.mend("a.jsonl")
begin = len(run.records("a.jsonl"))
for number in itertools.count(begin):
    run.append_records("a.jsonl", [{"number": number, "text": "한국어 " * 2000}])
    if number == begin:
        print("ready", flush=True)
"""


def test_processes_that_are_killed_while_they_append_lose_nothing(run):
    run.amend({"recipe": {"name": "small"}})
    numbers: list[int] = []
    for _ in range(3):
        with another_process(APPEND, run.directory):
            time.sleep(0.2)
        kept, numbers = numbers, [record["number"] for record in run.records("a.jsonl")]
        assert numbers[: len(kept)] == kept
        assert len(numbers) > len(kept)
    assert numbers == list(range(len(numbers)))
    assert all(map(is_sealed, run.records("a.jsonl")))


def test_a_full_disk_leaves_whole_lines(run):
    run.write_records("a.jsonl", [RECORD])
    before = run.path("a.jsonl").read_bytes()
    with disk_of(len(before) + 50), pytest.raises(OSError, match="too large"):
        run.append_records("a.jsonl", [RECORD])
    assert run.path("a.jsonl").read_bytes() == before
    with disk_of(50), pytest.raises(OSError, match="too large"):
        run.append_records("b.jsonl", [RECORD])
    assert run.records("b.jsonl") == []


# Whole files

WRITE = """
import itertools, sys
from pathlib import Path
from train.store import Run
run = Run(Path(sys.argv[1]), "small")
print("ready", flush=True)
for number in itertools.count():
    run.write("a.txt", str(number % 10) * 300_000)
"""


def test_a_process_that_is_killed_while_it_writes_leaves_one_whole_text(run):
    run.amend({"recipe": {"name": "small"}})
    run.write("a.txt", "9" * 300_000)
    for _ in range(3):
        with another_process(WRITE, run.directory):
            time.sleep(0.1)
        text = run.path("a.txt").read_text(encoding="utf-8")
        assert text == text[:1] * 300_000


def test_a_full_disk_leaves_the_old_text(run):
    run.write("a.txt", "old")
    with disk_of(1000), pytest.raises(OSError, match="too large"):
        run.write("a.txt", "new" * 1000)
    assert run.path("a.txt").read_text(encoding="utf-8") == "old"
    assert {path.name for path in run.directory.iterdir()} == {".lock", "a.txt"}


# The manifest


def test_amending_changes_what_is_named_and_seals(run):
    assert run.manifest() == {}
    run.amend({"recipe": {"name": "small"}, "a": 1})
    run.amend({"a": 2})
    assert unsealed(run.manifest()) == {"recipe": {"name": "small"}, "a": 2}
    assert is_sealed(run.manifest())


def test_a_stage_is_finished_until_it_is_not(run):
    assert run.made_from("sampling") is None
    run.stage("sampling", "these answers", answers=4)
    run.stage("grading", "these rules")
    assert run.made_from("sampling") == "these answers"
    run.unstage("sampling")
    run.unstage("sampling")
    assert (run.made_from("sampling"), run.made_from("grading")) == (None, "these rules")


# Whose directory it is


def test_a_run_is_opened_again_by_its_own_recipe_only(run):
    run.amend({"recipe": {"name": "small"}})
    assert Run(run.directory, "small").manifest() == run.manifest()
    assert Run.of(run.directory).recipe == "small"
    with pytest.raises(UserError, match=r"holds a run of recipe 'small', not 'other'; give another --out or remove it"):
        Run(run.directory, "other")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("notes.txt", "Mine.", "is not empty and holds no run; give another --out"),
        ("manifest.json", "{", "is damaged"),
        ("manifest.json", "{}", "is not empty and holds no run"),
    ],
)
def test_a_directory_that_holds_something_else_is_refused(tmp_path, name, text, message):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=message):
        Run(tmp_path, "small")
    with pytest.raises(UserError, match=r"holds no run, or its manifest\.json is damaged"):
        Run.of(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_is_no_run_directory(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="is a file; name a directory"):
        Run(tmp_path / "file", "small")


def test_what_is_left_of_a_run_that_was_killed_at_its_first_step_is_no_obstacle(tmp_path):
    for name in (".lock", ".manifest.json.new"):
        (tmp_path / name).write_text("{", encoding="utf-8")
    with Run(tmp_path, "small") as run:
        run.amend({"recipe": {"name": "small"}})


def test_looking_at_a_run_that_is_not_there_makes_nothing(tmp_path):
    assert Run(tmp_path / "run", "small").manifest() == {}
    assert list(tmp_path.iterdir()) == []


HOLD = """
import sys
from pathlib import Path
from train.store import Run
with Run(Path(sys.argv[1]), "small"):
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, None])
def test_one_process_at_a_time_works_in_a_run(tmp_path, end):
    with another_process(HOLD, tmp_path) as other:
        with pytest.raises(UserError, match="another openbook is at work in it"), Run(tmp_path, "small"):
            pass
        other.send_signal(end) if end else other.stdin.close()
        other.wait()
        with Run(tmp_path, "small") as run:
            run.amend({"recipe": {"name": "small"}})


# Records of every type

FACTS = ("one", ("two", "2", "/tw(o|ice)/"), "/three/")
PASSAGE = Passage("a.md#b", "Text with\nlines and 한글", "a.md", {"headings": ["A", "B"], "page": 3})


@pytest.mark.parametrize(
    "record",
    [
        PASSAGE,
        Passage("p", "Text"),
        Question(
            "q",
            "What?",
            "That.",
            FACTS,
            (("no", "nay"),),
            ("a", "b"),
            "g",
            "train",
            "t",
            ("What is?",),
            Counterfactual("This.", FACTS, ("that",)),
        ),
        Question("q", "What?", "That."),
        Answer("base", 0, "gold+3", "q", 1, "It is 3.\u2028\n😀", "key", "stop", 120, 7, 0.1234),
        Answer("base", 0, "none", "q", 0, ""),
        Verdict("base", 0, "gold", "q", 1, "rubric", "wrong", "key", "missing: x", ("a",), ("x", "y"), ("z",)),
        Verdict("base", 0, "gold", "q", 1, "person", "unscored"),
    ],
    ids=lambda record: type(record).__name__,
)
def test_a_record_that_was_stored_comes_back_equal(run, record):
    run.write_records("a.jsonl", [to_json(record)])
    (stored,) = run.records("a.jsonl")
    assert revive(type(record), stored) == record


@pytest.mark.parametrize("facts", [(), FACTS])
def test_a_context_that_was_stored_comes_back_equal(run, facts):
    other = Passage("c.md#d", "Other")
    context = Context("q", "gold+1", (other, PASSAGE), ("a.md#b",), "answer", facts, facts[1:])
    run.write_records("contexts.jsonl", [context_record(context, "the prompt")])
    (stored,) = run.records("contexts.jsonl")
    assert stored["passages"] == ["c.md#d", "a.md#b"], "by name: their text is stored once"
    assert stored["prompt"] == "the prompt"
    assert revive_context(stored, {passage.id: passage for passage in (PASSAGE, other)}) == context
