"""What training and answers cost: time always, money where the recipe names a rate."""

import dataclasses
import html
import re
from typing import Any

import pytest

from train.records import Findings
from train.report import costs, figures, render

from .builders import findings


def priced(rate: float | None = 3.6, currency: str = "$", processes: int = 1, **case: Any) -> Findings:
    data = findings(**case)
    recipe = {**data.manifest["recipe"], "costs": {"price_per_hour": rate, "currency": currency}}
    hardware = {**data.manifest["hardware"], "processes": processes}
    return dataclasses.replace(data, manifest={**data.manifest, "recipe": recipe, "hardware": hardware})


def section(page: str, name: str) -> str:
    part = page.split(f'<section id="{name}"')[1].split("</section>", maxsplit=1)[0]
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", part)))


def test_a_thousand_answers_cost_their_time_at_the_rate() -> None:
    data = priced(3.6)  # a tenth of a cent for each second
    for row, cell in zip(costs.cost_rows(data), costs.cell_costs(data), strict=True):
        assert row.per_thousand == f"${cell.seconds:.2f}"
        assert cell.seconds == pytest.approx(
            sum(
                answer.seconds
                for answer in data.answers
                if (answer.arm, answer.condition) == (cell.arm, cell.condition)
            )
            / cell.answers
        )


def test_processes_that_answer_side_by_side_share_the_machine_and_those_that_train_together_do_not() -> None:
    alone, shared = priced(3.6), priced(3.6, processes=4)
    one, four = (costs.rate(data) for data in (alone, shared))
    assert one and four
    assert four.per_second == one.per_second / 4
    assert [row.price for row in costs.adapter_rows(shared)] == [row.price for row in costs.adapter_rows(alone)]
    assert "4 processes" in costs.rate_line(shared)


def test_training_of_an_arm_is_that_of_all_its_seeds() -> None:
    assert costs.training_lines(priced(3.6, seeds=(0, 1, 2))) == [
        "closed-book: 5 min 44 s over 3 seeds, $0.34",
        "open-book: 5 min 44 s over 3 seeds, $0.34",
    ]
    assert costs.training_lines(findings()) == ["closed-book: 1 min 55 s", "open-book: 1 min 55 s"]


@pytest.mark.parametrize("rate", [0.0, 2.5, 1800.0])
def test_prices_are_in_page_and_markdown(rate: float) -> None:
    data = priced(rate, "KRW")
    report = render(data)
    for row in costs.cost_rows(data):
        assert row.per_thousand.startswith("KRW ")
        for text in (section(report["report.html"], "costs"), report["report.md"]):
            assert row.per_thousand in text and row.accuracy in text
    for adapter in costs.adapter_rows(data):
        assert adapter.price in section(report["report.html"], "training")
    assert f"{figures.price(rate, 'KRW')} for an hour of the machine" in report["report.md"]


@pytest.mark.parametrize("manifest", [{}, {"recipe": {"costs": {"price_per_hour": None, "currency": "$"}}}])
def test_without_a_rate_there_is_time_and_no_price(manifest: dict[str, Any]) -> None:
    data = dataclasses.replace(findings(), manifest=manifest)
    report = render(data)
    page = report["report.html"].split("<body>")[1].split('<section id="provenance"')[0]
    for text in (page, report["report.md"]):
        assert "price" not in text and "Prices" not in text
    assert costs.cost_rows(data)[0].seconds in report["report.md"]
    assert "$" not in report["figures/costs.svg"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"peak_bytes": 912 * 2**20}, "912 MiB"),
        ({"peak_bytes": 5.04 * 2**30}, "5.0 GiB"),
        ({}, figures.DASH),  # trained by an earlier version
        ({"peak_bytes": None}, figures.DASH),
    ],
)
def test_peak_memory_of_training_is_in_page_and_markdown(given: dict[str, Any], said: str) -> None:
    data = findings()
    report = render(dataclasses.replace(data, training=[{**entry, **given} for entry in data.training]))
    table = report["report.html"].split('<section id="training"')[1].split("</table>")[0]
    assert table.count(f'<td class="number">{said}</td>') == len(data.training)
    row = next(line for line in report["report.md"].split("## Training")[1].splitlines() if line.startswith("| closed"))
    assert f"| {said} |" in row


def test_adapters_that_were_trained_at_once_are_named_together() -> None:
    data = findings()
    names = [f"{entry['arm']} seed 0" for entry in data.training]
    training = [
        {**entry, "together_with": [name for name in names if not name.startswith(entry["arm"])]}
        for entry in data.training
    ]
    both = dataclasses.replace(data, training=training)
    assert costs.together(both) == [", ".join(sorted(names))] and costs.together(data) == []
    assert ", ".join(sorted(names)) in section(render(both)["report.html"], "training")


def test_hostile_currency_is_text() -> None:
    report = render(priced(2.0, "<b>"))
    assert "<b>2.00" not in report["report.html"] and "&lt;b&gt;2.00" in report["report.html"]
    assert "<b>" not in report["figures/costs.svg"]


def test_a_time_that_is_not_a_number_is_a_dash_and_has_no_mark() -> None:
    data = findings(kinds={"base": "untouched"}, conditions=("none", "gold"))
    answers = [
        dataclasses.replace(answer, seconds=float("nan")) if answer.condition == "gold" else answer
        for answer in data.answers
    ]
    broken = dataclasses.replace(data, answers=answers)
    assert [row.seconds == figures.DASH for row in costs.cost_rows(broken)] == [False, True]
    assert render(broken)["figures/costs.svg"].count('class="mark') == 2  # one in the plot, one in its legend


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        (12.5, "$", "$12.50"),
        (0.42, "€", "€0.42"),
        (0.0421, "$", "$0.042"),
        (0.000051, "$", "$0.000051"),
        (0.999, "$", "$1.00"),
        (9.999, "$", "$10.00"),
        (99.999, "$", "$100"),
        (5200.4, "KRW", "KRW 5,200"),
        (0, "₩", "₩0.00"),
        (None, "$", "—"),
        (float("nan"), "$", "—"),
    ],
)
def test_money_is_said_like_this(amount: float | None, currency: str, said: str) -> None:
    assert figures.price(amount, currency) == said


def test_a_cell_whose_answers_do_not_say_what_they_cost_has_dashes_and_no_mark() -> None:
    data = findings()
    silent = ("base", "gold")
    answers = [
        dataclasses.replace(answer, tokens=0, prompt_tokens=0, seconds=0.0, finish="")
        if (answer.arm, answer.condition) == silent
        else answer
        for answer in data.answers
    ]
    data = dataclasses.replace(data, answers=answers)
    rows = {(row.arm, row.condition): row for row in costs.cost_rows(data)}
    row = rows.pop(silent)
    assert {row.prompt_tokens, row.tokens, row.seconds, row.cut} == {figures.DASH}
    assert rows and not any(figures.DASH in (each.tokens, each.seconds, each.cut) for each in rows.values())
    whole = render(findings())["figures/costs.svg"].count('class="mark')
    assert render(data)["figures/costs.svg"].count('class="mark') == whole - 1
