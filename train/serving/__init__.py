"""What becomes of a trained arm: talk to it, and the model card that its adapter carries.

`chat` answers a person's questions with an arm of a finished run; `typed` reads them from the keyboard; `merge` writes
an arm as a whole model; `card` is the README.md of an adapter directory.
"""

from train.serving.card import card
from train.serving.chat import chat, typed
from train.serving.merge import merge

__all__ = ["card", "chat", "merge", "typed"]
