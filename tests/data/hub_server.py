"""A hub with one data set, in as many of its answers as a download needs. `python hub_server.py` prints its port."""

from __future__ import annotations

import hashlib
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlparse

NAME = "org/questions"
OLD, NEW = "0123456789abcdef0123456789abcdef01234567", "89abcdef0123456789abcdef0123456789abcdef"
REVISIONS = {"v1": OLD, OLD: OLD, "main": NEW, NEW: NEW}
SCRIPT = b"raise SystemExit('a script was run')\n"


def row(answer: str) -> bytes:
    return json.dumps({"id": "q1", "question": "Where?", "answer": answer}).encode() + b"\n"


FILES: dict[str, dict[str, bytes]] = {
    OLD: {"train.jsonl": row("There."), "README.md": b"# Questions\n", "questions.py": SCRIPT, "weights.bin": b"\0"},
    NEW: {"train.jsonl": row("Here."), "test.jsonl": row("Anywhere."), "README.md": b"# Questions\n"},
}


class Hub(BaseHTTPRequestHandler):
    """Answers as the hub's API and its file server do."""

    def log_message(self, *arguments: object) -> None: ...

    def do_GET(self) -> None:
        path = urlparse(self.path).path
        body: bytes | None = None
        headers: dict[str, str] = {}
        steps = path.removeprefix(f"/api/datasets/{NAME}").strip("/").split("/")
        if path.startswith(f"/api/datasets/{NAME}") and len(steps) >= 2:
            commit = REVISIONS.get(steps[1])
            if commit is None:
                headers = {"X-Error-Code": "RevisionNotFound"}
            elif steps[0] == "revision":
                siblings = [{"rfilename": name} for name in FILES[commit]]
                body = json.dumps({"id": NAME, "sha": commit, "private": False, "siblings": siblings}).encode()
            elif steps[0] == "tree":
                listed = [
                    {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                    for name, data in FILES[commit].items()
                ]
                body = json.dumps(listed).encode()
        elif path.startswith(f"/datasets/{NAME}/resolve/"):
            commit, _, name = path.removeprefix(f"/datasets/{NAME}/resolve/").partition("/")
            body = FILES[REVISIONS[commit]].get(name)
            headers = {"X-Repo-Commit": REVISIONS[commit]}
            headers |= {"ETag": f'"{hashlib.sha1(body).hexdigest()}"'} if body else {"X-Error-Code": "EntryNotFound"}
        else:
            headers = {"X-Error-Code": "RepoNotFound"}
        self.send_response(404 if body is None else 200)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body or b"")

    do_HEAD = do_GET


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    print(server.server_port, flush=True)
    server.serve_forever()
