"""The table of bad input: what is changed in a good project, the command, and what its error must say."""

from .arms import ARMS
from .case import Case
from .commands import COMMANDS
from .compared import COMPARED
from .compared_logs import COMPARED_LOGS
from .documents import DOCUMENTS
from .judges import JUDGES
from .models import MODELS
from .questions import QUESTIONS
from .recipes import RECIPES

CASES = (*QUESTIONS, *DOCUMENTS, *RECIPES, *MODELS, *ARMS, *JUDGES, *COMMANDS, *COMPARED, *COMPARED_LOGS)

__all__ = ["CASES", "Case"]
