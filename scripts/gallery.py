"""Pictures of a run's report in a real browser:   python scripts/gallery.py runs/quickstart [--out recipes/gallery]

`light`: the first screen; `cell`: an opened cell with its answers, compared with another arm's; `dark`: the matrix in
the dark theme; `phone`: 390 px wide; `print`: the first printed page, where pdftoppm of poppler-utils is there. All are
taken by Playwright in the system's Chromium, without a network. The cell is where the first planned contrast is widest.
Pictures are kept small: at most 256 colours.
"""

from __future__ import annotations

import argparse
import base64
import json
import shutil
import struct
import subprocess
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

WIDE, PHONE = (1280, 960), (390, 844)
"""Viewports in pixels."""

PIXELS = """async (picture) => {
  const image = new Image();
  image.src = `data:image/png;base64,${picture}`;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
  canvas.drawImage(image, 0, 0);
  let text = "";
  const { data } = canvas.getImageData(0, 0, image.width, image.height);
  for (let at = 0; at < data.length; at += 32768) text += String.fromCharCode(...data.subarray(at, at + 32768));
  return { width: image.width, height: image.height, data: btoa(text) };
}"""
"""What Chromium decodes of a PNG: nothing else here can."""


def light(_page: Any, _run: Path) -> None:
    """The first screen."""


def dark(page: Any, _run: Path) -> None:
    """The matrix."""
    to_top(page, "#questions")


def phone(_page: Any, _run: Path) -> None:
    """The first screen of a phone."""


def cell(page: Any, run: Path) -> None:
    """The question on which the first planned contrast is widest: b's cell, its answers compared with one of a's."""
    comparison = json.loads((run / "comparison.json").read_text(encoding="utf-8"))
    contrast = next(each for each in comparison["contrasts"] if each["difference"] is not None)
    rights = [
        {
            entry["question"]: entry["right"]
            for each in comparison["cells"]
            if (each["arm"], each["condition"], each["split"]) == (*contrast[side].values(), contrast["split"])
            for entry in each["per_question"]
        }
        for side in ("a", "b")
    ]
    names = [f"{contrast[side]['arm']} / {contrast[side]['condition']}" for side in ("a", "b")]
    sign = 1 if contrast["difference"] >= 0 else -1
    question = max(rights[0], key=lambda each: sign * (rights[0][each] - rights[1].get(each, 0)))
    columns = page.locator("#sort-a option").all_text_contents()
    row = page.locator("tr[data-row]").filter(has=page.locator(f".id bdi:text-is({json.dumps(question)})")).first
    row.locator(f"button[data-cell='{columns.index(names[1])}']").click()
    panel = page.locator("tr.panel")
    panel.locator("h3").wait_for()
    group = panel.locator(f"optgroup[label='{names[0]}'] option").first
    panel.locator("select").select_option(str(group.get_attribute("value")))
    to_top(page, "details.group:has(tr.panel)")
    to_top(page, "tr:has(+ tr.panel)")


PICTURES: dict[str, tuple[tuple[int, int], str, Callable[[Any, Path], None]]] = {
    "light": (WIDE, "light", light),
    "cell": (WIDE, "light", cell),
    "dark": (WIDE, "dark", dark),
    "phone": (PHONE, "light", phone),
}


def printed(page: Any) -> bytes:
    """The first page on A4 as a PNG of 96 dots an inch."""
    with tempfile.TemporaryDirectory() as folder:
        paper = Path(folder) / "report.pdf"
        page.pdf(path=paper, format="A4", prefer_css_page_size=True)
        command = ["pdftoppm", "-png", "-r", "96", "-f", "1", "-singlefile", str(paper), str(paper.with_suffix(""))]
        subprocess.run(command, check=True)
        return paper.with_suffix(".png").read_bytes()


def to_top(page: Any, selector: str) -> None:
    """Scrolls until the element stands at the top."""
    page.locator(selector).first.evaluate("element => element.scrollIntoView({ block: 'start', behavior: 'instant' })")


def smaller(width: int, height: int, data: bytes) -> bytes:
    """The picture (RGBA) as a PNG of at most 256 colours: near ones are put together, each group under its mean."""
    import numpy as np

    colours = np.frombuffer(data, dtype=np.uint8).reshape(-1, 4)[:, :3].astype(np.int64)
    for bits in range(8, 2, -1):
        coarse = colours >> (8 - bits)
        codes = (coarse[:, 0] << 16) | (coarse[:, 1] << 8) | coarse[:, 2]
        found, places = np.unique(codes, return_inverse=True)
        if len(found) <= 256:
            break
    many = np.bincount(places)
    palette = np.stack([np.bincount(places, weights=colours[:, part]) / many for part in range(3)], axis=1)
    lines = np.zeros((height, width + 1), dtype=np.uint8)  # before each line the filter: none
    lines[:, 1:] = places.reshape(height, width)
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", palette.round().astype(np.uint8).tobytes()),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    ]
    chunks = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def keep(path: Path, picture: bytes, blank: Any) -> None:
    """Writes the PNG, made smaller; `blank` is a page that decodes it."""
    taken = blank.evaluate(PIXELS, base64.b64encode(picture).decode())
    path.write_bytes(smaller(taken["width"], taken["height"], base64.b64decode(taken["data"])))
    print(f"{path}: {taken['width']} × {taken['height']}, {path.stat().st_size / 1000:.0f} kB")


def main() -> int:
    """Takes the pictures and says how large each is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a finished run directory")
    parser.add_argument("--out", type=Path, default=Path("recipes/gallery"), metavar="DIR")
    options = parser.parse_args()
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    report = options.run.resolve() / "report.html"
    if executable is None or not report.is_file():
        missing = f"{report}: is not there; give a finished run directory"
        print(missing if executable else "no Chromium or Chrome found; install one (Debian: apt-get install chromium)")
        return 2
    from playwright.sync_api import sync_playwright

    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        blank = browser.new_page()
        for name, ((width, height), scheme, prepare) in PICTURES.items():
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme, offline=True, reduced_motion="reduce"
            )
            page = context.new_page()
            page.goto(report.as_uri())
            page.wait_for_selector("html[data-ready]", state="attached")
            if name == "light" and shutil.which("pdftoppm"):
                keep(options.out / "print.png", printed(page), blank)
            prepare(page, options.run)
            page.wait_for_timeout(300)
            keep(options.out / f"{name}.png", page.screenshot(), blank)
            context.close()
        browser.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
