"""What the arms of several inputs are called: as the user says, as the input says, and never two alike by chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from train.data.answers import answer_key
from train.data.cells import BadCell, required_name
from train.errors import UserError, nearest
from train.foreign.records import Given
from train.records import Answer, AnswerId
from train.sealing import Record


@dataclass(frozen=True, slots=True)
class Name:
    """What the user calls an input: its arm (of a run, what is put before its arms) and its condition, if given.

    `whole` is both as they were written, since the name of a model may have a slash too.
    """

    whole: str
    arm: str
    condition: str = ""

    def of_model(self, model: str) -> Name:
        """The same where what looks like arm and condition is the name of the input's model."""
        return Name(self.whole, self.whole) if self.whole == model else self


def parse_names(given: Sequence[str], paths: Sequence[Path]) -> dict[Path, Name]:
    """`FILE=ARM` and `FILE=ARM/CONDITION`, by the input that is meant: its path, or the name of its file.

    Raises `UserError` for a text of another form, or for a file that is no input or is named twice.
    """
    names: dict[Path, Name] = {}
    for text in given:
        file, sign, whole = (part.strip() for part in text.rpartition("="))
        if not sign or not file or not whole:
            raise UserError(f"--name {text!r}: write it as FILE=ARM or FILE=ARM/CONDITION")
        path = meant(file, paths)
        if path in names:
            raise UserError(f"--name {text!r}: {path} is named twice; give one --name for each file")
        arm, slash, condition = whole.rpartition("/")
        if slash and not (arm and condition):
            raise UserError(f"--name {text!r}: write it as FILE=ARM or FILE=ARM/CONDITION")
        try:
            names[path] = Name(required_name(whole), required_name(arm or whole), condition if slash else "")
        except BadCell as bad:
            raise UserError(f"--name {text!r}: the arm's name {bad.what}; {bad.mend}") from None
    return names


def meant(file: str, paths: Sequence[Path]) -> Path:
    """The input of that path or of that name; raises `UserError` where it is none, or several."""
    same = [path for path in paths if path.resolve() == Path(file).resolve()]
    found = same or [path for path in paths if path.name == file]
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"--name {file!r}: {len(found)} inputs are called so; write the path")
    raise UserError(f"--name {file!r}: is none of the inputs{nearest(file, map(str, paths))}")


def labels(paths: Sequence[Path]) -> dict[Path, str]:
    """A short name for each path: its last part without suffix, and as many parts before it as tell them apart."""
    parts = {path: (*path.resolve().parent.parts, stem(path.resolve())) for path in paths}
    longest = max(map(len, parts.values()))
    for count in range(1, longest + 1):
        short = {path: "/".join(each[-count:]) for path, each in parts.items()}
        if len(set(short.values())) == len(parts):
            return short
    return {path: str(path.resolve()) for path in paths}


def stem(path: Path) -> str:
    """The file's name without suffix, a directory's whole name."""
    return path.name if path.is_dir() else path.stem


def distinguish(inputs: Sequence[Given], names: Mapping[Path, Name]) -> list[Given]:
    """The inputs with arms that are not confused.

    An arm name that the user has written (in a table's column, or by `--name`) stays. Of the others, those that two
    inputs share get the input's short name in front, as in `monday:base`, whatever the order of the inputs; a run that
    has a name of the user's gets that in front of all its arms.
    """
    met = Counter(arm for given in inputs for arm in {answer.arm for answer in given.answers})
    short = labels([given.path for given in inputs])
    result = []
    for given in inputs:
        arms = {answer.arm for answer in given.answers}
        name = names.get(given.path)
        if given.facts is not None and name is not None:
            now = {arm: f"{name.whole}:{arm}" for arm in arms}
        elif given.named:
            now = {}
        else:
            now = {arm: f"{short[given.path]}:{arm}" for arm in arms if met[arm] > 1}
        result.append(renamed(given, now))
    return result


def renamed(given: Given, now: Mapping[str, str]) -> Given:
    """The input with arms under other names, and with keys that are hashes of what its answers now are.

    So `verify` can compute the key of every answer, whichever tool made it.
    """
    keys: dict[tuple[AnswerId, str], str] = {}

    def answer(old: Answer) -> Answer:
        moved = replace(old, arm=now.get(old.arm, old.arm))
        new = replace(moved, key=answer_key(moved))
        keys[new.id, old.key] = new.key
        return new

    def label(record: Record) -> Record:
        of = {**record["answer"], "arm": now.get(record["answer"]["arm"], record["answer"]["arm"])}
        # A label of an answer that is no more keeps its key, so that it goes on holding for none.
        return {**record, "answer": of, "key": keys.get((AnswerId(**of), record["key"]), record["key"])}

    return replace(given, answers=tuple(map(answer, given.answers)), labels=tuple(map(label, given.labels)))
