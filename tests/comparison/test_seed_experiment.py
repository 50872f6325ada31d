"""The check values of METHOD.md: 30 questions × 4 samples, 120 of 120 with context against 96 of 120 without."""

from __future__ import annotations

import pytest

from .builders import cell_of, contrast, row_of, run

# Seven questions that differ and lack 24 right answers in all. Of such patterns, five questions at 0 of 4, one at 1 and
# one at 3 gives the published standard error .071 and interval (5.625 = Σd², sd .3906); 0,0,0,0,0,2,2 would give .070.
WITHOUT = [0, 0, 0, 0, 0, 1, 3] + [4] * 23
KINDS = {"open-book": "tuned", "closed-book": "tuned"}


@pytest.fixture(scope="module")
def result():
    return run(
        {("open-book", "gold"): [4] * 30, ("closed-book", "none"): WITHOUT},
        KINDS,
        [contrast("open-book/gold", "closed-book/none")],
    )


def test_the_contrast_has_the_published_values(result):
    row = row_of(result, "open-book/gold", "closed-book/none")
    assert row["questions"] == 30
    assert row["differing"] == 7
    assert row["difference"] == 0.2
    assert row["standard_deviation"] / 30**0.5 == pytest.approx(0.071, abs=0.0005)
    assert row["interval"] == pytest.approx([0.054, 0.346], abs=0.0005)
    assert row["p_value"] == row["p_holm"] == 2 / 2**7  # .0156, exactly
    assert row["detectable"] == pytest.approx(0.20, abs=0.0005)


def test_its_t_test_is_the_published_one():
    from scipy.stats import ttest_rel

    paired = ttest_rel([1.0] * 30, [right / 4 for right in WITHOUT])
    assert paired.pvalue == pytest.approx(0.009, abs=0.0005)
    assert list(paired.confidence_interval()) == pytest.approx([0.054, 0.346], abs=0.0005)


def test_the_cells_have_the_published_values(result):
    best, worst = cell_of(result, "open-book/gold"), cell_of(result, "closed-book/none")
    assert (best["accuracy"], worst["accuracy"]) == (1.0, 0.8)
    assert (best["right"], worst["right"], worst["answers"]) == (120, 96, 120)
    assert best["interval"] == pytest.approx([0.886, 1.0], abs=0.0005)
    assert best["per_question"][0]["interval"] == pytest.approx([0.48, 0.99], abs=0.005)


def test_its_sentence_says_what_was_shown_and_what_was_not(result):
    decision = result["decision"]
    assert decision["verdict"] == "undetermined"
    assert decision["sentence"] == (
        "open-book with gold is 20.0 points better than closed-book with none [5.4, 34.6], p = .0156. "
        "This holds when the right passage is found; retrieval was not tested. "
        "Undetermined: no untouched base was asked, so context and tuning cannot be weighed against each other."
    )
    assert any("one training seed (0)" in reason for reason in decision["reasons"])


def test_one_right_of_four_samples_is_a_quarter():
    # FedRAG's mistake: counting the question [0, 0, 1, 0] as solved.
    result = run({("base", "none"): [["wrong", "wrong", "correct", "wrong"]]}, {"base": "untouched"}, [])
    assert cell_of(result, "base/none")["accuracy"] == 0.25
    assert cell_of(result, "base/none")["pass_at_k"] == {"1": 0.25, "2": 0.5, "4": 1.0}
    assert cell_of(result, "base/none")["pass_hat_k"] == {"1": 0.25, "2": 0.0, "4": 0.0}
