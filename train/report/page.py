"""report.html: one self-contained page from the templates beside this file, which escape whatever they print."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections import Counter
from functools import cache
from importlib.resources import files

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from train.records import Findings
from train.report import badges, charts, costs, drawing, figures, texts, view, wording
from train.report.matrix import matrix
from train.report.payload import payload
from train.report.tree import tree

TEMPLATES = ("report.html.j2", "macros.html.j2", "figure.html.j2")


def page(findings: Findings, *, redacted: bool = False) -> str:
    """The page. It may load nothing, and run nothing but its own script: its policy names that script's hash.

    So an answer that got past the escaping would still not run. `redacted`: the findings hold no texts any more (see
    `train.report.redacted`); the page then says so, has nothing to open and no script.
    """
    decision = findings.comparison.get("decision") or {}
    planned, others = view.contrast_rows(findings)
    style, script = _part("style.css") + _part("charts.css"), _part("script.js")
    manifest = {key: value for key, value in findings.manifest.items() if key != "recipe"}
    return _environment().get_template("report.html.j2").render(
        recipe=findings.comparison["recipe"],
        redacted=redacted,
        drawings=drawings(findings),
        comparison=findings.comparison,
        decision=decision,
        badges=badges.badges(findings),
        planned=planned,
        others=others,
        alpha=f"{view.alpha_of(findings):g}",
        level=view.level(findings),
        tables=view.cell_tables(findings),
        columns=view.columns(findings),
        arms=list(Counter(arm for arm, _ in view.columns(findings)).items()),
        groups=matrix(findings),
        marks=wording.MARKS,
        adapters=costs.adapter_rows(findings),
        curve_box=f"0 0 {costs.WIDTH:.0f} {costs.HEIGHT:.0f}",
        costs=costs.cost_rows(findings),
        training_lines=costs.training_lines(findings),
        rate=costs.rate_line(findings),
        audit=tree(findings.audit) if findings.audit else None,
        explained=wording.AUDIT_MEANING,
        rests_on=tree(decision["rests_on"]) if decision.get("rests_on") else None,
        settings=json.dumps(findings.manifest.get("recipe"), ensure_ascii=False, indent=2, sort_keys=True),
        manifest=tree(manifest),
        # Ours, not the data's: the only texts that are not escaped. The JSON cannot end its element.
        style=Markup(style),
        script=Markup(script),
        payload=Markup(texts.embedded_json(payload(findings))),
        style_hash=_hash(style),
        script_hash=_hash(script),
    )  # fmt: skip


def drawings(findings: Findings) -> dict[str, dict[str, str]]:
    """The figures by name, as the template's macro `figure` takes them."""
    return {
        name: {"title": each.title, "caption": each.caption, "svg": Markup(drawing.svg(each))}
        for name, each in charts.drawn(findings).items()
    }


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
    environment.globals["plural"] = figures.plural
    environment.globals["count"] = figures.count
    return environment


def _shown(value: object) -> object:
    """What a template prints: data's control characters as signs (its own texts pass as they are)."""
    return texts.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _part(name: str) -> str:
    return files("train.report").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """The name of an inline script or style in a Content-Security-Policy."""
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
