"""The labelling page over HTTP: for this machine only, and there only for whoever has the address with its token."""

from __future__ import annotations

import hmac
import json
import re
import secrets
import sys
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from train.errors import UserError
from train.labelling.desk import Desk

ADDRESS = "127.0.0.1"
HOST = re.compile(r"(?:127\.0\.0\.1|localhost)(?::[0-9]{1,5})?")
"""What a browser that means this machine asks for, also through a tunnel with a port of its own. Anything else is a
foreign name that was made to lead here."""

FILES = {
    "": ("page.html", "text/html"),
    "style.css": ("style.css", "text/css"),
    "script.js": ("script.js", "text/javascript"),
}
LARGEST = 100_000
"""Bytes of a request's body that are read."""

Response = tuple[HTTPStatus, bytes, str]
"""Status, body and kind of content."""
REFUSED: Response = (HTTPStatus.FORBIDDEN, b"open the address that openbook label printed\n", "text/plain")

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Site(ThreadingHTTPServer):
    """Serves one desk at `url`. Raises `UserError` where the port (0 for any) is not free."""

    daemon_threads = True  # a browser that holds a connection open must not keep the program from ending

    def __init__(self, desk: Desk, port: int) -> None:
        self.token = secrets.token_urlsafe(24)
        here = Path(__file__).parent
        self.files = {name: ((here / file).read_bytes(), kind) for name, (file, kind) in FILES.items()}
        self.actions: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "label": lambda given: desk.label(text(given, "id"), text(given, "verdict"), text(given, "comment")),
            "skip": lambda given: desk.skip(text(given, "id")),
            "undo": lambda given: desk.undo(),
        }
        self.state = desk.state
        try:
            super().__init__((ADDRESS, port), Handler)
        except OSError as error:
            mend = "give another, or leave --port out for any that is free"
            raise UserError(f"--port {port}: cannot be used ({error.strerror}); {mend}") from error

    @property
    def url(self) -> str:
        """The page's address, with the token that lets one in."""
        return f"http://{ADDRESS}:{self.server_address[1]}/{self.token}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up early is nothing to talk about; anything else is."""
        error = sys.exception()
        if not isinstance(error, (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Site
    timeout = 30  # seconds that a connection may be silent
    server_version, sys_version = "openbook", ""

    def do_GET(self) -> None:
        """The page's files, and the state."""
        self._send(*self._shown())

    def do_POST(self) -> None:
        """What the person does. The answer comes when it is on the disk."""
        self._send(*self._done())

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the token stands in every line."""

    def _shown(self) -> Response:
        name = self._name()
        if name is None:
            return REFUSED
        if name == "state":
            return as_json(HTTPStatus.OK, self.server.state())
        if name not in self.server.files:
            return HTTPStatus.NOT_FOUND, b"there is no such page\n", "text/plain"
        body, kind = self.server.files[name]
        return HTTPStatus.OK, body, kind

    def _done(self) -> Response:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b"too long, or of unknown length\n", "text/plain"
        body = self.rfile.read(int(length))  # before any refusal, which would not arrive if its question were not read
        name = self._name()
        # A form of another page could send text or form data, but JSON it may not without asking first.
        if name is None or self.headers.get_content_type() != "application/json":
            return REFUSED
        if name not in self.server.actions:
            return as_json(HTTPStatus.NOT_FOUND, {"error": "there is no such action"})
        try:
            given = json.loads(body)
            if not isinstance(given, dict):
                raise UserError("the request is no JSON object")
            return as_json(HTTPStatus.OK, self.server.actions[name](given))
        except (UserError, ValueError, RecursionError) as error:
            return as_json(HTTPStatus.BAD_REQUEST, {"error": str(error)})
        except OSError as error:
            return as_json(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": f"the disk says: {error.strerror or error}"})

    def _name(self) -> str | None:
        """What is asked for below the token; None where the request is not one of our page's."""
        hosts, origin = self.headers.get_all("Host", []), self.headers.get("Origin")
        if len(hosts) != 1 or not HOST.fullmatch(hosts[0]):
            return None
        if origin is not None and origin != f"http://{hosts[0]}":
            return None
        parts = self.path.partition("?")[0].split("/", 2)
        if len(parts) < 3 or not hmac.compare_digest(parts[1].encode(), self.server.token.encode()):
            return None
        return parts[2]

    def _send(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        for header, value in HEADERS.items():
            self.send_header(header, value)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def as_json(status: HTTPStatus, content: Mapping[str, Any]) -> Response:
    """A response that a script reads."""
    return status, json.dumps(content).encode(), "application/json"


def text(given: Mapping[str, Any], name: str) -> str:
    """The text of that name in a request; empty where there is none. Raises `UserError` for anything else."""
    value = given.get(name, "")
    if not isinstance(value, str):
        raise UserError(f"{name} {value!r}: is no text")
    return value
