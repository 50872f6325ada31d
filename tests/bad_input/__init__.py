"""The table of bad input: what is changed in a good project, the command, and what its error must say."""

from .case import Case
from .commands import COMMANDS
from .documents import DOCUMENTS
from .models import MODELS
from .questions import QUESTIONS
from .recipes import RECIPES

CASES = (*QUESTIONS, *DOCUMENTS, *RECIPES, *MODELS, *COMMANDS)

__all__ = ["CASES", "Case"]
