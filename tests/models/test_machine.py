"""What is said of memory is what there was."""

import json
import subprocess
import sys

import pytest

MEASURED = """
import json
from train.models import forget_peak, peak_bytes, peak_since

size = 300 * 2**20
before = peak_bytes()
held = bytearray(b"x") * size  # written, so that it is resident
high = peak_bytes()
del held
forget_peak()
print(json.dumps([before, high, peak_since(), peak_bytes()]))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere a peak cannot be forgotten")
def test_a_peak_is_seen_when_it_is_over_and_can_be_set_aside() -> None:
    """In a process of its own, whose memory nothing else has used."""
    done = subprocess.run([sys.executable, "-c", MEASURED], capture_output=True, text=True, check=True)
    before, high, since, ever = json.loads(done.stdout)
    size, late = 280 * 2**20, 2**20  # the system counts a little late
    assert size < high - before
    assert since < before + size // 2, "what was freed before still counts"
    assert ever >= high - late, "the peak of the whole process is lost"
