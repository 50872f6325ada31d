"""The further tables and sentences: on the page and in the Markdown, and absent with nothing in them."""

import dataclasses
import html
import re

from train.report import render, tables
from train.report.choices import choices
from train.report.redacted import without_texts

from .builders import findings
from .test_summary import with_cells, with_comparison

GRADER = {
    "grader": "rubric", "against": "person", "arm": None, "labels": 40, "tp": 18, "fp": 2, "fn": 1, "tn": 19,
    "tpr": 0.947, "tpr_interval": [0.75, 0.99], "tnr": 0.905, "tnr_interval": [0.71, 0.97], "agreement": 0.925,
    "kappa": 0.85, "kappa_interval": [0.68, 1.0],
}  # fmt: skip


def test_the_further_tables_are_on_the_page_where_there_is_something_in_them() -> None:
    topics = [
        {"topic": "fares", "questions": 3, "accuracy": 0.25, "interval": [0.1, 0.6]},
        {"topic": "piers", "questions": 1, "accuracy": 1.0, "interval": None},
    ]
    data = with_cells(findings(), topics=topics, causes={"memory": 3, "cut off": 1})
    data = with_comparison(data, graders=[GRADER])
    page = re.sub(r"<[^>]*>", "", html.unescape(render(data)["report.html"])).replace("\u00a0", " ")
    for words in ("Why answers were not right", "Topics of the unseen questions", "25.0 % (10.0–60.0 %)", "pass^4",
                  "refused though due", "Graders against people", "75.0–99.0 %", "0.68 to 1.00"):  # fmt: skip
        assert words in page
    nothing = with_cells(findings(samples=1), topics=[], causes={}, corrected=None)
    bare = render(with_comparison(nothing, graders=[]))["report.html"]
    for words in ("Why answers were not right", "Topics of", "pass^", "Graders against people", "corrected by people"):
        assert words not in bare


JUDGING = {
    "judge": "judge:mini", "where": "api.example", "asked": 40, "judged": 40, "requested": 30, "unparsed": 2,
    "prompt_tokens": 12_000, "tokens": 60, "cost": 0.0123,
}  # fmt: skip


def test_what_the_judge_did_and_cost_stands_on_the_page_and_in_the_markdown_but_not_where_it_is_redacted() -> None:
    data = dataclasses.replace(findings(), manifest={**findings().manifest, "judging": JUDGING})
    said = (
        "judge:mini (api.example) judged 40 answers in 30 requests; 2 answers got a reply without a letter; "
        "12,000 tokens read and 60 written; 0.0123 paid, in the currency of the prices given."
    )
    assert tables.judge_sentence(data) == said
    files = render(data)
    assert said in files["report.md"]
    assert said in re.sub(r"<[^>]*>", "", html.unescape(files["report.html"]))
    assert tables.judge_sentence(without_texts(data)) == ""


def test_the_markdown_holds_the_further_tables_and_how_fast_was_trained() -> None:
    searched = {
        "condition": "retrieved@3", "split": "unseen", "questions": 8, "found": 0.75, "interval": [0.4, 0.93],
        "recall": 0.625, "reciprocal_rank": 0.5833, "arms": [{"arm": "base", "found": 0.9, "missed": None}],
    }  # fmt: skip
    data = with_comparison(findings(), graders=[GRADER], retrieval=[searched])
    for content in (render(data)["report.md"], re.sub(r"<[^>]*>", "|", html.unescape(render(data)["report.html"]))):
        words = re.sub(r"[\s|\\]+", " ", content.replace("\u00a0", " "))
        assert "What the search found, and what was made of it" in words
        assert "retrieved@3 unseen base 8 75.0 % (40.0–93.0 %) 62.5 % 0.58 90.0 % —" in words
        assert "pass@4" in words and "Abstention, both ways" in words
        assert "rubric all arms 40 18 19 2 1 94.7 %" in words
        assert "tokens/s" in words and " 275 " in words


def test_what_each_choice_costs_is_said_with_its_training_and_how_fresh_its_facts_stay() -> None:
    data = findings()
    said = dict(choices(data))
    assert set(said) == {
        f"{arm} {words}" for arm in ("base", "closed-book", "open-book")
        for words in ("without context", "with the gold passage")
    }  # fmt: skip
    assert re.fullmatch(
        r"120 tokens read and [\d.]+ written an answer, 0\.\d\d s; no training; follows the documents as they change",
        said["base with the gold passage"],
    )
    assert said["closed-book without context"].endswith(
        "; 1 min 55 s of training; knows the facts as they were then, and has to be tuned again when they change"
    )
    for content in (render(data)["report.md"], render(data)["report.html"]):
        assert "What each choice costs" in content and "has to be tuned again when they change" in content
    assert choices(findings(elsewhere=True)) == ()
    assert "What each choice costs" not in render(findings(elsewhere=True))["report.html"]
