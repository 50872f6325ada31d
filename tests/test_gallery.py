"""The pictures of a report: real ones, of a real browser, and small."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent.parent / "scripts"
GALLERY = Path(__file__).parent.parent / "recipes/gallery"
SIZES = {"light": (1280, 960), "cell": (1280, 960), "dark": (1280, 960), "phone": (390, 844), "print": (1123, 794)}


def picture(data: bytes) -> tuple[tuple[int, int], list[tuple[int, ...]], bytes]:
    """Size, palette and the places in it, line by line, of a PNG with a palette and without filters."""
    chunks, at = {}, 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        chunks[kind] = data[at + 8 : at + 8 + length]
        assert zlib.crc32(kind + chunks[kind]) == struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0]
        at += 12 + length
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    lines = zlib.decompress(chunks[b"IDAT"])
    places = b"".join(lines[1 + row * (width + 1) : (row + 1) * (width + 1)] for row in range(height))
    return (width, height), list(zip(*[iter(chunks[b"PLTE"])] * 3, strict=True)), places


@pytest.fixture
def smaller(monkeypatch):
    """The function that makes a picture small."""
    monkeypatch.syspath_prepend(SCRIPTS)
    from gallery import smaller

    return smaller


def test_a_picture_of_few_colours_keeps_them(smaller):
    colours = [(255, 255, 255), (0, 0, 0), (200, 30, 40)]
    drawn = [colours[place % 3] for place in range(7 * 5)]
    size, palette, places = picture(smaller(7, 5, b"".join(bytes((*colour, 255)) for colour in drawn)))
    assert size == (7, 5)
    assert [palette[place] for place in places] == drawn


def test_of_many_colours_near_ones_are_put_together(smaller):
    drawn = [(red, green, 128) for red in range(64) for green in range(64)]
    _, palette, places = picture(smaller(64, 64, b"".join(bytes((*colour, 255)) for colour in drawn)))
    assert len(palette) <= 256
    for place, colour in zip(places, drawn, strict=True):
        assert max(abs(a - b) for a, b in zip(palette[place], colour, strict=True)) <= 4


def test_a_finished_run_gives_all_pictures(finished_run: Path, tmp_path: Path):
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        pytest.skip("no Chromium on this machine")
    pytest.importorskip("playwright")
    command = [sys.executable, str(SCRIPTS / "gallery.py"), str(finished_run), "--out", str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    for name, size in SIZES.items():
        if name == "print" and not shutil.which("pdftoppm"):
            continue
        found, palette, places = picture((tmp_path / f"{name}.png").read_bytes())
        assert all(abs(a - b) <= 1 for a, b in zip(found, size, strict=True)), "paper is measured in millimetres"
        assert len(set(places)) > 8, f"{name}.png shows nothing"
        brightness = sum(sum(palette[place]) for place in places) / (3 * len(places))
        assert (brightness < 100) == (name == "dark"), f"{name}.png is in the other theme"


def test_without_a_report_it_says_what_is_missing(tmp_path: Path):
    command = [sys.executable, str(SCRIPTS / "gallery.py"), str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "Traceback" not in done.stderr


def test_the_gallery_that_ships_is_whole_and_small():
    assert {path.name for path in GALLERY.iterdir()} == {f"{name}.png" for name in SIZES}
    assert sum(path.stat().st_size for path in GALLERY.iterdir()) < 1_500_000
    text = (GALLERY.parent / "README.md").read_text(encoding="utf-8")
    assert all(f"gallery/{name}.png" in text for name in SIZES)
