"""`python -m train …` is `openbook …`."""

from train.cli import entry

entry()
