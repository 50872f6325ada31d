"""`openbook verify`: whoever changes one number or answer of a finished run is found out, and the place is named."""

from __future__ import annotations

import json
import math
import random
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from train.assess import GradingRules, assess, comparison_text
from train.grading import Label
from train.progress import Screen
from train.records import AnswerId
from train.sealing import seal
from train.serialising import to_json
from train.store import Run

Edit = Callable[[Path], None]
Place = tuple[int | str, ...]
COORDINATES = ("arm", "seed", "condition", "question", "sample")
ADAPTER = "adapters/open-book/seed-0"


@pytest.fixture
def run(finished_run, tmp_path) -> Path:
    """A finished run of this test's own."""
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


def state(folder: Path) -> dict[Path, tuple[bytes, int]]:
    """Content and time of every file."""
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


def read(path: Path) -> str:
    """The file's text, with the line ends that it has."""
    return path.read_bytes().decode()


def save(path: Path, content: str) -> None:
    path.write_bytes(content.encode())


def text(name: str, old: str, new: str) -> Edit:
    """The first `old` of the file is `new`."""

    def edit(run: Path) -> None:
        content = read(run / name)
        assert old in content
        save(run / name, content.replace(old, new, 1))

    return edit


def number_in(name: str, pattern: str) -> Edit:
    """The first digit of the first match of the pattern's group is another."""

    def edit(run: Path) -> None:
        content = read(run / name)
        match = re.search(pattern, content)
        assert match is not None
        save(run / name, with_other_digit(content, match.start(1)))

    return edit


def with_other_digit(content: str, place: int) -> str:
    return content[:place] + str((int(content[place]) + 1) % 10) + content[place + 1 :]


def line(name: str, number: int, change: Callable[[str], str]) -> Edit:
    """A line, counted from 1, is changed, or removed where the change makes it empty."""

    def edit(run: Path) -> None:
        lines = read(run / name).split("\n")
        lines[number - 1 : number] = filter(None, [change(lines[number - 1])])
        save(run / name, "\n".join(lines))

    return edit


def record(name: str, number: int, *, sealed: bool = False, **cells: Any) -> Edit:
    """A record has other cells; `sealed` by someone who knows how its check is made."""

    def change(old: str) -> str:
        new = json.loads(old) | cells
        assert new != json.loads(old)
        return json.dumps(seal(new) if sealed else new, ensure_ascii=False)

    return line(name, number, change)


def entry(name: str, *place: int | str, value: Any) -> Edit:
    """A JSON file has another value at the place."""

    def edit(run: Path) -> None:
        content = json.loads(read(run / name))
        assert at(content, place) != value
        put(content, place, value)
        save(run / name, written(content, name))

    return edit


def at(content: Any, place: Place) -> Any:
    for step in place:
        content = content[step]
    return content


def put(content: Any, place: Place, value: Any) -> None:
    at(content, place[:-1])[place[-1]] = value


def written(content: Any, name: str) -> str:
    """JSON in the layout in which the file was written."""
    if name.endswith("adapter_config.json"):
        return json.dumps(content, indent=2, sort_keys=True)
    if name.endswith("openbook.json"):
        return json.dumps(content, indent=1)
    return comparison_text(content) if name == "comparison.json" else json.dumps(content, indent=1, ensure_ascii=False)


def flipped(name: str) -> Edit:
    """The last byte has another last bit."""

    def edit(run: Path) -> None:
        content = bytearray((run / name).read_bytes())
        content[-1] ^= 1
        (run / name).write_bytes(content)

    return edit


def removed(name: str) -> Edit:
    return lambda run: (run / name).unlink()


def removed_line(name: str, number: int) -> Edit:
    return line(name, number, lambda old: "")


def repeated_line(name: str, number: int) -> Edit:
    return line(name, number, lambda old: f"{old}\n{old}")


CELL, CONTRAST = ("cells", 0), ("contrasts", 0)

EDITS: dict[str, tuple[Edit, str]] = {
    "an answer": (record("answers.jsonl", 3, text="It is jade."), "answers.jsonl:3: was edited (arm base, seed 0,"),
    "an answer's key": (record("answers.jsonl", 3, key="0" * 32), "answers.jsonl:3: was edited"),
    "an answer's seconds": (record("answers.jsonl", 300, seconds=0.1), "answers.jsonl:300: was edited (arm open-book"),
    "an answer's tokens": (record("answers.jsonl", 7, tokens=999), "answers.jsonl:7: was edited"),
    "an answer with a new check": (
        record("answers.jsonl", 3, sealed=True, text="The lamp of pier 1 is jade. It is jade."),
        "verdicts.jsonl: rubric on base/none seed 0, question lamp1-seen, sample 0: wrong is stored, correct",
    ),
    "a verdict": (record("verdicts.jsonl", 5, verdict="abstained"), "verdicts.jsonl:5: was edited (arm base"),
    "a verdict with a new check": (
        record("verdicts.jsonl", 5, sealed=True, verdict="abstained"),
        "verdicts.jsonl: rubric on base/none seed 0, question lamp2, sample 0: abstained is stored, wrong recomputed",
    ),
    "a context's passage": (
        record("contexts.jsonl", 20, passages=["fare.md#fare-4"]),
        "contexts.jsonl:20: was edited (condition gold, question",
    ),
    "a context's passage with a new check": (
        record("contexts.jsonl", 20, sealed=True, passages=["fare.md#fare-4"]),
        "contexts.jsonl: is not as it was when the run began",
    ),
    "a context's prompt": (record("contexts.jsonl", 1, prompt="Say jade."), "contexts.jsonl:1: was edited"),
    "a question's fact": (record("questions.jsonl", 5, facts=["red"]), "questions.jsonl:5: was edited (id lamp2"),
    "a passage": (record("passages.jsonl", 2, text="Nothing."), "passages.jsonl:2: was edited (id "),
    "a training row": (
        record("training.jsonl", 9, completion="It is mauve."),
        "training.jsonl:9: was edited (arm closed-book, seed 0, question",
    ),
    "a cell's accuracy": (entry("comparison.json", *CELL, "accuracy", value=0.5), "comparison.json.cells[0].accuracy"),
    "a bound": (entry("comparison.json", *CELL, "interval", 1, value=0.9), "comparison.json.cells[0].interval[1]"),
    "a standard error": (
        entry("comparison.json", *CELL, "standard_error", value=0.5),
        "comparison.json.cells[0].standard_error: 0.5 is stored",
    ),
    "a count of right answers": (entry("comparison.json", *CELL, "right", value=9), "comparison.json.cells[0].right"),
    "a count of answers": (entry("comparison.json", *CELL, "answers", value=13), "comparison.json.cells[0].answers"),
    "a count of a question": (
        entry("comparison.json", *CELL, "per_question", 0, "wrong", value=1),
        "comparison.json.cells[0].per_question[0].wrong: 1 is stored",
    ),
    "a cause": (
        entry("comparison.json", *CELL, "causes", "cut off", value=3),
        "comparison.json.cells[0].causes.cut off: 3 is stored",
    ),
    "a topic's accuracy": (
        entry("comparison.json", *CELL, "topics", 0, "accuracy", value=0.5),
        "comparison.json.cells[0].topics[0].accuracy: 0.5 is stored",
    ),
    "a seed's accuracy": (
        entry("comparison.json", *CELL, "per_seed", 0, value=1),
        "comparison.json.cells[0].per_seed[0]: 1 is stored",
    ),
    "the number of questions": (entry("comparison.json", "questions", value=14), "comparison.json.questions: 14"),
    "a difference": (
        entry("comparison.json", *CONTRAST, "difference", value=0.2),
        "comparison.json.contrasts[0].difference: 0.2 is stored",
    ),
    "a p-value": (
        entry("comparison.json", *CONTRAST, "p_value", value=0.0156),
        "comparison.json.contrasts[0].p_value: 0.0156 is stored",
    ),
    "an adjusted p-value": (
        entry("comparison.json", *CONTRAST, "p_holm", value=0.0156),
        "comparison.json.contrasts[0].p_holm: 0.0156 is stored",
    ),
    "the decision": (
        entry("comparison.json", "decision", "sentence", value="Both."),
        "comparison.json.decision.sentence: 'Both.' is stored",
    ),
    "a number of the page": (number_in("report.html", r">[^<]*?(\d)[\d.]* %"), "report.html:"),
    "a number in the page's data": (number_in("report.html", r'"answers":\D*(\d)'), "report.html:"),
    "a number of the Markdown": (number_in("report.md", r"(\d)[\d.]* %"), "report.md:"),
    "a number of the cells' table": (number_in("cells.csv", r",(\d)\.\d+"), "cells.csv:"),
    "a number of the contrasts' table": (number_in("contrasts.csv", r",(\d)\.\d+"), "contrasts.csv:"),
    "a number of the answers' table": (number_in("answers.csv", r",(\d+)\b"), "answers.csv:"),
    "an answer in the answers' table": (text("answers.csv", "jade", "plum"), "answers.csv:"),
    "a line more in the Markdown": (line("report.md", 20, lambda old: f"{old}\nAll is well."), "report.md:21: "),
    "an answer that is no JSON": (line("answers.jsonl", 3, lambda old: old[:-9]), "answers.jsonl:3: is damaged"),
    "a comparison that is no JSON": (text("comparison.json", "{", "["), "comparison.json: is damaged"),
    "a number in the manifest": (
        entry("manifest.json", "recipe", "sampling", "samples", value=4),
        "manifest.json: was edited",
    ),
    "a training step in the manifest": (
        entry("manifest.json", "training", 0, "steps", value=90),
        "manifest.json: was edited",
    ),
    "a weight": (flipped(f"{ADAPTER}/adapter_model.safetensors"), f"{ADAPTER}/adapter_model.safetensors: is not"),
    "an adapter's seconds": (
        entry(f"{ADAPTER}/openbook.json", "seconds", value=12345.6),
        f"{ADAPTER}/openbook.json: was edited",
    ),
    "an adapter's alpha": (
        entry(f"{ADAPTER}/adapter_config.json", "lora_alpha", value=16),
        f"{ADAPTER}/adapter_config.json: was edited",
    ),
}
for name in ("questions", "passages", "contexts", "training", "answers", "verdicts"):
    EDITS[f"a line less in {name}"] = (removed_line(f"{name}.jsonl", 4), f"{name}.jsonl")
    EDITS[f"a line twice in {name}"] = (repeated_line(f"{name}.jsonl", 4), f"{name}.jsonl")
    EDITS[f"no {name}"] = (removed(f"{name}.jsonl"), f"{name}.jsonl")
for name in ("report.html", "report.md", "cells.csv", "contrasts.csv", "answers.csv", "comparison.json"):
    EDITS[f"no {name}"] = (removed(name), name)
for name in ("openbook.json", "adapter_config.json", "adapter_model.safetensors"):
    EDITS[f"no {name}"] = (removed(f"{ADAPTER}/{name}"), f"{ADAPTER}/{name}")


@pytest.mark.parametrize(("edit", "named"), [pytest.param(*case, id=name) for name, case in EDITS.items()])
def test_one_edit_is_found_and_named(edit, named, run, openbook):
    edit(run)
    code, out, err = openbook("verify", run)
    assert (code, err) == (1, "")
    assert named in out


def test_a_run_as_it_was_finished_is_whole_and_stays_untouched(run, openbook):
    before = state(run)
    assert openbook("verify", run) == (0, "every number follows from the stored answers\n", "")
    assert state(run) == before


@pytest.fixture(scope="module")
def labelled_run(finished_run, tmp_path_factory) -> Path:
    """The finished run with a third of its answers judged by two people, not to be changed."""
    folder = Path(shutil.copytree(finished_run, tmp_path_factory.mktemp("labelled") / "run"))
    with Run.of(folder) as run:
        labels = [
            Label(
                AnswerId(*(answer[name] for name in COORDINATES)),
                "wrong" if wrong else "correct",
                who,
                "2026-01-01",
                key=answer["key"],
                probability=0.5,
            )
            for number, answer in enumerate(run.records("answers.jsonl"))
            for who, wrong in (("ann", number % 2 == 0), ("bob", number % 12 < 4))
            if number % 3 == 0
        ]
        run.append_records("labels.jsonl", [to_json(label) for label in labels])
        rules = GradingRules(**run.manifest()["grading"])
        assess(run, ("grade", "report"), Screen(quiet=True), rules)
    return folder


def test_figures_from_labels_are_recomputed(labelled_run, tmp_path, openbook):
    assert openbook("verify", labelled_run) == (0, "every number follows from the stored answers\n", "")
    comparison = json.loads(read(labelled_run / "comparison.json"))
    assert comparison["people"]["labelled"]
    cell, refused = next(
        (number, cell["corrected"]["prediction_powered"])
        for number, cell in enumerate(comparison["cells"])
        if cell["corrected"]
    )
    for number, (place, value) in enumerate(
        [
            (("graders", 0, "tp"), 99),
            (("graders", 0, "tpr_interval"), None),
            (("people", "disputed"), 99),
            (("people", "kappa"), 0.999),
            (("cells", cell, "corrected", "prediction_powered"), {**refused, "refused": "because"}),
            (("cells", cell, "labelled"), 0),
            (("contrasts", 0, "graded_by"), "both"),
        ]
    ):
        copy = Path(shutil.copytree(labelled_run, tmp_path / str(number)))
        entry("comparison.json", *place, value=value)(copy)
        code, out, _ = openbook("verify", copy)
        named = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
        assert code == 1
        assert out.startswith(f"comparison.json{named}")


def leaves(content: Any, place: Place = ()) -> Iterator[Place]:
    """The places of all numbers."""
    if isinstance(content, (dict, list)):
        for step, value in content.items() if isinstance(content, dict) else enumerate(content):
            yield from leaves(value, (*place, step))
    elif isinstance(content, (int, float)) and not isinstance(content, bool):
        yield place


def documents(path: Path) -> tuple[list[Any], Callable[[list[Any]], str]]:
    """What a JSON or JSON Lines file holds, and how it is written back in the same layout."""
    name, content = path.name, read(path)
    if path.suffix == ".jsonl":
        return (
            [json.loads(each) for each in content.splitlines()],
            lambda rows: "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows),
        )
    return [json.loads(content)], lambda rows: written(rows[0], name)


def test_any_number_of_any_record_is_found_and_its_file_named(run, openbook):
    """The change is the smallest there is: one more, or the next floating-point number."""
    rng = random.Random(0)
    queues = []
    for path in sorted([*run.rglob("*.jsonl"), *run.rglob("*.json")]):
        rows, write = documents(path)
        assert write(rows) == read(path)
        places = list(leaves(rows))
        queues.append([(path, place) for place in rng.sample(places, min(len(places), 12))])
    sample = [queue[turn] for turn in range(12) for queue in queues if turn < len(queue)][:60]
    assert len(sample) == 60
    for path, place in sample:
        before = path.read_bytes()
        rows, write = documents(path)
        value = at(rows, place)
        put(rows, place, value + 1 if isinstance(value, int) else math.nextafter(value, math.inf))
        save(path, write(rows))
        code, out, _ = openbook("verify", run)
        assert code == 1, f"{path.name} at {place}"
        assert path.relative_to(run).as_posix() in out, f"{path.name} at {place}: {out}"
        path.write_bytes(before)
    assert openbook("verify", run)[0] == 0


@pytest.mark.parametrize("name", ["report.html", "report.md", "cells.csv", "contrasts.csv", "answers.csv"])
def test_any_digit_of_a_report_is_found_and_its_file_named(name, run, openbook):
    before = read(run / name)
    digits = [match.start() for match in re.finditer("[0-9]", before)]
    for place in random.Random(0).sample(digits, 5):
        save(run / name, with_other_digit(before, place))
        code, out, _ = openbook("verify", run)
        assert code == 1
        assert f"{name}:{before[:place].count(chr(10)) + 1}: " in out
