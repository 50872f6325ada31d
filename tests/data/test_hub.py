"""Data sets on the hub: a real client in a process of its own, and a server that answers as the hub does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from . import hub_server
from .hub_server import NEW, OLD

READ = """
import json, sys
from train.data import load_questions
from train.errors import UserError
for source in sys.argv[1:]:
    try:
        read = load_questions(source)
        print(json.dumps([[question.answer for question in read.questions], *read.warnings]))
    except UserError as error:
        print(json.dumps(str(error)))
"""

SOURCES = {
    "hub:org/questions@v1": [["There."]],
    "hub:org/questions#test": [
        ["Anywhere."],
        f"hub:org/questions#test: the newest revision is read, which is {NEW} now; hub:org/questions@{NEW} is always "
        "the same",
    ],
    f"hub:org/questions@{NEW}#train": [["Here."]],
    "hub:org/questions": (
        "hub:org/questions: holds the splits train, test; choose one, such as hub:org/questions#train"
    ),
    "hub:org/questions@v1#test": "hub:org/questions@v1#test: there is no split 'test'; there is 'train'",
    "hub:org/questions@v2": (
        "hub:org/questions@v2: the data set has no revision 'v2'; name a branch, a tag or a commit"
    ),
    "hub:org/question": (
        "hub:org/question: the hub has no data set 'org/question' that you may read; check the name, or log in with "
        "`hf auth login`"
    ),
}


def read(home: Path, sources: list[str], **environment: str) -> list[object]:
    """What `load_questions` makes of each source, in a new process whose hub cache is `home`."""
    done = subprocess.run(
        [sys.executable, "-c", READ, *sources],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"HF_HOME": str(home), **environment},
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def with_a_hub(tmp_path_factory):
    """The cache after every source was read, what was read, and the address of the server, which is gone by now."""
    home = tmp_path_factory.mktemp("hub")
    server = subprocess.Popen([sys.executable, hub_server.__file__], stdout=subprocess.PIPE, text=True)
    try:
        address = f"http://127.0.0.1:{int(server.stdout.readline())}"
        return home, read(home, list(SOURCES), HF_HUB_OFFLINE="0", HF_ENDPOINT=address), address
    finally:
        server.kill()
        server.communicate()


def test_revisions_and_splits_are_the_ones_that_were_named(with_a_hub):
    assert dict(zip(SOURCES, with_a_hub[1], strict=True)) == SOURCES


def test_only_tables_are_fetched(with_a_hub):
    names = {path.name for path in with_a_hub[0].rglob("snapshots/*/*")}
    assert names == {"train.jsonl", "test.jsonl", "README.md"}


@pytest.mark.parametrize("offline", ["0", "1"])
def test_without_the_hub_only_that_very_revision_is_taken_from_the_cache(with_a_hub, offline, tmp_path):
    home, _, address = with_a_hub
    kept, other = read(
        home, [f"hub:org/questions@{OLD}", "hub:org/questions@v3"], HF_HUB_OFFLINE=offline, HF_ENDPOINT=address
    )
    assert kept == [["There."]]
    assert str(other).startswith("hub:org/questions@v3: cannot be had from the hub (")
    assert str(other).endswith("); check the name and the connection, or download it and give its directory")
