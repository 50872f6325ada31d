"""The judges of a recipe: a model that grades answers, here or behind an endpoint, never the one under test."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field
from pydantic.dataclasses import dataclass

from train.errors import UserError
from train.fields import STRICT, Positive

Name = Annotated[str, Field(min_length=1)]
Price = Annotated[float, Field(ge=0)]
Scope = Literal["provisional", "all"]
"""Which answers are judged: those without a rubric's verdict, or all."""


@dataclass(frozen=True, config=STRICT)
class LocalJudge:
    """An instruct model on this machine. It is loaded when something is left to be judged."""

    model: Name
    """A hub id, a directory, a `.gguf` file, or `package:NAME/FILE`, as in `Base`."""
    revision: str | None = None
    """The hub revision; None takes the newest."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    scope: Scope = "provisional"
    """Ask about answers without a rubric's verdict only, or about `all`; a judge's word goes before a rubric's."""
    max_new_tokens: Positive = 16
    """One letter is asked for. A model that thinks aloud first needs more."""
    kind: Literal["local"] = "local"


@dataclass(frozen=True, config=STRICT)
class EndpointJudge:
    """A model behind an OpenAI-compatible endpoint. Questions, references and answers are sent there.

    The key is read from OPENAI_API_KEY and never written anywhere.
    """

    model: Name
    """The model's name at the endpoint."""
    base_url: str | None = None
    """Such as `http://localhost:8000/v1`; None takes OPENAI_BASE_URL, or else OpenAI's own."""
    scope: Scope = "provisional"
    """Ask about answers without a rubric's verdict only, or about `all`; a judge's word goes before a rubric's."""
    concurrency: Positive = 8
    """The most requests at once."""
    retries: Annotated[int, Field(ge=0)] = 5
    """How often a request is repeated, waiting longer each time, where the endpoint is busy or broken."""
    timeout: Annotated[float, Field(gt=0)] = 60.0
    """Seconds that one reply may take."""
    max_new_tokens: Positive = 16
    """One letter is asked for. A model that thinks aloud first needs more."""
    input_price: Price | None = None
    """What a million tokens sent cost, and a million tokens received; with both, the cost is on the report."""
    output_price: Price | None = None
    kind: Literal["endpoint"] = "endpoint"

    def __post_init__(self) -> None:
        if self.base_url is not None:
            check_address(self.base_url, "grading.judge.base_url")
        if (self.input_price is None) != (self.output_price is None):
            raise UserError("grading.judge: of input_price and output_price only one is given; give both or neither")


Judge = Annotated[LocalJudge | EndpointJudge, Field(discriminator="kind")]


def check_address(address: str, place: str) -> None:
    """Raises `UserError`, without repeating a secret, for what is not the plain http(s) address of an endpoint."""
    try:
        parts = urlsplit(address)
        secret, port = parts.username or parts.password or parts.query or parts.fragment, parts.port
    except ValueError:
        raise UserError(f"{place}: is no address; write it as https://HOST/v1") from None
    if secret:
        raise UserError(
            f"{place}: holds more than an address (a user, a password or a query), which would be written down; "
            "leave it out and set OPENAI_API_KEY"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or re.search(r"\s", address):
        raise UserError(f"{place} = {address!r}: is no address; write it as https://HOST/v1")


def slug(model: str) -> str:
    """The model's name as it stands in a grader's name: `org/Llama-3.1-8B` is `llama-3.1-8b`."""
    name = re.split(r"[/\\]", model.rstrip("/\\").removesuffix(".gguf"))[-1].casefold()
    return re.sub(r"[^a-z0-9._-]+", "-", name).strip("-.") or "model"


def check_not_under_test(judge: LocalJudge | EndpointJudge, base: str, arms: Iterable[str]) -> None:
    """Raises `UserError` where the judge's name is that of the base or of an arm, as far as names tell.

    A server of adapters offers an arm under the arm's name. A directory's name says little: a local judge is compared
    by its weights, when they are there.
    """
    same = _bare(judge.model) == _bare(base) if isinstance(judge, EndpointJudge) else judge.model == base
    if same or (isinstance(judge, EndpointJudge) and slug(judge.model) in arms):
        raise UserError(under_test(judge.model))


def under_test(model: str) -> str:
    """What is said of a judge that would judge itself."""
    return f"grading.judge.model = {model!r}: is the model under test, which may not judge itself; name another model"


def is_called_alike(model: str, arm: str) -> bool:
    """Whether an arm that was made elsewhere goes by the judge's name, as answers in other tools' logs do."""
    return bool(_bare(arm)) and _bare(model) == _bare(arm)


def _bare(model: str) -> str:
    """The name without its owner, punctuation, and what only says how it is packed: `-GGUF:Q4_K_M`, `-AWQ`."""
    name = slug(model)
    while name != (shorter := _PACKAGING.sub("", name)):
        name = shorter
    return re.sub(r"[^a-z0-9]+", "", name)


_PACKAGING = re.compile(
    r"[-_.:](?:gguf|awq|gptq|mlx|bnb|latest|i?q\d\w*|b?f(?:p)?(?:8|16|32)|w\d+a\d+|int[48]|\d-?bit)$"
)
