"""The GPU check runs, on a CPU too, at a size that measures nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parent.parent / "scripts" / "gpu_check.py"


def test_it_prints_the_ratio_and_writes_the_figures(tmp_path):
    out = tmp_path / "gpu.json"
    sizes = {"shape": "tiny", "steps": 2, "warm-up": 1, "repeats": 2, "length": 40, "out": out}
    options = [text for name, value in sizes.items() for text in (f"--{name}", str(value))]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *options], check=False, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    found = re.search(r"tiny +QLoRA step time / LoRA step time: (\S+) \[(\S+), (\S+)\]", done.stdout)
    assert found is not None
    ratios = json.loads(out.read_text(encoding="utf-8"))["tiny"]["ratio"]
    assert len(ratios) == 2
    assert float(found[2]) <= float(found[1]) <= float(found[3])
    assert min(ratios) > 0
