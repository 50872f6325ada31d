"""A judge behind an endpoint, asked over real HTTP: letters, garbage, busy and broken servers, and the key."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.judging.server import BROKEN, BUSY, TOKENS_IN, TOKENS_OUT, Refusal, Server, completion, serving
from train.errors import RunFailed, UserError
from train.grading import Reply
from train.judges import EndpointJudge
from train.judging import endpoint

pytest.importorskip("openai")

SECRET = "sk-test-0123456789abcdef"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key, and no proxy or address from outside."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)


def ask(server: Server, count: int = 1, **changes: Any) -> dict[str, Reply]:
    """The replies to so many prompts."""
    replies: dict[str, Reply] = {}
    judge = replace(EndpointJudge("judge-x", base_url=server.url, retries=2), **changes)
    endpoint.ask(judge, prompts(count), lambda given: replies.update({reply.key: reply for reply in given}))
    return replies


def prompts(count: int) -> dict[str, str]:
    return {f"key-{number}": f"prompt {number}." for number in range(count)}


def test_every_prompt_gets_its_own_reply_and_what_it_took() -> None:
    with serving(lambda prompt, number: f"A to {prompt}") as server:
        replies = ask(server, 30)
    assert {key: reply.text for key, reply in replies.items()} == {
        key: f"A to {prompt}" for key, prompt in prompts(30).items()
    }
    for reply in replies.values():
        assert (reply.prompt_tokens, reply.tokens, reply.cost) == (TOKENS_IN, TOKENS_OUT, None)
        assert (reply.model, reply.problem) == ("judge-2026-01-01", "")
        assert 0 < reply.seconds < 10


def test_a_request_is_one_message_at_temperature_0_with_the_key_in_its_header() -> None:
    with serving(lambda prompt, number: "A") as server:
        ask(server, max_new_tokens=9)
    assert server.bodies == [
        {
            "model": "judge-x",
            "messages": [{"role": "user", "content": "prompt 0."}],
            "temperature": 0,
            "max_tokens": 9,
        }
    ]
    assert server.headers[0]["authorization"] == f"Bearer {SECRET}"


def test_the_cost_follows_from_tokens_and_prices() -> None:
    with serving(lambda prompt, number: "A") as server:
        (reply,) = ask(server, input_price=0.15, output_price=0.6).values()
    assert reply.cost == pytest.approx((TOKENS_IN * 0.15 + TOKENS_OUT * 0.6) / 1e6)


@pytest.mark.parametrize("concurrency", [1, 3])
def test_never_more_requests_are_out_than_the_recipe_allows(concurrency: int) -> None:
    with serving(lambda prompt, number: "A") as server:
        server.seconds = 0.03
        assert len(ask(server, 12, concurrency=concurrency)) == 12
    assert server.most_at_once == concurrency


@pytest.mark.parametrize("trouble", [BUSY, BROKEN, Refusal(503, headers={"retry-after-ms": "1"})])
def test_a_busy_or_broken_endpoint_is_asked_again(trouble: Refusal) -> None:
    seen: set[str] = set()

    def say(prompt: str, number: int) -> Any:
        if prompt not in seen:
            seen.add(prompt)
            return trouble
        return "A"

    with serving(say) as server:
        assert {reply.text for reply in ask(server, 5).values()} == {"A"}
    assert len(server.bodies) == 10


def test_when_the_retries_are_used_up_the_run_fails_and_the_other_replies_are_kept() -> None:
    with serving(lambda prompt, number: BROKEN if prompt == "prompt 1." else "A") as server:
        replies: dict[str, Reply] = {}
        with pytest.raises(RunFailed, match=r"could not be asked about 1 of 6 cases \(500: oops\); its other replies"):
            endpoint.ask(
                EndpointJudge("judge-x", base_url=server.url, retries=2, concurrency=2),
                prompts(6),
                lambda given: replies.update({reply.key: reply for reply in given}),
            )
    assert sorted(replies) == [key for key in prompts(6) if key != "key-1"]
    assert server.prompts.count("prompt 1.") == 3


def test_an_endpoint_that_is_down_is_given_up_soon() -> None:
    with serving(lambda prompt, number: BROKEN) as server, pytest.raises(RunFailed, match="about 50 of 50 cases"):
        ask(server, 50, retries=0, concurrency=2)
    assert len(server.bodies) < 10


def test_a_reply_that_takes_too_long_is_not_waited_for() -> None:
    with serving(lambda prompt, number: "A") as server:
        server.seconds = 3.0
        began = time.monotonic()
        with pytest.raises(RunFailed, match=r"no reply within 0\.2 s"):
            ask(server, timeout=0.2, retries=0)
        assert time.monotonic() - began < 2.5


def test_a_server_that_is_not_there_is_named() -> None:
    with serving(lambda prompt, number: "A") as server:
        pass
    host = server.url.split("/")[2]
    with pytest.raises(RunFailed, match=rf"the judge at {host} could not be asked .*no connection"):
        ask(server, retries=0)


@pytest.mark.parametrize(
    ("refusal", "message"),
    [
        (
            Refusal(401, "Incorrect API key"),
            r"refuses the key \(401: Incorrect API key\); set the right one in OPENAI_AP",
        ),
        (Refusal(403, "not yours"), r"does not let this key use 'judge-x' \(403: not yours\)"),
        (Refusal(404, "no model"), r"^grading\.judge\.model = 'judge-x': http://127.* knows no such model"),
        (
            Refusal(400, "temperature?"),
            r"refuses the request \(400: temperature\?\); use a model that takes temperatur",
        ),
        (Refusal(429, "pay", "insufficient_quota", {"retry-after-ms": "1"}), r"the quota at 127.* is used up"),
        (b"<html>hello</html>", r"does not speak the chat-completions protocol; it often ends in /v1"),
    ],
)
def test_what_would_be_refused_always_is_one_clear_error(refusal: Any, message: str) -> None:
    kept: list[Reply] = []

    def say(prompt: str, number: int) -> Any:
        return "A" if number < 4 else refusal

    with serving(say) as server, pytest.raises(UserError, match=message):
        judge = EndpointJudge("judge-x", base_url=server.url, retries=1, concurrency=1)
        endpoint.ask(judge, prompts(40), kept.extend)
    assert len(kept) == 4
    assert len(server.bodies) < 10


@pytest.mark.parametrize("code", ["content_filter", "context_length_exceeded"])
def test_a_refusal_of_one_case_is_that_cases_and_the_others_go_on(code: str) -> None:
    with serving(lambda prompt, number: Refusal(400, "not this", code) if prompt == "prompt 2." else "A") as server:
        replies = ask(server, 5)
    assert replies["key-2"].problem == "the endpoint refused to judge it (400: not this)"
    assert [reply.text for key, reply in sorted(replies.items()) if key != "key-2"] == ["A"] * 4


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (completion(None), ""),
        (completion(""), ""),
        ({**completion("A"), "usage": None, "model": None}, "A"),
        ({"choices": [{"message": {"role": "assistant", "content": None, "refusal": "I will not"}}]}, "I will not"),
        (completion("A \ud800"), "A \ud800"),
    ],
)
def test_an_odd_completion_is_a_reply_all_the_same(said: Any, text: str) -> None:
    with serving(lambda prompt, number: said) as server:
        assert ask(server)["key-0"].text == text


@pytest.mark.parametrize("said", [{"choices": []}, {"error": {"message": "later"}}, {}])
def test_a_completion_without_a_choice_is_bad_luck(said: Any) -> None:
    with serving(lambda prompt, number: said) as server, pytest.raises(RunFailed, match="a reply without a choice"):
        ask(server)


def test_the_address_is_the_recipes_or_the_environments_or_openais(monkeypatch: pytest.MonkeyPatch) -> None:
    named, unnamed = EndpointJudge("m", base_url="http://one:1/v1/"), EndpointJudge("m")
    assert endpoint.address_of(unnamed) == "https://api.openai.com/v1"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://two:2/v1")
    assert [endpoint.address_of(each) for each in (named, unnamed)] == ["http://one:1/v1", "http://two:2/v1"]
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://me:{SECRET}@two:2/v1")
    with pytest.raises(UserError, match="OPENAI_BASE_URL: holds more than an address") as refused:
        endpoint.address_of(unnamed)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "leaves"),
    [
        ("https://api.openai.com/v1", True), ("http://10.0.0.3:8000/v1", True), ("http://localhost:8000/v1", False),
        ("http://127.0.0.1:1/v1", False), ("http://[::1]:1/v1", False),
        ("http://127.evil.example/v1", True),
    ],
)  # fmt: skip
def test_only_the_loopback_is_this_machine(address: str, leaves: bool) -> None:
    assert endpoint.leaves_machine(address) == leaves


def test_without_a_key_openai_is_not_asked_and_a_server_of_ones_own_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "  ")
    with pytest.raises(UserError, match=r"OPENAI_API_KEY is not set; set it, or name another server"):
        endpoint.connect(EndpointJudge("gpt-4o-mini"))
    with serving(lambda prompt, number: "A") as server:
        assert ask(server)["key-0"].text == "A"
    with (
        serving(lambda prompt, number: Refusal(401, "who are you?")) as server,
        pytest.raises(UserError, match="it wants a key; set it in OPENAI_API_KEY"),
    ):
        ask(server)


@pytest.mark.parametrize("key", [f"{SECRET}\nX: y", f"{SECRET}é", f"{SECRET} {SECRET}"])
def test_a_key_that_cannot_be_sent_is_refused_and_not_repeated(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(UserError, match="OPENAI_API_KEY: holds characters that no key has; copy it again") as refused:
        endpoint.connect(EndpointJudge("m"))
    assert SECRET not in str(refused.value)


SAYING: list[Callable[[str, int], Any]] = [
    lambda prompt, number: f"A, and your key is {SECRET}",
    lambda prompt, number: Refusal(401, f"Incorrect API key provided: {SECRET}"),
    lambda prompt, number: Refusal(400, f"{SECRET}?"),
    lambda prompt, number: Refusal(500, SECRET, headers={"retry-after-ms": "1"}),
    lambda prompt, number: {"error": {"message": SECRET}},
    lambda prompt, number: {**completion("A"), "model": SECRET},
]


@pytest.mark.parametrize("say", SAYING)
def test_a_server_that_repeats_the_key_cannot_get_it_written_down(say: Callable[[str, int], Any]) -> None:
    with serving(say) as server:
        try:
            said = repr(ask(server))
        except (UserError, RunFailed) as error:
            said = str(error)
    assert SECRET not in said
    assert SECRET not in repr(endpoint.connect(EndpointJudge("m", base_url=server.url)))


def test_without_the_package_the_mend_is_named() -> None:
    code = (
        "import sys; sys.modules['openai'] = None\n"
        "from train.judging import endpoint\nfrom train.judges import EndpointJudge\n"
        "try: endpoint.connect(EndpointJudge('m'))\nexcept Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("UserError grading.judge: ")
    assert "pip install 'openbook[judge]'" in done.stdout


def test_neither_the_package_nor_torch_is_imported_for_what_asks_nobody() -> None:
    code = (
        "import sys, train.assess, train.verify, train.judging.endpoint\n"
        "print([name for name in ('openai', 'torch') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
