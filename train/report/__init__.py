"""What a reviewer gets: findings in, the report's files out (one offline HTML page, Markdown, CSV).

`render` is a pure function: every figure comes from the findings, and the same findings give the same bytes.
`contrast_line` says a contrast on a terminal; `unpacked` is a page with its compressed parts laid open.
"""

from train.report.payload import unpacked
from train.report.render import render
from train.report.wording import contrast_line

__all__ = ["contrast_line", "render", "unpacked"]
