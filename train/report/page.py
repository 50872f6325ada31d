"""report.html: one self-contained page from the templates beside this file, which escape whatever they print."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from collections import Counter
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from train.records import GENERAL, Findings
from train.report import badges, charts, costs, drawing, figures, payload, provenance, tables, texts, view, wording
from train.report.choices import choices
from train.report.forgetting import forgetting
from train.report.matrix import causes_of, matrix
from train.report.summary import summary
from train.report.tree import tree

SECTIONS = ("decision", "overview", "forgetting", "questions", "grading", "training", "leakage", "costs", "provenance")
TEMPLATES = ("report.html.j2", "macros.html.j2", "figure.html.j2", *(f"sections/{name}.html.j2" for name in SECTIONS))
STYLES = ("style.css", "matrix.css", "charts.css", "print.css")
SCRIPTS = (
    "start", "store", "normal", "highlight", "diff", "answer", "cell", "rows", "search", "filter", "state", "keys",
    "download", "main",
)  # fmt: skip

MOST_ENTRIES = 2_000
"""Entries of the matrix that the page holds as markup, to be read without JavaScript; a larger one is made by it."""

_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")


def page(findings: Findings, *, redacted: bool = False) -> str:
    """The page. It may load nothing, and run nothing but its own script: its policy names that script's hash.

    So an answer that got past the escaping would still not run. `redacted`: the findings hold no texts any more; the
    page then says so, has nothing to open and no script.
    """
    decision = findings.comparison.get("decision") or {}
    planned, others = view.contrast_rows(findings)
    style, script = "".join(map(_part, STYLES)), _script()
    groups = matrix(findings)
    language = language_of(findings)
    columns = view.columns(findings)
    data = payload.embedded(findings, [] if redacted else groups)
    manifest = _manifest(findings)
    rows = [row for group in groups for row in group.rows]
    entries = len(columns) * len(rows)
    said = badges.badges(findings)
    return _environment().get_template("report.html.j2").render(
        redacted=redacted,
        drawings=drawings(findings),
        recipe=findings.comparison["recipe"],
        language=language,
        decision=decision,
        summary=summary(findings),
        badges=said,
        choices=choices(findings),
        reasons=badges.reasons(findings, said),
        planned=planned,
        others=others,
        alpha=f"{view.alpha_of(findings):g}",
        level=view.level(findings),
        tables=view.cell_tables(findings),
        further=tables.overview_tables(findings),
        forgetting=forgetting(findings),
        columns=columns,
        arms=list(Counter(arm for arm, _ in columns).items()),
        groups=groups,
        entries=entries,
        in_markup=redacted or entries <= MOST_ENTRIES,
        topics=list(dict.fromkeys(row.topic for row in rows)),
        causes=causes_of(groups),
        disputed=any(entry.disputed for row in rows for entry in row.entries),
        marks=wording.MARKS,
        disputed_mark=wording.DISPUTED,
        graders=tables.grader_table(findings),
        people=tables.people_sentence(findings),
        judge=tables.judge_sentence(findings),
        adapters=costs.adapter_rows(findings),
        together=costs.together(findings),
        costs=costs.cost_rows(findings),
        training_lines=costs.training_lines(findings),
        rate=costs.rate_line(findings),
        leakage=badges.leakage(findings)[0],
        audit=tree(findings.audit) if findings.audit else None,
        explained=wording.AUDIT_MEANING,
        provenance_meaning=wording.PROVENANCE_MEANING,
        rests_on=tree(decision["rests_on"]) if decision.get("rests_on") else None,
        made=provenance.made(findings),
        differences=provenance.arm_differences(findings),
        settings=json.dumps(findings.manifest.get("recipe"), ensure_ascii=False, indent=2, sort_keys=True),
        manifest=tree(manifest),
        # Ours, not the data's: the only texts that are not escaped. The JSON cannot end its element.
        style=Markup(style),
        script=Markup(script),
        head=Markup(texts.embedded_json(payload.head(findings, groups, language))),
        blocks=[Markup(block) for block in data.blocks],
        packed=data.packed,
        style_hash=_hash(style),
        script_hash=_hash(script),
    )  # fmt: skip


def drawings(findings: Findings) -> dict[str, dict[str, str]]:
    """The figures by name, as the template's macro `figure` takes them."""
    return {
        name: {"title": each.title, "caption": each.caption, "svg": Markup(drawing.svg(each))}
        for name, each in charts.drawn(findings).items()
    }


def _manifest(findings: Findings) -> dict[str, Any]:
    """What the manifest says that no section of the page shows: without the recipe, the audit, the planned contrasts
    and the curves."""
    rest = {key: value for key, value in findings.manifest.items() if key not in ("recipe", "audit")}
    if isinstance(plan := rest.get("comparison"), dict):
        rest["comparison"] = {key: value for key, value in plan.items() if key != "contrasts"}
    if isinstance(trained := rest.get("training"), (list, tuple)):
        shown = ("arm", "seed", "fingerprint", "digest", "configuration")
        rest["training"] = [{key: entry[key] for key in shown if key in entry} for entry in trained]
    return rest


def language_of(findings: Findings) -> str:
    """The language of the data as far as it matters to how they are set: `ko` where most questions hold Hangul."""
    texts = [question.text for question in findings.questions if question.split != GENERAL]
    hangul = sum(bool(_HANGUL.search(text)) for text in texts)
    return "ko" if 2 * hangul > len(texts) else ""


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=DictLoader({name: _part(name) for name in TEMPLATES}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )
    environment.filters["together"] = lambda text: text.replace(" %", "\u00a0%")
    environment.filters["coded"] = lambda text: Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))
    environment.globals["plural"] = figures.plural
    environment.globals["count"] = figures.count
    return environment


def _shown(value: object) -> object:
    """What a template prints: data's control characters as signs (its own texts pass as they are)."""
    return texts.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _script() -> str:
    """The parts of the script, in the order in which they may refer to one another, in a scope of their own."""
    parts = (_part(f"script/{name}.js") for name in SCRIPTS)
    return '"use strict";\n(() => {\n' + "".join(parts) + "})();\n"


@cache
def _part(name: str) -> str:
    return files("train.report").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """The name of an inline script or style in a Content-Security-Policy."""
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
