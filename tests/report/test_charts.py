"""The figures: well-formed, the same everywhere, readable without colours, and harmless whatever names they show."""

import dataclasses
import json
import math
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from train.records import CAUSES, Findings
from train.report import FIGURE_FILES, charts, drawing, figures, render, rows, wording
from train.report.drawing import Figure

from .builders import CONDITIONS, HOSTILE, KINDS, findings
from .pages import Page

SVG = "{http://www.w3.org/2000/svg}"
MANY = {f"arm-{number}": "tuned" if number else "untouched" for number in range(10)}
CASES: dict[str, dict[str, Any]] = {
    "a run": {},
    "three seeds": {"seeds": (0, 1, 2)},
    "forty cells": {"kinds": MANY, "per_split": 2},
    "one cell": {"kinds": {"base": "untouched"}, "conditions": ("gold",)},
    "one question": {"per_split": 1, "samples": 1, "splits": ("unseen",)},
    "nothing graded": {"unscored": 1.0},
    "made elsewhere": {"elsewhere": True, "splits": ("",)},
    "hostile arms": {"kinds": {text or "none": "tuned" for text in HOSTILE}, "per_split": 1, "samples": 1},
    "hostile conditions": {"conditions": ("none", *filter(None, HOSTILE)), "per_split": 1, "samples": 1},
}


def with_causes(data: Findings, causes: tuple[str, ...] = CAUSES) -> Findings:
    """The findings with a cause for every answer that was not right."""
    cells = []
    for cell in data.comparison["cells"]:
        left, counts = cell["answers"] - cell["right"], dict.fromkeys(causes, 0)
        for place in range(left):
            counts[causes[place % len(causes)]] += 1
        cells.append({**cell, "causes": {cause: number for cause, number in counts.items() if number}})
    return dataclasses.replace(data, comparison={**data.comparison, "cells": cells})


def drawn(case: dict[str, Any]) -> dict[str, Figure]:
    return charts.drawn(with_causes(findings(**case)))


def shown(figure: Figure) -> str:
    """The words that stand in the drawing, without what appears when something is pointed at."""
    texts = ElementTree.fromstring(drawing.svg(figure)).iter(f"{SVG}text")
    return "\n".join((text[0].tail if len(text) else text.text) or "" for text in texts)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("alone", [False, True], ids=["in the page", "alone"])
def test_a_figure_is_well_formed_and_runs_loads_and_styles_nothing(case: dict[str, Any], alone: bool) -> None:
    for figure in drawn(case).values():
        text = drawing.svg(figure, charts.standing() if alone else "")
        root = ElementTree.fromstring(text.encode())
        elements = list(root.iter())
        own = {"svg", "title", "desc", "text", "path", "rect", *(["style"] if alone else [])}
        assert {element.tag.removeprefix(SVG) for element in elements} <= own
        names = {name for element in elements for name in element.attrib}
        assert names <= {
            "class", "width", "height", "viewBox", "role", "aria-labelledby", "id", "x", "y", "d", "text-anchor"
        }  # fmt: skip
        assert "var(" not in text


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_coordinates_are_numbers_inside_the_figure(case: dict[str, Any]) -> None:
    for figure in drawn(case).values():
        text = drawing.svg(figure)
        drawings = re.sub(r"<title>.*?</title>|<desc.*?</desc>|>[^<]*<", "><", text)
        assert not re.search(r"nan|inf|None", drawings, re.IGNORECASE)
        for element in ElementTree.fromstring(text).iter():
            if element.tag in (f"{SVG}text", f"{SVG}rect"):
                x, y = float(element.attrib["x"]), float(element.attrib["y"])
                assert -1 <= x <= figure.width + 1 and -1 <= y <= figure.height + 1
            if element.tag == f"{SVG}rect":
                assert float(element.attrib["width"]) >= 0 and x + float(element.attrib["width"]) <= figure.width + 1


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_same_findings_draw_the_same_bytes_in_any_order(case: dict[str, Any]) -> None:
    data = with_causes(findings(**case))
    again = dataclasses.replace(
        data,
        comparison=json.loads(json.dumps(data.comparison)),
        answers=data.answers[::-1],
        contexts=data.contexts[::-1],
        training=data.training[::-1],
    )
    assert charts.figure_files(again) == charts.figure_files(data)


def test_names_in_the_page_are_unique_and_every_figure_has_words_for_who_cannot_see_it() -> None:
    page = Page(render(with_causes(findings()))["report.html"])
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    drawings = [attributes for tag, attributes in page.tags if tag == "svg" and attributes.get("class") == "chart"]
    assert len(drawings) == len(FIGURE_FILES)
    for attributes in drawings:
        assert attributes["role"] == "img"
        assert set((attributes["aria-labelledby"] or "").split()) <= set(ids)


def test_every_cell_of_the_split_has_its_arm_condition_accuracy_and_interval() -> None:
    data = findings(per_split=8)
    words = shown(charts.drawn(data)["forest"])
    cells = [cell for cell in data.comparison["cells"] if cell["split"] == "unseen"]
    assert len(cells) == 12
    for cell in cells:
        for text in (figures.percent(cell["accuracy"]), figures.percent_interval(cell["interval"])):
            assert text in words
    for name in (*KINDS, *CONDITIONS):
        assert name in words
    assert [words.count(arm) for arm in KINDS] == [1] * 3


def test_every_planned_contrast_has_its_sides_difference_interval_and_whether_it_is_shown() -> None:
    data = findings(per_split=12)
    planned = [row for row in data.comparison["contrasts"] if row["planned"]]
    words = shown(charts.drawn(data)["contrasts"])
    assert {row["p_holm"] <= 0.05 for row in planned} == {True, False}
    for row in planned:
        for text in (f"{row['a']['arm']} / {row['a']['condition']}", figures.points(row["difference"])):
            assert text in words
    assert words.count(", shown") == sum(row["p_holm"] <= 0.05 for row in planned)
    assert words.count(", not shown") == sum(row["p_holm"] > 0.05 for row in planned)


def test_the_zero_line_and_what_is_not_worth_having_are_where_the_axis_says() -> None:
    figure = charts.drawn(findings(per_split=12))["contrasts"]
    root = ElementTree.fromstring(drawing.svg(figure))
    zero = next(element for element in root.iter() if element.attrib.get("class") == "zero")
    band = next(element for element in root.iter() if element.attrib.get("class") == "band")
    ticks = {
        float((element.text or "").replace("−", "-")): float(element.attrib["x"])
        for element in root.iter(f"{SVG}text")
        if re.fullmatch(r"−?\d+", element.text or "")
    }
    assert float(re.findall(r"M([\d.]+)", zero.attrib["d"])[0]) == pytest.approx(ticks[0], abs=0.1)
    scale = (max(ticks.values()) - min(ticks.values())) / (max(ticks) - min(ticks))
    assert float(band.attrib["width"]) == pytest.approx(10 * scale, abs=0.2)  # five points to either side


def test_causes_are_told_by_letters_and_their_counts_stand_behind_the_bar() -> None:
    data = with_causes(findings(per_split=8), ("gold unused", "memory", "cut off"))
    figure = charts.drawn(data)["causes"]
    words = shown(figure)
    for letter, cause in zip("ABC", ("gold unused", "memory", "cut off"), strict=True):
        assert f"{letter}, {cause}: {wording.CAUSE_MEANING[cause]}" in figure.caption
    for cell in data.comparison["cells"]:
        if cell["split"] == "unseen" and cell["causes"]:
            pairs = zip("ABC", ("gold unused", "memory", "cut off"), strict=True)
            counts = [f"{letter} {cell['causes'][cause]}" for letter, cause in pairs if cause in cell["causes"]]
            assert " · ".join(counts) in words


def without_causes(data: Findings) -> Findings:
    cells = [{name: value for name, value in cell.items() if name != "causes"} for cell in data.comparison["cells"]]
    return dataclasses.replace(data, comparison={**data.comparison, "cells": cells})


def test_a_run_without_causes_training_or_costs_has_the_figures_that_remain() -> None:
    elsewhere = without_causes(findings(elsewhere=True, splits=("",)))
    assert list(charts.drawn(elsewhere)) == ["forest", "contrasts"]
    lone = without_causes(findings(kinds={"base": "untouched"}, conditions=("gold",)))
    assert list(charts.drawn(lone)) == ["forest", "costs"]
    empty = dataclasses.replace(
        findings(elsewhere=True), comparison={**findings().comparison, "cells": [], "contrasts": []}, answers=[]
    )
    assert charts.drawn(empty) == {}


@pytest.mark.parametrize("values", [[], [[1, 2.0]], [[1, math.nan], [2, None]], [[1, math.inf]]])
def test_a_loss_that_cannot_be_drawn_is_left_out(values: list[Any]) -> None:
    data = findings()
    broken = [{**entry, "loss": values, "validation_loss": []} for entry in data.training]
    assert "loss" not in charts.drawn(dataclasses.replace(data, training=broken))


def test_losses_have_a_panel_for_each_arm_and_a_line_for_each_seed() -> None:
    figure = charts.drawn(findings(seeds=(0, 1, 2)))["loss"]
    text = drawing.svg(figure)
    for arm in ("closed-book", "open-book"):
        assert shown(figure).count(arm) == 1
        for seed in range(3):
            assert text.count(f"<title>{arm}, seed {seed}: training loss</title>") == 1
            assert text.count(f"<title>{arm}, seed {seed}: validation loss</title>") == 1
    names = [shape for shape in figure.shapes if getattr(shape, "words", "").startswith("seed ")]
    assert [name.words for name in names] == ["seed 2", "seed 1", "seed 0"] * 2, "equal ends keep their order"
    heights = [float(dict(name.attributes)["y"]) for name in names[:3]]
    assert heights[0] - heights[1] >= 13.9 and heights[1] - heights[2] >= 13.9
    crowded = charts.drawn(findings(seeds=tuple(range(7))))["loss"]
    assert not any(getattr(shape, "words", "").startswith("seed ") for shape in crowded.shapes)


@pytest.mark.parametrize("case", [{}, {"kinds": MANY, "per_split": 2}, {"seeds": (0, 1)}])
def test_no_two_names_of_marks_meet_in_the_plot_of_costs(case: dict[str, Any]) -> None:
    figure = charts.drawn(findings(**case))["costs"]
    names = [shape for shape in figure.shapes if shape.tag == "text" and dict(shape.attributes)["class"] == "small"]
    boxes = [
        (x, y - 8, x + drawing.width_of(shape.words, "small"), y)
        for shape in names
        for x, y in [(float(dict(shape.attributes)["x"]), float(dict(shape.attributes)["y"]))]
    ]
    assert len(boxes) >= 4
    for place, one in enumerate(boxes):
        for other in boxes[place + 1 :]:
            assert one[0] >= other[2] or other[0] >= one[2] or one[1] >= other[3] or other[1] >= one[3]


def test_a_long_or_korean_name_is_cut_to_its_room_and_said_in_full_when_pointed_at() -> None:
    name = "문맥을 보여 주며 아주 오랫동안 미세 조정한 모델"
    figure = charts.drawn(findings(kinds={name: "tuned"}))["forest"]
    text = drawing.svg(figure)
    assert f"<title>{name}</title>문맥을" in text
    cut = next(line for line in shown(figure).split("\n") if line.startswith("문맥"))
    assert drawing.width_of(cut, "name") <= rows.column([{"condition": "distractors@3"}])


def test_files_beside_the_markdown_are_the_figures_it_shows() -> None:
    report = render(with_causes(findings()))
    linked = re.findall(r"^!\[.*\]\((figures/\w+\.svg)\)$", report["report.md"], re.MULTILINE)
    assert sorted(linked) == sorted(name for name in report if name.startswith("figures/")) == sorted(FIGURE_FILES)


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0, 100, 4, [0, 50, 100]),
        (0, 0.3, 3, [0, 0.1, 0.2, 0.3]),
        (-12, 12, 8, [-15, -10, -5, 0, 5, 10, 15]),
        (0, 7e-5, 5, [0, 2e-5, 4e-5, 6e-5, 8e-5]),
        (0, 1, 4, [0, 0.5, 1]),
    ],
)
def test_an_axis_has_round_numbers(low: float, high: float, most: int, expected: list[float]) -> None:
    assert drawing.ticks(low, high, most) == pytest.approx(expected)


def test_labels_of_an_axis_have_the_same_decimals_and_a_real_minus() -> None:
    assert drawing.labels([-0.5, 0.0, 0.25]) == ["−0.50", "0.00", "0.25"]
    assert drawing.labels([-20, 0, 20]) == ["−20", "0", "20"]


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_a_name_holds_it_is_text(text: str) -> None:
    figure = Figure("f", text, text, text, 10, 10, (drawing.text(0, 0, text, "name", hint=text),))
    root = ElementTree.fromstring(drawing.svg(figure).encode())
    assert [element.tag.removeprefix(SVG) for element in root][:3] == ["title", "desc", "text"]
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", drawing.svg(figure))


def test_an_undecided_contrast_without_common_questions_is_said() -> None:
    data = findings(per_split=8)
    [first, *rest] = data.comparison["contrasts"]
    gone = {**first, "difference": None, "interval": None, "p_value": None, "p_holm": None, "reason": "no answers"}
    figure = charts.drawn(dataclasses.replace(data, comparison={**data.comparison, "contrasts": [gone, *rest]}))
    assert "not comparable" in shown(figure["contrasts"])
    assert wording.contrast_sentence(gone, 0.05).endswith("not comparable; no answers.")


@pytest.mark.parametrize("case", [{"per_split": 60, "seeds": (0, 1, 2)}, {"kinds": MANY, "per_split": 20}])
def test_figures_stay_small(case: dict[str, Any]) -> None:
    assert sum(map(len, charts.figure_files(with_causes(findings(**case))).values())) < 150_000
