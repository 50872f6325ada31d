"""Where memory does not suffice, fewer are answered at once, and the answers are the same."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.architectures.builders import LLAMA3, write_model
from tests.sampling.builders import LENGTHS
from tests.sampling.short_of_memory import LONG, SAMPLES
from train import models
from train.sampling.capacity import MOST_ROWS, PIECE, SPARE, Needs, Room, room_for

GIB = 2**30
TOKEN = 2 * 2 * 2 * 32 * 4
"""Keys and values of a token in the tiny model: in 2 blocks with 2 key heads of 32 numbers of 4 bytes."""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere address space is not limited so")
def test_when_an_allocation_fails_half_as_many_are_answered_at_once(tmp_path):
    together = len(LENGTHS) * SAMPLES
    whole = together * LONG.max_new_tokens * TOKEN / 2**20
    limits = [str(int(share * whole)) for share in (0.02, 0.7, 0)]  # not even one question, half of them, all
    command = [sys.executable, "-m", "tests.sampling.short_of_memory", str(write_model(LLAMA3, tmp_path)), *limits]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    nothing, halved, everything = map(json.loads, done.stdout.splitlines())
    assert "Unable to allocate" in nothing["error"]
    assert (halved["together"], everything["together"]) == (together / 2, together)
    assert halved["texts"] == everything["texts"]


NEEDS = Needs(token=1000, work=10_000, prompt=600, answer=100, samples=4, questions=1000)  # a slot is 1 MB


@pytest.mark.parametrize("device", MOST_ROWS)
def test_with_memory_to_spare_as_many_are_answered_as_are_worth_while(device):
    room = room_for(NEEDS, 10_000 * GIB, device, None)
    assert room == Room(SPARE * MOST_ROWS[device] // 4, MOST_ROWS[device], PIECE[device], cramped=False)


def test_what_is_answered_at_once_fits():
    for free in (0, 1e6, 1e7, 5e7, 1e8, 1e9):
        room = room_for(NEEDS, free, "cpu", None)
        assert room.questions == 1 or room.questions * NEEDS.slot <= free / 2
        assert room.rows <= room.questions * NEEDS.samples
        assert room.piece == 1 or room.piece * NEEDS.work <= free / 10
        assert room.cramped == (room.questions < SPARE * MOST_ROWS["cpu"] // 4)


@pytest.mark.parametrize(("rows", "questions"), [(1, 2), (4, 2), (5, 4), (64, 32)])
def test_the_recipes_batch_size_bounds_the_rows(rows, questions):
    room = room_for(NEEDS, 10_000 * GIB, "cuda", rows)
    assert (room.questions, room.rows) == (questions, rows)


def test_room_is_halved_down_to_one_of_each():
    room = room_for(NEEDS, 10_000 * GIB, "cpu", None)
    counts = [room.questions]
    while room.questions > 1:
        room = room_for(NEEDS, 10_000 * GIB, "cpu", None, room.halved())
        counts.append(room.questions)
    assert counts == [64, 32, 16, 8, 4, 2, 1]
    assert room.rows >= 1
    assert room.cramped


@pytest.mark.parametrize(
    ("error", "meant"),
    [
        (MemoryError(), True),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory"),
            True,
        ),
        (RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"), True),
        (RuntimeError("CUDA error: device-side assert triggered"), False),
        (ValueError("no"), False),
    ],
)
def test_other_errors_are_not_taken_for_a_lack_of_memory(error, meant):
    assert models.out_of_memory(error) == meant
