"""What is read first: it says what the comparison says, and nothing where it says nothing."""

import dataclasses
import html
from typing import Any

import pytest

from train.records import Findings, Verdict
from train.report import figures, render, tables
from train.report.badges import badges
from train.report.provenance import arm_differences
from train.report.summary import advice, decisive, summary

from ..comparison.builders import run
from ..comparison.test_decision import world
from .builders import findings


def with_comparison(data: Findings, **changed: Any) -> Findings:
    return dataclasses.replace(data, comparison={**data.comparison, **changed})


def with_decision(data: Findings, **changed: Any) -> Findings:
    return with_comparison(data, decision={**data.comparison["decision"], **changed})


def with_cells(data: Findings, **added: Any) -> Findings:
    return with_comparison(data, cells=[{**cell, **added} for cell in data.comparison["cells"]])


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        ({"verdict": "context", "arm": "base", "condition": "gold"}, "untouched model context, with the gold passage"),
        ({"verdict": "tuning", "arm": "closed-book", "condition": "none"}, "Tune (closed-book)."),
        ({"verdict": "both", "arm": "open-book", "condition": "gold+3"}, "gold passage among 3 distractors"),
        ({"verdict": "neither", "arm": "base", "condition": "none"}, "Neither context nor tuning"),
        ({"verdict": "undetermined", "more_questions": 40}, "about 40 more questions"),
        ({"verdict": "undetermined", "more_questions": 1}, "about 1 more question would"),
        ({"verdict": "undetermined", "more_questions": None}, "Not decided."),
    ],
)
def test_the_advice_is_the_verdict_in_a_few_words(decision: dict[str, Any], said: str) -> None:
    data = with_decision(findings(), **decision)
    assert said in advice(data) and len(advice(data)) < 90
    assert html.escape(advice(data), quote=False) in render(data)["report.html"]


@pytest.mark.parametrize("seed", range(8))
def test_the_key_figures_are_those_of_a_contrast_that_the_sentence_names(seed: int) -> None:
    data = findings(per_split=10, seed=seed)
    contrast = decisive(data)
    sentence = data.comparison["decision"]["sentence"]
    assert contrast is not None
    assert f"{contrast['a']['arm']} with {contrast['a']['condition']} is" in sentence
    assert figures.points(abs(contrast["difference"]), signed=False) in sentence or contrast["difference"] == 0
    values = {figure.name: figure.value for figure in summary(data).figures}
    assert values["difference"] == f"{figures.points(contrast['difference'])} points"
    assert values["95 % interval"] == figures.points_interval(contrast["interval"])
    assert values["questions × samples"] == f"{contrast['questions']} × 4"
    assert values["training seeds"] == "1"
    detectable = figures.points(contrast["detectable"], signed=False)
    assert values["smallest detectable"].startswith(detectable)


def test_the_figures_are_those_of_the_contrast_that_the_decision_names() -> None:
    data = findings(per_split=10)
    told = [{key: told[key] for key in ("name", "split")} for told in data.comparison["decision"]["told"]]
    assert data.comparison["decision"]["hangs_on"] in told
    for row in data.comparison["contrasts"][:4]:
        key = {"name": row["name"], "split": row["split"]}
        assert decisive(with_decision(data, hangs_on=key)) == row


@pytest.mark.parametrize(("p_value", "said"), [(0.01, "b / none is better than a / none."), (0.5, "No difference")])
def test_what_arms_made_elsewhere_show_is_said_without_a_verdict(p_value: float, said: str) -> None:
    row = dict(findings().comparison["contrasts"][0])
    row |= {"a": {"arm": "a", "condition": "none"}, "b": {"arm": "b", "condition": "none"}}
    row |= {"name": "a − b", "difference": -0.2, "p_holm": p_value}
    data = with_decision(with_cells(findings(), kind="given"), hangs_on={"name": "a − b", "split": row["split"]})
    data = dataclasses.replace(with_comparison(data, contrasts=[row]), training=[])
    assert advice(data).startswith(said)


@pytest.mark.parametrize(
    ("base", "tuned", "advised", "signs", "said"),
    [
        ((0.2, 0.9), (0.4, 0.9), "Give the untouched model context", "✓✓", "less than the 5.0 points worth having"),
        ((0.2, 0.3), (0.9, 0.9), "Tune (tuned)", "✓✓", "tuned with the gold passage is right at most"),
        ((0.2, 0.6), (0.5, 0.9), "Tune (tuned) and give it context", "✓✓", "more than chance explains"),
        ((0.8, 0.8), (0.8, 0.8), "Neither", "✓", "is right at most"),
        ((0.8, 0.3), (0.3, 0.6), "Neither", "✓", "is not right more often than base without context"),
    ],
)
def test_what_a_verdict_rests_on_is_settled_be_it_a_difference_or_that_there_is_little(
    base, tuned, advised, signs, said
) -> None:
    compared = run(world(200, base=base, tuned=tuned), {"base": "untouched", "tuned": "tuned"})
    shown = summary(dataclasses.replace(findings(), comparison=compared))
    assert shown.advice.startswith(advised)
    assert "".join(point.sign for point in shown.points) == signs
    assert said in shown.points[-1].said
    assert not any("chance could explain" in point.said for point in shown.points)
    notes = {figure.name: figure.note for figure in shown.figures}
    if advised == "Neither":
        assert notes["95 % interval"] == "ends below the 5.0 points worth having"
        assert "not what this rests on" in notes.values()


def test_what_is_open_is_said_in_the_direction_of_the_sentence() -> None:
    compared = run(world(30, base=(0.2, 0.8), tuned=(0.3, 0.9)), {"base": "untouched", "tuned": "tuned"})
    settled, still_open = summary(dataclasses.replace(findings(), comparison=compared)).points
    assert (settled.word, still_open.word) == ("Settled", "Open")
    told = compared["decision"]["told"][1]
    row = next(row for row in compared["contrasts"] if row["name"] == told["name"] and row["split"] == told["split"])
    low, high = row["interval"]
    turned = {"a": row["b"], "b": row["a"], "difference": -row["difference"], "interval": [-high, -low]}
    rows = [{**row, **turned} if each is row else each for each in compared["contrasts"]]
    again = dataclasses.replace(findings(), comparison={**compared, "contrasts": rows})
    assert summary(again).points == (settled, still_open)


def texts_of(data: Findings) -> list[str]:
    return [f"{badge.text}: {badge.why}" for badge in badges(data)]


def test_a_contrast_that_could_not_show_what_is_worth_having_is_a_caution() -> None:
    data = findings(per_split=10)
    rows = [{**row, "p_holm": 0.4, "detectable": 0.234, "planned": True} for row in data.comparison["contrasts"]]
    weak = with_comparison(data, contrasts=rows)
    assert "too few questions: 10 questions can show 23.4 points; 5.0 would be worth having" in texts_of(weak)
    shown = with_comparison(data, contrasts=[{**row, "p_holm": 0.001} for row in rows])
    assert not any(text.startswith("too few questions") for text in texts_of(shown))


def test_accuracies_that_peoples_labels_move_are_a_caution() -> None:
    better = {
        "rogan_gladen": {"refused": "no better than chance"},
        "prediction_powered": {"accuracy": 0.5, "interval": [0.3, 0.7]},
    }
    data = with_cells(findings(), accuracy=0.8, corrected=better)
    found = [text for text in texts_of(data) if text.startswith("people's labels correct the figures")]
    assert len(found) == 1 and "base / gold: 80.0 %, corrected 50.0 %" in found[0]
    table = tables.corrected(data)
    assert table is not None and "no better than chance" in table.rows[0] and "30.0–70.0 %" in table.rows[0]
    near = with_cells(findings(), accuracy=0.52, corrected=better)
    assert not any(text.startswith("people's labels") for text in texts_of(near))


def test_many_answers_cut_off_name_the_setting() -> None:
    data = findings()
    answers = [
        dataclasses.replace(answer, finish="length" if (answer.arm, answer.condition) == ("base", "none") else "stop")
        for answer in data.answers
    ]
    cut = dataclasses.replace(data, answers=answers, manifest={"recipe": {"sampling": {"max_new_tokens": 32}}})
    assert (
        "answers cut off: max_new_tokens (32) is too small; stopped at the token limit: base / none 100.0 %"
        in texts_of(cut)
    )
    assert not any(text.startswith("answers cut off") for text in texts_of(data))


def test_disputed_answers_stand_beside_the_share_that_people_checked() -> None:
    people = {"labelled": 20, "labellers": 2, "kappa": 0.61, "disputed": 3}
    data = with_comparison(findings(), people=people)
    assert any(text.startswith("0.0 % checked by people, 3 disputed") for text in texts_of(data))
    assert tables.people_sentence(data) == (
        "2 people labelled 20 answers; they agree with one another at κ = 0.61; 3 answers disputed."
    )


def test_only_what_differs_between_arms_is_listed() -> None:
    arms = {
        "base": {},
        "closed-book": {"condition": "none", "adapter": {"rank": 16, "dora": False}, "optimization": None},
        "open-book": {"condition": "gold", "adapter": {"rank": 64, "dora": False}, "optimization": {"epochs": 9}},
    }
    recipe = {"arms": arms, "optimization": {"epochs": 4, "learning_rate": 0.0003}}
    table = arm_differences(dataclasses.replace(findings(), manifest={"recipe": recipe}))
    assert table is not None and table.header == ("setting", "base", "closed-book", "open-book")
    assert table.rows == (
        ("adapter.rank", "—", "16", "64"),
        ("condition", "—", "none", "gold"),
        ("optimization.epochs", "—", "4", "9"),
        ("trained", "no", "yes", "yes"),
    )
    assert arm_differences(dataclasses.replace(findings(), manifest={"recipe": {"arms": {"base": {}}}})) is None
    assert arm_differences(findings(elsewhere=True)) is None


@pytest.mark.parametrize(("split", "warned"), [("seen", True), ("unanswerable", True), ("unseen", False)])
def test_a_report_in_which_no_new_fact_was_asked_says_so(split: str, warned: bool) -> None:
    data = findings()
    kept = {question.id for question in data.questions if question.split == split}
    data = dataclasses.replace(data, answers=[answer for answer in data.answers if answer.question in kept])
    assert any(text.startswith("no unseen facts") for text in texts_of(data)) == (bool(kept) and warned)
    assert kept


def test_what_only_one_of_two_tuned_arms_has_is_a_difference() -> None:
    data = findings()
    common = {"condition": {"name": "gold"}, "adapter": {"rank": 8}}
    arms = {"base": {}, "open-book": common, "open-book-4bit": {**common, "quantization": "nf4"}}
    data = dataclasses.replace(data, manifest={**data.manifest, "recipe": {"arms": arms}})
    table = arm_differences(data)
    assert table is not None
    shown = [cell for row in table.rows if row[0] == "quantization" for cell in row if cell != figures.DASH]
    assert shown == ["quantization", "nf4"]


def test_questions_of_which_none_differs_are_too_few_unless_that_is_shown_to_be_little() -> None:
    counts = {(arm, condition): [4] * 7 for arm in ("base", "tuned") for condition in ("none", "gold")}
    kinds = {"base": "untouched", "tuned": "tuned"}
    few = dataclasses.replace(findings(), comparison=run(counts, kinds))
    assert any(text.startswith("too few questions: none of 7 questions differs") for text in texts_of(few))
    many = run({cell: right * 30 for cell, right in counts.items()}, kinds)
    assert many["decision"]["verdict"] == "neither"
    enough = dataclasses.replace(findings(), comparison=many)
    assert not any(text.startswith("too few questions") for text in texts_of(enough))


def test_a_share_that_people_checked_is_not_rounded_to_nothing() -> None:
    data = findings(per_split=120)
    said = Verdict.on(data.answers[0], "person:ann", "wrong")
    data = dataclasses.replace(data, verdicts=[*data.verdicts, said])
    assert len(data.answers) > 2000
    assert any(text.startswith("under 0.1 % checked by people") for text in texts_of(data))
