"""The next token, drawn with a given number; and the numbers, which are the same wherever an answer is made."""

from __future__ import annotations

import inspect
import math
from dataclasses import replace

import numpy
import pytest
import torch
from scipy.stats import chisquare, kstest

from train.records import Prompt
from train.sampling import Settings, answer_key, random_key, uniforms
from train.sampling.draw import draw

JUST_BELOW_ONE = math.nextafter(1, 0)


def logits(*probabilities: float) -> torch.Tensor:
    """One row of logits that has these probabilities at temperature 1."""
    return torch.tensor([probabilities], dtype=torch.float64).log()


def drawn(row: torch.Tensor, numbers: numpy.ndarray, temperature: float = 1.0, top_p: float = 1.0) -> list[int]:
    """The token of each number, from one row of logits."""
    rows = row.expand(len(numbers), -1)
    return draw(rows, torch.from_numpy(numpy.asarray(numbers, dtype=numpy.float64)), temperature, top_p).tolist()


def evenly(count: int) -> numpy.ndarray:
    """Numbers from 0 to just below 1."""
    return numpy.append(numpy.arange(count) / count, JUST_BELOW_ONE)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_tokens_come_as_often_as_their_probability_at_the_temperature_says(temperature):
    row = torch.randn(1, 12, generator=torch.Generator().manual_seed(0))
    tokens = drawn(row, uniforms(0, "a question", 0, 20_000), temperature)
    wanted = torch.softmax(row[0].double() / temperature, dim=-1) * len(tokens)
    assert chisquare(numpy.bincount(tokens, minlength=12), wanted.numpy()).pvalue > 0.01


def test_a_number_picks_the_token_in_whose_share_it_falls():
    row = logits(0.25, 0.5, 0.25)
    assert drawn(row, [0.0, 0.2, 0.3, 0.7, 0.8, JUST_BELOW_ONE]) == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("top_p", [1.0, 0.1])
def test_temperature_zero_takes_the_likeliest_token(top_p):
    rows = torch.randn(50, 30, generator=torch.Generator().manual_seed(0))
    numbers = torch.from_numpy(uniforms(0, "a question", 0, 50))
    assert torch.equal(draw(rows, numbers, 0, top_p), rows.argmax(dim=-1))


def test_a_low_temperature_comes_near_to_zero():
    rows = torch.randn(50, 30, generator=torch.Generator().manual_seed(0))
    numbers = torch.from_numpy(uniforms(0, "a question", 0, 50))
    assert torch.equal(draw(rows, numbers, 1e-6, 1.0), rows.argmax(dim=-1))


@pytest.mark.parametrize(
    ("probabilities", "top_p", "nucleus"),
    [
        ((0.1, 0.5, 0.4), 1.0, {0, 1, 2}),
        ((0.1, 0.5, 0.4), 0.95, {0, 1, 2}),
        ((0.1, 0.5, 0.4), 0.85, {1, 2}),
        ((0.1, 0.5, 0.4), 0.55, {1, 2}),  # .5 alone does not reach .55
        ((0.1, 0.5, 0.4), 0.45, {1}),
        ((0.1, 0.5, 0.4), 0.001, {1}),  # the likeliest always stays
        ((0.25, 0.25, 0.25, 0.25), 0.3, {0, 1}),  # of equals, the first
        ((0.25, 0.25, 0.25, 0.25), 0.2, {0}),
        ((0.0, 1.0, 0.0), 0.9, {1}),
    ],
)
def test_top_p_keeps_the_nucleus_and_nothing_else(probabilities, top_p, nucleus):
    assert set(drawn(logits(*probabilities), evenly(1000), top_p=top_p)) == nucleus


def test_within_the_nucleus_probabilities_keep_their_proportions():
    tokens = drawn(logits(0.1, 0.5, 0.4), uniforms(0, "a question", 0, 20_000), top_p=0.85)
    assert chisquare(numpy.bincount(tokens)[1:], [20_000 * 5 / 9, 20_000 * 4 / 9]).pvalue > 0.01


def test_the_nucleus_is_taken_after_the_temperature():
    # At temperature .5 the shares .5, .4, .1 are squared: .595, .381, .024.
    assert set(drawn(logits(0.5, 0.4, 0.1), evenly(1000), temperature=0.5, top_p=0.55)) == {0}
    assert set(drawn(logits(0.5, 0.4, 0.1), evenly(1000), temperature=1.0, top_p=0.55)) == {0, 1}


@pytest.mark.parametrize("top_p", [1.0, 0.9])
@pytest.mark.parametrize("place", ["first", "between", "last"])
def test_an_impossible_token_is_never_drawn(top_p, place):
    generator = torch.Generator().manual_seed(0)
    for size in (2, 3, 17, 1000):
        row = torch.randn(1, size, generator=generator)
        impossible = {"first": 0, "between": size // 2, "last": size - 1}[place]
        row[0, impossible] = -math.inf
        assert impossible not in drawn(row, evenly(200), top_p=top_p)


def test_the_greatest_number_picks_a_possible_token_however_the_sums_are_rounded():
    generator = torch.Generator().manual_seed(1)
    rows = torch.cat([torch.randn(300, 500, generator=generator) * 4, torch.full((300, 40), -math.inf)], dim=1)
    tokens = draw(rows, torch.full((300,), JUST_BELOW_ONE, dtype=torch.float64), 0.7, 1.0)
    assert torch.isfinite(rows[torch.arange(300), tokens]).all()


@pytest.mark.parametrize(("temperature", "top_p"), [(0, 1.0), (0.6, 1.0), (0.6, 0.9)])
def test_a_rows_token_depends_on_that_row_alone(temperature, top_p):
    rows = torch.randn(64, 4000, generator=torch.Generator().manual_seed(0)) * 3
    numbers = torch.from_numpy(uniforms(0, "a question", 0, 64))
    together = draw(rows, numbers, temperature, top_p).tolist()
    assert [draw(rows[n : n + 1], numbers[n : n + 1], temperature, top_p).item() for n in range(64)] == together
    order = torch.randperm(64, generator=torch.Generator().manual_seed(0))
    assert draw(rows[order], numbers[order], temperature, top_p).tolist() == [together[n] for n in order]


# The numbers

SETTINGS = Settings(temperature=0.6, top_p=1.0, max_new_tokens=32, seed=0, stop=(2, 5))
PROMPT = Prompt("q1", "gold", "the text", (1, 2, 3))


def test_the_numbers_never_change():
    """These are pinned: with other numbers, no stored answer could be made again. See `requests.ENGINE`."""
    assert random_key(0, "q1", 0) == 256444219419043983626421169369283510560
    assert random_key(7, "질문", 3) == 151509455293895794659375696309726685507
    assert uniforms(0, "q1", 0, 4).tolist() == [
        0.14322489780196723,
        0.058480528737487325,
        0.8810299317656077,
        0.8794702470212551,
    ]
    assert uniforms(7, "질문", 3, 3).tolist() == [0.7991268522805333, 0.7579951265671272, 0.2002536578421149]


def test_the_same_key_gives_the_same_numbers_and_a_longer_answer_goes_on_with_more():
    assert uniforms(0, "q1", 0, 8).tolist() == uniforms(0, "q1", 0, 8).tolist()
    assert uniforms(0, "q1", 0, 100)[:8].tolist() == uniforms(0, "q1", 0, 8).tolist()


@pytest.mark.parametrize(
    "other", [(1, "q1", 0), (0, "q2", 0), (0, "q1", 1), (0, "q", 10), (0, "q10", 0), (-1, "q1", 0)]
)
def test_another_seed_question_or_sample_gives_other_numbers(other):
    assert random_key(*other) != random_key(0, "q1", 0)
    assert not set(uniforms(*other, 50)) & set(uniforms(0, "q1", 0, 50))


def test_the_numbers_know_nothing_of_arm_and_condition():
    """So the same question's samples meet the same numbers in all cells, which pairs them."""
    assert list(inspect.signature(random_key).parameters) == ["seed", "question", "sample"]
    assert list(inspect.signature(uniforms).parameters) == ["seed", "question", "sample", "count"]


def test_the_numbers_are_uniform_within_an_answer_and_across_answers():
    across = [uniforms(0, f"q{question}", sample, 1)[0] for question in range(500) for sample in range(4)]
    for numbers in (uniforms(0, "q1", 0, 5000), numpy.array(across)):
        assert 0 <= numbers.min() < numbers.max() < 1
        assert kstest(numbers, "uniform").pvalue > 0.01


@pytest.mark.parametrize(
    "change",
    [
        {"weights": "others"},
        {"prompt": replace(PROMPT, tokens=(1, 2))},
        {"prompt": replace(PROMPT, tokens=(1, 2, 4))},
        {"settings": replace(SETTINGS, temperature=0.7)},
        {"settings": replace(SETTINGS, top_p=0.9)},
        {"settings": replace(SETTINGS, max_new_tokens=33)},
        {"settings": replace(SETTINGS, seed=1)},
        {"settings": replace(SETTINGS, stop=(2,))},
        {"settings": replace(SETTINGS, engine="vllm-0.19.1")},
        {"question": "q2"},
        {"sample": 1},
    ],
    ids=str,
)
def test_an_answers_key_changes_with_each_thing_that_makes_it(change):
    made_of = {"weights": "weights", "prompt": PROMPT, "settings": SETTINGS, "question": "q1", "sample": 0}
    assert answer_key(**{**made_of, **change}) != answer_key(**made_of)


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": replace(PROMPT, condition="gold+0")},  # what a condition is called makes no answer
        {"settings": replace(SETTINGS, stop=(5, 2))},
    ],
    ids=str,
)
def test_an_answers_key_stays_where_nothing_that_makes_it_changed(change):
    made_of = {"weights": "weights", "prompt": PROMPT, "settings": SETTINGS, "question": "q1", "sample": 0}
    assert answer_key(**{**made_of, **change}) == answer_key(**made_of)


def test_asking_for_more_samples_keeps_the_keys_of_those_there_are(project):
    from train.loading import load_recipe
    from train.prepare import prepare

    few, more = (
        prepare(load_recipe(str(project / "recipe.py"), [f"sampling.samples={k}", "sampling.batch_size=3"])).wanted({})
        for k in (2, 4)
    )
    assert few.items() < more.items()
    assert len(more) == 2 * len(few) == len(set(more.values()))
