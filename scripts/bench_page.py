"""How fast and how large the report's page is:   python scripts/bench_page.py [--questions 1000] [--samples 16]

Makes up a run (eight cells, every answer different), renders its page and measures it in Chromium: the size, the time
to the first paint, until the matrix can be used, and of filters, sorts and searches until the next picture is there.
With `--report FILE` it measures a page that is there.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from train.comparison import causes_of, compare, decision_contrasts
from train.records import Answer, Context, Findings, Passage, Question, Verdict
from train.report import render

MOST = {"megabytes": 40.0, "first paint": 2.0, "slowest filter": 0.2}
"""What a run of 1,000 questions × 8 cells × 16 samples may take: decimal megabytes, seconds."""

ARMS = {"base": "untouched", "closed-book": "tuned", "open-book": "tuned", "mixed": "tuned"}
CONDITIONS = ("none", "gold")
SYLLABLES = ["ka", "lo", "mi", "ten", "dra", "vos", "유사", "도는", "모델", "학습", "값을", "문서", "shi", "ber", "qu"]

ACTIONS = [
    ("filter-show", "wrong"), ("filter-show", "different"), ("filter-split", "0"), ("filter-split", ""),
    ("filter-show", "all"), ("filter-text", "k"), ("filter-text", "ka"), ("filter-text", "유사도는"),
    ("filter-text", "nowhere"), ("filter-text", ""), ("sort", "worst"), ("sort", "difference"), ("sort", "order"),
]  # fmt: skip

TIMED = """async ([id, value]) => {
  const control = document.getElementById(id);
  const start = performance.now();
  control.value = value;
  control.dispatchEvent(new Event("input", { bubbles: true }));
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  return (performance.now() - start) / 1000;
}"""


def made(questions: int, samples: int, length: int = 40) -> Findings:
    """A run in which no two answers are alike; `length` words an answer."""
    draw = random.Random(0)
    words = ["".join(draw.choices(SYLLABLES, k=draw.randint(1, 3))) for _ in range(5_000)]

    def text(number: int) -> str:
        return " ".join(draw.choices(words, k=number))

    asked = [
        Question(
            f"q{place:05}", f"{text(10)}?", text(8), (words[place % 5_000],), split=("seen", "unseen")[place % 2],
            topic=f"topic {place % 12}",
        )
        for place in range(questions)
    ]  # fmt: skip
    contexts, answers, verdicts, prompts = [], [], {}, {}
    for question in asked:
        passage = Passage(f"p-{question.id}", text(120), "handbook.md")
        for condition in CONDITIONS:
            shown = (passage,) if condition == "gold" else ()
            contexts.append(
                Context(question.id, condition, shown, tuple(each.id for each in shown), "answer", question.facts)
            )
            prompts[question.id, condition] = "\n".join([*(each.text for each in shown), question.text])
            for arm in ARMS:
                for sample in range(samples):
                    answer = Answer(arm, 0, condition, question.id, sample, text(length), "", "stop", 200, 60, 0.5)
                    right = draw.random() < (0.8 if condition == "gold" else 0.3)
                    answers.append(answer)
                    verdicts[answer.id] = Verdict(
                        arm, 0, condition, question.id, sample, "rubric", "correct" if right else "wrong", "",
                        "states: " if right else "missing: ", question.facts if right else (),
                        () if right else question.facts,
                    )  # fmt: skip
    comparison = compare(
        recipe="made-up", questions=asked, contexts=contexts, answers=answers, verdicts=verdicts, kinds=ARMS,
        contrasts=decision_contrasts(ARMS, "gold", "unseen"), split="unseen", context="gold",
    )  # fmt: skip
    return Findings(
        comparison, asked, contexts, answers, list(verdicts.values()), verdicts, prompts, {}, [], {},
        causes_of(asked, contexts, answers, verdicts),
    )  # fmt: skip


def measured(path: Path, executable: str) -> dict[str, Any]:
    """Megabytes and seconds of the page in a browser without a network."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_context(offline=True).new_page()
        page.goto(path.as_uri(), wait_until="commit")
        page.wait_for_selector("html[data-ready]", state="attached", timeout=120_000)
        ready = page.evaluate("performance.now() / 1000")
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000")
        page.fill("#filter-text", "first words")  # reads the answers, once
        while page.evaluate("document.getElementById('filter-count').textContent.includes('reading')"):
            page.wait_for_timeout(50)
        page.fill("#filter-text", "")
        page.wait_for_timeout(500)
        filters = {f"{name} = {value!r}": page.evaluate(TIMED, [name, value]) for name, value in ACTIONS}
        heap = page.evaluate("performance.memory ? performance.memory.usedJSHeapSize / 1e6 : null")
        browser.close()
    return {
        "megabytes": path.stat().st_size / 1e6, "first paint": paint, "ready": ready,
        "slowest filter": max(filters.values()), "filters": filters, "heap megabytes": heap,
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=1_000)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--report", type=Path, metavar="FILE", help="measure this page instead")
    options = parser.parse_args()
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if executable is None:
        print("no Chromium or Chrome found; install one (Debian: apt-get install chromium)")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        path = options.report
        if path is None:
            findings = made(options.questions, options.samples)
            start = time.perf_counter()
            text = render(findings)["report.html"]
            print(f"rendered {len(findings.answers):,} answers in {time.perf_counter() - start:.1f} s")
            path = Path(folder) / "report.html"
            path.write_text(text, encoding="utf-8", newline="")
        figures = measured(path.resolve(), executable)
    filters = figures.pop("filters")
    for name, value in {**figures, **filters}.items():
        limit = f"   (at most {MOST[name]:g})" if name in MOST else ""
        print(f"{name:32} {value if value is None else round(value, 3)}{limit}")
    return int(any(figures[name] > limit for name, limit in MOST.items()))


if __name__ == "__main__":
    raise SystemExit(main())
