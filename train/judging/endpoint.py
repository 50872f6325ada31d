"""A judge behind an OpenAI-compatible endpoint: many requests at once, each repeated while the endpoint is busy.

The key comes from the environment and goes nowhere but into the requests.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from train.errors import RunFailed, UserError
from train.grading import Reply
from train.judges import EndpointJudge, check_address
from train.judging.bench import Bench, Handover, rules_of

OPENAI = "https://api.openai.com/v1"
ADDRESS, KEY = "OPENAI_BASE_URL", "OPENAI_API_KEY"

NO_KEY = "no-key"
"""What is sent in place of a key to servers that want none; the client insists on sending something."""
GIVE_UP = 3
"""After so many requests in a row that failed for good, although repeated, the endpoint is down."""
OF_ONE_CASE = ("content_filter", "content_policy_violation", "context_length_exceeded", "string_above_max_length")
"""Codes of refusals that concern this one case and no other."""


def bench(judge: EndpointJudge) -> Bench:
    """The judge; nothing is sent before it is asked."""
    address = address_of(judge)
    host = host_of(address)
    leave = "leave this machine for" if leaves_machine(address) else "are sent to"
    return Bench(
        rules=rules_of(judge, host, f"{address} {judge.model}"),
        sentence=f"judge: {judge.model} at {host}; questions, references and answers {leave} {host}",
        ask=lambda prompts, handover: ask(judge, prompts, handover),
        check=lambda: check(judge),
    )


def check(judge: EndpointJudge) -> None:
    """Raises `UserError` where the judge could not be asked; nothing is sent."""
    connect(judge).client.close()


def address_of(judge: EndpointJudge) -> str:
    """Where the judge is: the recipe's address, the environment's, or OpenAI's."""
    if judge.base_url is not None:
        return judge.base_url.rstrip("/")
    address = os.environ.get(ADDRESS, "").strip().rstrip("/")
    if address:
        check_address(address, ADDRESS)
    return address or OPENAI


def host_of(address: str) -> str:
    """The host, with its port where one is named."""
    return urlsplit(address).netloc


def leaves_machine(address: str) -> bool:
    """Whether the address is another machine's."""
    host = urlsplit(address).hostname or ""
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


@dataclass(frozen=True, slots=True)
class Line:
    """A client that is ready for requests, and what messages need to know of it."""

    judge: EndpointJudge
    address: str
    key: str = field(repr=False)
    library: Any = field(repr=False)
    client: Any = field(repr=False)


def connect(judge: EndpointJudge) -> Line:
    """The way to the judge; nothing is sent yet.

    Raises:
        UserError: the client is not installed, or there is no key, or one that cannot be sent.
    """
    try:
        import openai
    except ImportError:
        raise UserError(
            "grading.judge: to ask an endpoint, openbook needs the package openai; pip install 'openbook[judge]'"
        ) from None
    address = address_of(judge)
    key = os.environ.get(KEY, "").strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise UserError(f"{KEY}: holds characters that no key has; copy it again")
    if not key and host_of(address) == host_of(OPENAI):
        raise UserError(
            f"grading.judge: {KEY} is not set; set it, or name another server in grading.judge.base_url or {ADDRESS}"
        )
    client = openai.OpenAI(api_key=key or NO_KEY, base_url=address, timeout=judge.timeout, max_retries=judge.retries)
    return Line(judge, address, key, openai, client)


def ask(judge: EndpointJudge, prompts: Mapping[str, str], handover: Handover) -> None:
    """Asks every prompt and hands the replies over as they come, from this thread.

    Args:
        judge: whom to ask, and how.
        prompts: what to ask, by the key under which the reply is handed over.
        handover: called with replies again and again; what it stored survives whatever comes after.

    Raises:
        UserError: the endpoint refuses what it would always refuse: the key, the model, the form of the request.
        RunFailed: some requests failed although they were repeated; all other replies were handed over.
    """
    line = connect(judge)
    waiting: queue.Queue[tuple[str, str]] = queue.Queue()
    done: queue.Queue[Reply | UserError | str] = queue.Queue()
    stop = threading.Event()
    for item in prompts.items():
        waiting.put(item)

    def work() -> None:
        while not stop.is_set():
            try:
                key, prompt = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done.put(ask_one(line, key, prompt))
            except Exception as error:  # a thread that died silently would be waited for for ever
                done.put(f"{type(error).__name__}: {clean(line, str(error))}")

    # Daemons: whoever interrupts the program does not wait for replies that are still out.
    for _ in range(min(judge.concurrency, len(prompts))):
        threading.Thread(target=work, daemon=True).start()
    failed, in_a_row, last, left = 0, 0, "", len(prompts)
    try:
        while left and in_a_row < GIVE_UP:
            arrived = [done.get()]
            while not done.empty():
                arrived.append(done.get())
            left -= len(arrived)
            if replies := [each for each in arrived if isinstance(each, Reply)]:
                handover(replies)
            for each in arrived:
                if isinstance(each, UserError):
                    raise each
                if isinstance(each, str):
                    failed, in_a_row, last = failed + 1, in_a_row + 1, each
                else:
                    in_a_row = 0
    finally:
        stop.set()
    if failed:
        raise RunFailed(
            f"the judge at {host_of(line.address)} could not be asked about {failed + left} of {len(prompts)} cases "
            f"({last}); its other replies are kept: give the same command again later"
        )


def ask_one(line: Line, key: str, prompt: str) -> Reply | UserError | str:
    """The reply; an error that every other request would meet, too; or, as a text, why this one had no luck."""
    judge, openai, began = line.judge, line.library, time.perf_counter()
    try:
        response = line.client.chat.completions.create(
            model=judge.model,
            messages=[{"role": "user", "content": prompt}],
            temperature=0,
            max_tokens=judge.max_new_tokens,
        )
    except openai.APITimeoutError:
        return f"no reply within {judge.timeout:g} s"
    except openai.APIConnectionError as error:
        return f"no connection: {clean(line, str(error.__cause__ or error))}"
    except openai.APIStatusError as error:
        return refusal(line, key, error)
    except ValueError as error:  # JSON that is none
        return f"what came is no JSON: {clean(line, str(error))}"
    seconds = time.perf_counter() - began
    if not hasattr(response, "choices"):
        return UserError(
            f"grading.judge: {line.address} does not speak the chat-completions protocol; it often ends in /v1"
        )
    if not response.choices:
        return f"a reply without a choice: {clean(line, str(getattr(response, 'error', '')))}"
    message = response.choices[0].message
    said = getattr(message, "content", None) or getattr(message, "refusal", None) or ""
    sent = int(getattr(response.usage, "prompt_tokens", 0) or 0)
    received = int(getattr(response.usage, "completion_tokens", 0) or 0)
    return Reply(
        key=key,
        text=hide(line, str(said)),
        prompt_tokens=sent,
        tokens=received,
        seconds=seconds,
        cost=cost_of(judge, sent, received),
        model=clean(line, str(response.model or "")),
    )


def refusal(line: Line, key: str, error: Any) -> Reply | UserError | str:
    """What an answer with an error's status means."""
    status, code = error.status_code, str(getattr(error, "code", "") or "")
    body = error.body if isinstance(error.body, dict) else {}
    said = f"{status}: {clean(line, str(body.get('message') or error.message))}"
    host, model = host_of(line.address), line.judge.model
    if code in OF_ONE_CASE and status in (400, 413, 422):
        return Reply(key, "", problem=f"the endpoint refused to judge it ({said})")
    if code == "insufficient_quota":
        return UserError(f"grading.judge: the quota at {host} is used up ({said}); raise it and give the command again")
    if status in (408, 409, 429) or status >= 500:
        return said
    if status == 401:
        mend = f"set the right one in {KEY}" if line.key else f"it wants a key; set it in {KEY}"
        return UserError(f"grading.judge: {host} refuses the key ({said}); {mend}")
    if status == 403:
        return UserError(
            f"grading.judge: {host} does not let this key use {model!r} ({said}); use another key or model"
        )
    if status == 404:
        return UserError(
            f"grading.judge.model = {model!r}: {line.address} knows no such model, or is not the right address ({said})"
        )
    return UserError(
        f"grading.judge: {host} refuses the request ({said}); use a model that takes temperature 0 and max_tokens"
    )


def cost_of(judge: EndpointJudge, sent: int, received: int) -> float | None:
    """What so many tokens cost, in the currency of the recipe's prices; None without prices."""
    if judge.input_price is None or judge.output_price is None:
        return None
    return round((sent * judge.input_price + received * judge.output_price) / 1e6, 9)


def hide(line: Line, text: str) -> str:
    """The text without the key, which a server may have repeated."""
    return text.replace(line.key, "…") if line.key else text


def clean(line: Line, text: str) -> str:
    """The first line of what a server said, short and without the key."""
    return next(iter(hide(line, text).strip().splitlines()), "")[:200]
