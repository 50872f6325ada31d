"""Data that somebody may come with, in English and Korean, complete and not, and what they make of them."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.conftest import tiny_rows, write_corpus
from train.loading import load_recipe
from train.recipe import Recipe
from train.scaffold import write_recipe

ROOT = Path(__file__).parents[2]
Rows = list[dict[str, Any]]

PIERS = ["가람", "나래", "다온", "라온", "마루", "바다", "사랑", "아라", "자람", "차오", "카이", "타래"]


def korean_rows() -> Rows:
    """A fact and a passage for each of twelve piers."""
    return [
        {
            "id": f"q{n}", "question": f"{pier} 부두 요금은 얼마입니까?", "answer": f"{n + 2}천 원입니다.",
            "facts": [[f"{n + 2}천 원", f"{n + 2}000원"]], "evidence": [f"요금.md#{pier}"],
        }
        for n, pier in enumerate(PIERS)
    ]  # fmt: skip


def write_korean_corpus(folder: Path) -> None:
    folder.mkdir(parents=True)
    sections = [f"## {pier}\n\n요금 {n + 2}천 원\n" for n, pier in enumerate(PIERS)]
    (folder / "요금.md").write_text("# 요금\n\n" + "\n".join(sections), encoding="utf-8")


def without(rows: Rows, *columns: str) -> Rows:
    return [{column: cell for column, cell in row.items() if column not in columns} for row in rows]


def attached(rows: Rows, text: Callable[[dict[str, Any]], str]) -> Rows:
    """The rows with their passage attached by hand instead of named."""
    return without([row | {"context": text(row) if "evidence" in row else ""} for row in rows], "evidence")


def as_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    rows = list(rows)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    for row in rows:
        cells = [row.get(column, "") for column in columns]
        writer.writerow([json.dumps(cell, ensure_ascii=False) if isinstance(cell, list) else cell for cell in cells])
    return out.getvalue()


def write_questions(path: Path, rows: Rows) -> Path:
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(as_csv(rows) if path.suffix == ".csv" else lines, encoding="utf-8")
    return path


def english_passage(row: dict[str, Any]) -> str:
    return f"About {row['id'].removesuffix('-seen')}: {row['answer']}"


DATA: dict[str, tuple[Rows, Callable[[Path], None] | None]] = {
    "english": (tiny_rows(), write_corpus),
    "english, no split": (without(tiny_rows()[:-1], "split"), write_corpus),
    "english, attached": (attached(tiny_rows(), english_passage), None),
    "english, bare": (without(tiny_rows(), "evidence"), None),
    "english, only documents": (without(tiny_rows(), "evidence"), write_corpus),
    "korean": (korean_rows(), write_korean_corpus),
    "korean, attached": (attached(korean_rows(), lambda row: f"요금 안내: {row['answer']}"), None),
}


def given(folder: Path, data: str, suffix: str = ".jsonl") -> tuple[Path, Path | None]:
    """That data on the disk: the questions file and the documents."""
    rows, write = DATA[data]
    if write:
        write(folder / "docs")
    return write_questions(folder / f"ferry{suffix}", rows), folder / "docs" if write else None


def init(folder: Path, data: str, suffix: str = ".jsonl", model: str = "org/model", **options: Any) -> Recipe:
    path, _ = write_recipe(*given(folder, data, suffix), model, **options)
    return load_recipe(str(path))


def names(recipe: Recipe) -> list[str]:
    return [condition.name for condition in recipe.conditions]


def assert_clean(path: Path) -> None:
    """Neither the linter nor the formatter of this project would change the file."""
    for command in (["check"], ["format", "--check", "--diff"]):
        line = [
            sys.executable,
            "-m",
            "ruff",
            *command,
            "--no-cache",
            "--config",
            str(ROOT / "pyproject.toml"),
            str(path),
        ]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
