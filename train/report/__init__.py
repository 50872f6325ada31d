"""What a reviewer gets: findings in, the report's files out (one offline HTML page, Markdown, CSV, figures as SVG).

`render` is a pure function: every figure comes from the findings, and the same findings give the same bytes;
`render_redacted` does it without any text of the data. `contrast_line` says a contrast on a terminal; `unpacked` is a
page with its compressed parts laid open.
"""

from train.report.charts import FIGURE_FILES
from train.report.payload import unpacked
from train.report.render import REDACTED_FILES, render, render_redacted
from train.report.wording import contrast_line

__all__ = ["FIGURE_FILES", "REDACTED_FILES", "contrast_line", "render", "render_redacted", "unpacked"]
