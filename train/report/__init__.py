"""What a reviewer gets: findings in, the report's files out (one offline HTML page, Markdown, CSV).

`render` is a pure function: every figure comes from the findings, and the same findings give the same bytes.
"""

from train.report.render import render

__all__ = ["render"]
