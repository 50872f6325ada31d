"""The recipes that come with openbook: one module per model × data set."""

from pathlib import Path

DATA = Path(__file__).parent / "data"
"""The data sets that come with the recipes."""
