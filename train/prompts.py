"""The one place that turns a question and its context into chat messages and tokens, for training and asking alike.

A training row is the prompt's tokens followed by the completion's tokens, tokenized apart. So the prompt trained on is,
token for token, the prompt asked with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from train.errors import UserError
from train.recipe import PromptTemplate
from train.records import Passage

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Messages = list[dict[str, str]]
Tokens = tuple[int, ...]

PROBE = "openbook probe"
"""A harmless text by which a template's way with a message is found out."""


def fill(template: str, **values: str) -> str:
    """The template with each `{name}` that has a value replaced, in one pass: braces in the values stay."""
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), template)


def messages(template: PromptTemplate, question: str, passages: Sequence[Passage]) -> Messages:
    """The chat messages that ask `question` (a text, maybe a paraphrase) with these passages."""
    if passages:
        shown = "\n\n".join(
            fill(template.passage, number=str(number), text=passage.text, id=passage.id, source=passage.source)
            for number, passage in enumerate(passages, start=1)
        )
        content = fill(template.with_context, context=shown, question=question)
    else:
        content = fill(template.without_context, question=question)
    system = [{"role": "system", "content": template.system}] if template.system else []
    return [*system, {"role": "user", "content": content}]


@dataclass(frozen=True, slots=True)
class ChatFormat:
    """A tokenizer's chat format: how prompts are rendered and where a turn ends.

    `turn_end` is the token that closes the assistant's turn; `stop` holds it and every other token on which
    generation stops.
    """

    tokenizer: PreTrainedTokenizerBase
    turn_end: int
    stop: frozenset[int]

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerBase, generation_stop: Sequence[int] = ()) -> ChatFormat:
        """The format that the tokenizer's template has.

        `generation_stop` is the model's own list of stop tokens. Raises `UserError` where the template does not close
        the assistant's turn with a special token: such a model could never be taught to stop.
        """
        ask = [{"role": "user", "content": PROBE}]
        done = [*ask, {"role": "assistant", "content": PROBE}]
        tail = render(tokenizer, done, generation=False)[len(render(tokenizer, ask)) :].split(PROBE, 1)[-1]
        tokens = encode(tokenizer, tail)
        special = set(tokenizer.all_special_ids) | set(tokenizer.added_tokens_decoder)
        if not tokens or tokens[0] not in special:
            raise UserError(f"the chat template ends the assistant's turn with {tail!r}, which is no special token")
        stop = {tokens[0], tokenizer.eos_token_id, *generation_stop} - {None}
        return cls(tokenizer, tokens[0], frozenset(stop))

    def check_system(self, template: PromptTemplate) -> None:
        """Raises `UserError` where the template refuses or silently drops a system message that the recipe has."""
        if not template.system:
            return
        ask = [{"role": "system", "content": template.system.strip()}, {"role": "user", "content": PROBE}]
        try:
            kept = template.system.strip() in render(self.tokenizer, ask)
        except Exception as error:  # templates raise whatever they like
            raise UserError(f"prompt.system: the chat template refuses it ({error}); set prompt.system=") from error
        if not kept:
            raise UserError("prompt.system: the chat template drops system messages; set prompt.system=")

    def prompt(self, template: PromptTemplate, question: str, passages: Sequence[Passage]) -> tuple[str, Tokens]:
        """The rendered prompt that asks the question, and its tokens."""
        text = render(self.tokenizer, messages(template, question, passages))
        return text, tuple(encode(self.tokenizer, text))

    def completion(self, template: PromptTemplate, question: str, passages: Sequence[Passage], answer: str) -> Tokens:
        """The tokens that the model is to learn to say after the prompt: the answer and the end of the turn.

        Blanks around the answer are not learnt. Raises `UserError` where the template renders a finished conversation
        otherwise than the prompt promised.
        """
        answer = answer.strip()
        asked = messages(template, question, passages)
        prompt = render(self.tokenizer, asked)
        whole = render(self.tokenizer, [*asked, {"role": "assistant", "content": answer}], generation=False)
        if not whole.startswith(prompt):
            raise UserError("the chat template changes the prompt once it is answered; it cannot be trained on")
        said = whole[len(prompt) :]
        begins = said.find(answer)
        if begins < 0:
            raise UserError(f"the chat template changes the answer {answer!r}; it cannot be trained on")
        # The turn ends after the answer, which may itself name the token that ends it.
        after = len(encode(self.tokenizer, said[: begins + len(answer)]))
        tokens = encode(self.tokenizer, said)
        return tuple(tokens[: tokens.index(self.turn_end, after) + 1])


def render(tokenizer: PreTrainedTokenizerBase, conversation: Messages, *, generation: bool = True) -> str:
    """The conversation as the model's own chat template writes it."""
    text: Any = tokenizer.apply_chat_template(conversation, tokenize=False, add_generation_prompt=generation)
    assert isinstance(text, str)
    return text


def encode(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Token ids of rendered text; the template has written the special tokens already, none is added."""
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids
