"""A server on the loopback that speaks the chat-completions protocol and says what a test wants it to say."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

OPEN, CLOSE = "⟦answer⟧\n", "\n⟦end of answer⟧"
TOKENS_IN, TOKENS_OUT = 100, 2


def answer_in(prompt: str) -> str:
    """The answer that a prompt asks to grade: what stands between the last opening and the last closing mark."""
    return prompt.rpartition(OPEN)[2].rpartition(CLOSE)[0]


@dataclass(frozen=True)
class Refusal:
    """An answer with an error's status."""

    status: int
    message: str = "no"
    code: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


BUSY = Refusal(429, "slow down", headers={"retry-after-ms": "1"})
BROKEN = Refusal(500, "oops", headers={"retry-after-ms": "1"})


@dataclass
class Server:
    """What was asked so far. `say` turns the prompt and the request's number into a reply, from 0 on."""

    url: str
    say: Callable[[str, int], Any]
    seconds: float = 0.0
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def prompts(self) -> list[str]:
        return [body["messages"][-1]["content"] for body in self.bodies]

    @property
    def answers(self) -> list[str]:
        return [answer_in(prompt) for prompt in self.prompts]

    def forget(self) -> None:
        """Begins to count anew."""
        self.bodies.clear()
        self.headers.clear()


class Handler(BaseHTTPRequestHandler):
    """Answers POST /v1/chat/completions."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        server: Server = self.server.book  # type: ignore[attr-defined]
        raw = self.rfile.read(int(self.headers["content-length"]))
        with server.lock:
            number = len(server.bodies)
            server.bodies.append(json.loads(raw))
            server.headers.append({name.casefold(): value for name, value in self.headers.items()})
            server.at_once += 1
            server.most_at_once = max(server.most_at_once, server.at_once)
        try:
            time.sleep(server.seconds)
            said = server.say(server.prompts[number], number)
        finally:
            with server.lock:
                server.at_once -= 1
        if self.path != "/v1/chat/completions":
            said = Refusal(404, "no such page")
        if isinstance(said, Refusal):
            error = {"error": {"message": said.message, "code": said.code, "type": "error", "param": None}}
            self.send(said.status, json.dumps(error), said.headers)
        elif isinstance(said, bytes):
            self.send(200, said.decode(), {"content-type": "text/html"})
        elif isinstance(said, dict):
            self.send(200, json.dumps(said), {})
        else:
            self.send(200, json.dumps(completion(said)), {})

    def send(self, status: int, text: str, headers: dict[str, str]) -> None:
        data = text.encode()
        try:
            self.send_response(status)
            for name, value in {"content-type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            pass  # whoever asked was killed, or lost patience

    def log_message(self, *_: Any) -> None:
        pass


def completion(text: str | None) -> dict[str, Any]:
    """A chat completion with that text."""
    message = {"role": "assistant", "content": text}
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "judge-2026-01-01",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": TOKENS_IN, "completion_tokens": TOKENS_OUT, "total_tokens": TOKENS_IN + TOKENS_OUT},
    }


class Quiet(ThreadingHTTPServer):
    """Says nothing of clients that leave in the middle."""

    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        pass


@contextmanager
def serving(say: Callable[[str, int], Any]) -> Iterator[Server]:
    """A server that runs while the context lasts."""
    http = Quiet(("127.0.0.1", 0), Handler)
    server = Server(f"http://127.0.0.1:{http.server_address[1]}/v1", say)
    http.book = server  # type: ignore[attr-defined]
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
