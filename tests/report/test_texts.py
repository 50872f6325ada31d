"""Texts from models and data cannot act where they are shown, and nothing of them is lost."""

import json
import re

import pytest

from train.report import texts

from .builders import HOSTILE


@pytest.mark.parametrize("text", HOSTILE)
def test_shown_text_has_no_control_characters_and_can_be_written(text: str) -> None:
    shown = texts.visible(text)
    shown.encode("utf-8")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", shown)


def test_an_ansi_escape_is_shown_and_not_dropped() -> None:
    assert texts.visible("\x1b[31mred") == "␛[31mred"


def test_line_ends_stay_one_line_end_each() -> None:
    assert texts.visible("a\r\nb\nc\td") == "a\nb\nc\td"


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_text_is_one_literal_line(text: str) -> None:
    line = texts.markdown(text)
    assert "\n" not in line and "\r" not in line and "<" not in line
    assert not re.search(r"(?<!\\)[|`]", line)
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", line)


def test_a_long_markdown_text_is_cut_before_it_is_escaped() -> None:
    assert texts.markdown("|" * 10, longest=3) == r"\|\|…"


@pytest.mark.parametrize("text", [*HOSTILE, "\t=1", "\r=1", "'", "''=1", "－1", "plain", "1-2", "10:30"])
def test_a_spreadsheet_runs_no_text_and_gives_it_back(text: str) -> None:
    written = texts.sheet(text)
    assert not written or written[0] not in "=+-@\t\r\n＝＋－＠"
    assert texts.unsheet(written) == texts.encodable(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_embedded_json_cannot_end_its_element_and_reads_back(text: str) -> None:
    embedded = texts.embedded_json({"text": text})
    assert not set("<>&\u2028\u2029") & set(embedded)
    assert json.loads(embedded) == {"text": text}
