"""What training takes: more costs more, by as much as the formulas say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.estimate.builders import MACHINE, job, stock, together
from train import models
from train.decoder.memory import Pass, pass_bytes
from train.estimate import adapter_parameters, tuning_bytes, tuning_seconds
from train.estimate.passes import MOST_STEPS, passes
from train.estimate.tuning import DECODER, HOLES, STOCK, sizes_of
from train.processes import Processes
from train.recipe import LoRA, QLoRA
from train.tuning import TokenRow


def token_rows(*lengths: tuple[int, int]) -> list[TokenRow]:
    """Rows of so many tokens before and after the place where the loss starts; they begin unlike."""
    return [TokenRow((number,) * prompt, (2,) * completion) for number, (prompt, completion) in enumerate(lengths)]


@pytest.mark.parametrize(
    ("lengths", "size", "expected"),
    [
        ([(3, 2), (3, 2)], 2, [(10, 4)]),
        ([(3, 2), (4, 3)], 2, [(14, 8)]),  # labels at 3 and 4, and at 4, 5 and 6
        ([(3, 2), (9, 1)], 2, [(20, 6)]),
        ([(3, 2), (9, 1), (5, 5)], 2, [(20, 6), (10, 5)]),
        ([], 4, []),
    ],
)
def test_a_stock_batch_is_padded_to_its_longest_row_and_scored_where_any_row_has_a_label(lengths, size, expected):
    found = [each.batch for each in passes(stock(job(batch_size=size)), [token_rows(*lengths)])]
    assert found == [Pass(tokens, tokens, scored) for tokens, scored in expected]


@pytest.mark.parametrize("room", [1024, 60, 1])
@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_the_passes_foreseen_are_those_of_training(prepared, room, dropout):
    from train.decoder.anatomy import take_apart
    from train.tuning.stack import Stack
    from train.tuning.tune import adapted

    jobs = [replace(each, adapter=replace(each.adapter, dropout=dropout)) for each in prepared.jobs]
    model, names = adapted(models.load_model(prepared.source, prepared.recipe.base), jobs)
    stack = Stack(jobs, model, take_apart(model), names, Processes(), room=room, checkpointing=False)
    rows: list[Sequence[TokenRow]] = [each.rows[:6] for each in jobs]
    made = []
    for batch in stack.passes({number: list(enumerate(each)) for number, each in enumerate(rows)}):
        flat, targets, _ = stack.laid_out(batch, [1.0, 1.0])
        made.append((len(flat), sum(map(len, flat.paths)), len(targets.places)))
    foreseen = [each.batch for each in passes(together(*jobs, room=room), rows)]
    assert foreseen == made
    assert any(each.tokens < each.laid for each in foreseen) == (room == 1024 and not dropout)


@pytest.mark.parametrize(
    ("less", "more"),
    [
        (together(job(adapter=QLoRA(rank=16))), together(job())),
        (together(job(adapter=QLoRA(rank=16))), together(job(adapter=QLoRA(rank=16, double_quantization=False)))),
        (together(job(), checkpointing=True), together(job())),
        (together(job(), room=500), together(job())),
        (together(job()), together(job(adapter=LoRA(rank=16, dropout=0.1)))),
        (together(job()), together(job(adapter=LoRA(rank=64)))),
        (together(job()), together(job(completion=25))),
        (together(job(), room=120), together(job(prompt=200), room=120)),
        (together(job()), together(job(), job())),
        (stock(job(adapter=QLoRA(rank=16))), stock(job())),
        (stock(job(gradient_checkpointing=True)), stock(job())),
        (stock(job(batch_size=4)), stock(job())),
        (stock(job()), stock(job(prompt=200))),
        (stock(job()), stock(job(completion=40))),
        (stock(job()), stock(job(adapter=LoRA(rank=64)))),
        (stock(job()), stock(job(adapter=LoRA(rank=16, dropout=0.1)))),
        (stock(job()), stock(job(adapter=LoRA(rank=16, dora=True)))),
    ],
    ids=[
        "QLoRA", "double", "checkpointing", "room", "dropout", "rank", "completion", "row", "two",
        "stock QLoRA", "stock checkpointing", "stock batch", "stock prompt", "stock completion", "stock rank",
        "stock dropout", "stock DoRA",
    ],
)  # fmt: skip
@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("width", [2, 4])
def test_what_saves_memory_takes_less(llama, less, more, device, width):
    assert tuning_bytes(llama, less, width, device) < tuning_bytes(llama, more, width, device)


def test_two_jobs_share_a_base_and_two_rows_their_beginning(llama):
    one = job(rows=2, prompt=101, completion=19, shared=100)
    alone, both = (tuning_bytes(llama, together(*jobs), 4, "cpu") for jobs in ((one,), (one, one)))
    assert alone < both < alone + llama.parameters
    assert next(passes(together(one), [one.rows])).batch == Pass(140, 240, 38)
    assert tuning_seconds(llama, together(one), MACHINE) < 0.7 * tuning_seconds(llama, stock(one), MACHINE)


@pytest.mark.parametrize(("width", "bytes_of_one"), [(4, 16), (2, 18)])
def test_a_trained_value_takes_16_bytes_and_in_half_precision_two_more(llama, width, bytes_of_one):
    def need(rank: int) -> float:
        return tuning_bytes(
            llama, together(job(rows=1, prompt=1, completion=1, adapter=LoRA(rank=rank))), width, "cuda"
        )

    more = adapter_parameters(llama, LoRA(rank=32)) - adapter_parameters(llama, LoRA(rank=16))
    assert need(32) - need(16) == pytest.approx(bytes_of_one * more, rel=2e-3)


def test_the_largest_pass_takes_what_the_decoder_says(smollm2):
    def need(completion: int) -> float:
        return tuning_bytes(smollm2, together(job(completion=completion)), 4, "cpu")

    sizes = sizes_of(smollm2, 4)
    said = [pass_bytes(sizes, Pass(8 * (100 + n), 8 * (100 + n), 8 * n), sizes.inner(16)) for n in (1, 20)]
    assert need(20) - need(1) == pytest.approx((1 + HOLES["cpu"]) * (said[1] - said[0]))


def test_the_epochs_and_rows_of_a_job_do_not_change_its_peak_but_the_longest_does(llama):
    rows, [longest] = token_rows(*[(50, 20)] * 512), token_rows((100, 20))
    for kind in (together, stock):
        short = replace(job(), rows=rows)
        need = tuning_bytes(llama, kind(short), 2, "cuda")
        assert tuning_bytes(llama, kind(replace(short, rows=rows * 3)), 2, "cuda") == need
        for place in (0, 333):  # in a step that stands for others, and in one that does not
            long = replace(short, rows=[*rows[:place], longest, *rows[place + 1 :]])
            assert tuning_bytes(llama, kind(long), 2, "cuda") > need


@pytest.mark.parametrize("kind", [together, stock])
def test_twice_the_rows_take_twice_the_time(llama, kind):
    for adapter in (LoRA(rank=16), QLoRA(rank=16)):
        one, two = (job(rows=count, adapter=adapter) for count in (16, 32))
        assert tuning_seconds(llama, kind(two), MACHINE) == pytest.approx(2 * tuning_seconds(llama, kind(one), MACHINE))
    # Of many steps some are looked at.
    one, two = job(rows=8 * MOST_STEPS), job(rows=80 * MOST_STEPS)
    assert tuning_seconds(llama, kind(two), MACHINE) == pytest.approx(10 * tuning_seconds(llama, kind(one), MACHINE))


def test_twice_the_tokens_of_a_row_take_about_twice_the_time(llama):
    short, long = (tuning_seconds(llama, stock(each), MACHINE) for each in (job(), job(prompt=200, completion=40)))
    assert 2 < long / short < 2.05  # attention grows with the square


def test_a_trained_weight_costs_six_operations_and_a_frozen_one_four(smollm2):
    def operations(rank: int) -> float:
        one = job(rows=1, prompt=10, completion=1, adapter=LoRA(rank=rank), batch_size=1)
        return tuning_seconds(smollm2, stock(one), replace(MACHINE, rate=1 / STOCK))

    adapter = adapter_parameters(smollm2, LoRA(rank=1))
    assert operations(2) - operations(1) == pytest.approx(11 * 6 * adapter)
    attention = 11 * 3 * 2 * 11 * 576 * 30
    assert operations(1) == pytest.approx(11 * (4 * smollm2.decoder + 6 * adapter) + attention + 4 * 576 * 49152)


def test_what_follows_the_last_attention_costs_nothing_where_nobody_reads_it(smollm2):
    def operations(prompt: int, completion: int) -> float:
        one = job(rows=8, prompt=prompt, completion=completion, adapter=LoRA(rank=1))
        return tuning_seconds(smollm2, together(one), replace(MACHINE, rate=1 / DECODER))

    after = 4 * 576 * (576 + 3 * 1536) + 6 * (2 * 576 + 3 * (576 + 1536))  # frozen weights, and an adapter's
    head = 4 * 576 * 49152
    assert operations(51, 49) - operations(99, 1) == pytest.approx(8 * 48 * (head + after), rel=1e-3)


@pytest.mark.parametrize("kind", [together, stock])
def test_time_grows_with_validation_and_four_bits_and_falls_with_speed(llama, kind):
    plain = tuning_seconds(llama, kind(job()), MACHINE)
    assert tuning_seconds(llama, kind(replace(job(), validation=job().rows)), MACHINE) > plain
    assert tuning_seconds(llama, kind(job(adapter=QLoRA(rank=16))), MACHINE) > plain
    assert tuning_seconds(llama, kind(job()), replace(MACHINE, rate=2e11)) == pytest.approx(plain / 2)
    assert tuning_seconds(llama, kind(job()), replace(MACHINE, call=1e-5)) > plain
    assert tuning_seconds(llama, replace(kind(job()), checkpointing=True), MACHINE) > plain
