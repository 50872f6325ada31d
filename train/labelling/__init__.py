"""People label answers, blind: in the browser (`serve`), or in a spreadsheet (`write_sheet`, `read_sheet`).

Which answers, and how likely each was to be drawn, is in `plan.py`; labels go to the run's `labels.jsonl`, from where
grading has them.
"""

from train.labelling.session import serve
from train.labelling.sheet import read_sheet, write_sheet

__all__ = ["read_sheet", "serve", "write_sheet"]
