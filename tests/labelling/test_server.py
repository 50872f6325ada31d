"""The server: for this machine, for whoever has the token, and for nobody else's page."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path

import pytest

from train.findings import load_findings
from train.labelling.items import items
from train.store import Run

from .conftest import Server, labels_in, serving


@pytest.fixture(scope="module")
def server(graded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all that store nothing."""
    import shutil

    directory = Path(shutil.copytree(graded, tmp_path_factory.mktemp("served") / "run"))
    with serving(directory) as up:
        yield up
        assert labels_in(directory) == []


def raw(server: Server, request: str) -> bytes:
    """What comes back for a request that no client library would send."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(request.replace("\n", "\r\n").encode())
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def test_the_page_and_its_parts_are_there_for_the_token(server: Server) -> None:
    for path, kind, part in (
        ("", "text/html", b"<title>"),
        ("style.css", "text/css", b"prefers-color-scheme"),
        ("script.js", "text/javascript", b"textContent"),
        ("state", "application/json", b'"item"'),
    ):
        status, headers, body = server.ask(path)
        assert (status, headers["Content-Type"]) == (200, f"{kind}; charset=utf-8")
        assert part in body
    assert len(server.token) >= 32


@pytest.mark.parametrize(
    "path",
    ["/", "/state", "/label", "//state", "/x/state", "/{token}", "/{token}x/state", "/%2e/{token}/state",
     "/{short}/state", "/é/"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_the_token_there_is_nothing(server: Server, path: str, method: str) -> None:
    path = path.format(token=server.token, short=server.token[:-1]).encode().decode("latin-1")
    given = f"{method} {path} HTTP/1.0\nHost: 127.0.0.1:{server.port}\n"
    given += "Content-Type: application/json\nContent-Length: 2\n\n{}"
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(given.replace("\n", "\r\n").encode("latin-1"))
        status, _, body = connection.makefile("rb").read().partition(b"\r\n")
    assert b" 403 " in status
    assert b"item" not in body


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:{port}"},
        {"Host": "127.0.0.1.evil.example:{port}"},
        {"Host": "localhost.evil.example"},
        {"Host": "127.0.0.1:{port}@evil.example"},
        {"Host": "127.0.0.2:{port}"},
        {"Host": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://localhost:{port}"},
        {"Origin": "http://127.0.0.1:1"},
        {"Host": "evil.example", "Origin": "http://evil.example"},
    ],
)
@pytest.mark.parametrize("path", ["", "state", "label", "undo"])
def test_a_foreign_name_or_page_is_refused_even_with_the_token(
    server: Server, path: str, headers: dict[str, str]
) -> None:
    given = {name: value.format(port=server.port) for name, value in headers.items()}
    state = server.act("state")
    body = {"id": state["item"]["id"], "verdict": "wrong"} if path in ("label", "undo") else None
    status, _, content = server.ask(path, body, given)
    assert status == 403
    assert state["item"]["answer"].encode() not in content
    assert server.act("state") == state, "and nothing happened"


def test_one_host_is_named_and_only_one(server: Server) -> None:
    line = f"GET /{server.token}/state HTTP/1.0\n"
    own = f"Host: 127.0.0.1:{server.port}\n"
    assert b" 200 " in raw(server, f"{line}{own}\n")[:20]
    assert b" 403 " in raw(server, f"{line}\n")[:20]
    assert b" 403 " in raw(server, f"{line}{own}Host: evil.example\n\n")[:20]


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "localhost:9999", "127.0.0.1"])
def test_this_machine_s_names_are_welcome_also_through_a_tunnel(server: Server, host: str) -> None:
    host = host.format(port=server.port)
    assert server.ask("state", None, {"Host": host, "Origin": f"http://{host}"})[0] == 200


def test_no_other_address_of_this_machine_is_listened_on(server: Server) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", server.port), timeout=5)


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("label", b"id=1", {"Content-Type": "application/x-www-form-urlencoded"}, 403),
        ("label", b"{}", {"Content-Type": "text/plain"}, 403),
        ("label", b"{", {}, 400),
        ("label", b"\xff", {}, 400),
        ("label", b"[" * 5000, {}, 400),
        ("label", b"[]", {}, 400),
        ("label", b"{}", {}, 400),
        ("label", {"id": "nowhere", "verdict": "wrong"}, {}, 400),
        ("label", {"id": 1, "verdict": "wrong"}, {}, 400),
        ("skip", {"id": "nowhere"}, {}, 400),
        ("label", b" " * 200_000, {}, 413),
        ("state", {}, {}, 404),
        ("nonsense", {}, {}, 404),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(server, path, body, headers, status) -> None:
    if status == 413:  # refused without being read
        given = f"POST /{server.token}/{path} HTTP/1.0\nHost: 127.0.0.1\nContent-Type: application/json\n"
        assert b" 413 " in raw(server, f"{given}Content-Length: 200000\n\n")[:20]
        return
    code, _, content = server.ask(path, body, headers)
    assert code == status
    if code in (400, 404):
        assert json.loads(content)["error"]


@pytest.mark.parametrize("path", ["", "state", "script.js", "nowhere", "/"])
def test_every_answer_forbids_caching_framing_sniffing_and_foreign_parts(server: Server, path: str) -> None:
    _, headers, _ = server.ask(path)
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy and "frame-ancestors 'none'" in policy and "http" not in policy
    assert "Access-Control-Allow-Origin" not in headers


def test_what_the_page_was_told_is_stored_is_there_after_a_kill(run_directory: Path) -> None:
    ids = list(items(Run.of(run_directory).recipe, load_findings(Run.of(run_directory))))[:40]
    with serving(run_directory) as up, ThreadPoolExecutor(4) as pool:

        def say(identifier: str) -> str | None:
            try:
                return identifier if up.ask("label", {"id": identifier, "verdict": "wrong"})[0] == 200 else None
            except (OSError, HTTPException):
                return None

        futures = [pool.submit(say, identifier) for identifier in ids]
        futures[15].result()
        up.process.send_signal(signal.SIGKILL)
        told = [each for future in futures if (each := future.result())]
    assert 12 <= len(told) <= 40
    known = items(Run.of(run_directory).recipe, load_findings(Run.of(run_directory)))
    assert {known[each][0].key for each in told} <= {record["key"] for record in labels_in(run_directory)}
    with serving(run_directory) as again:
        assert again.act("state")["labelled"] <= len(labels_in(run_directory))
        assert again.act("undo", {})["item"]["before"]["verdict"] == "wrong"


def test_stopping_it_writes_the_new_report_and_exits_with_0(run_directory: Path) -> None:
    with serving(run_directory) as up:
        state = up.act("state")
        up.act("label", {"id": state["item"]["id"], "verdict": "wrong", "comment": "no"})
        code, out, err = up.stop()
    assert code == 0, err
    assert "1 label stored" in out
    assert out.splitlines()[-1] == str(run_directory / "report.html")
    records = [json.loads(line) for line in (run_directory / "verdicts.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [record["verdict"] for record in records if record["grader"] == "person:kim"] == ["wrong"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_ended_otherwise_it_keeps_the_labels_and_the_next_stop_reports_them(
    run_directory: Path, number: signal.Signals, code: int
) -> None:
    with serving(run_directory) as up:
        up.act("label", {"id": up.act("state")["item"]["id"], "verdict": "wrong"})
        up.process.send_signal(number)
        up.process.communicate(timeout=30)
        assert up.process.returncode == code
    with serving(run_directory) as again:
        assert again.act("state")["labelled"] == 1
        assert again.stop()[0] == 0
    assert "person:kim" in (run_directory / "verdicts.jsonl").read_text(encoding="utf-8")


def test_a_silent_connection_does_not_keep_it_from_ending(run_directory: Path) -> None:
    with serving(run_directory) as up, socket.create_connection(("127.0.0.1", up.port), timeout=20):
        assert up.stop()[0] == 0


def test_two_people_label_at_once_and_the_last_to_stop_writes_the_report(run_directory: Path) -> None:
    with serving(run_directory, "kim") as kim, serving(run_directory, "lee") as lee:
        for up, verdict in ((kim, "correct"), (lee, "wrong")):
            for each in list(items(Run.of(run_directory).recipe, load_findings(Run.of(run_directory))))[:3]:
                up.act("label", {"id": each, "verdict": verdict})
        code, out, _ = kim.stop()
        assert code == 0
        assert out.splitlines()[-1].startswith("somebody else is still labelling")
        code, out, _ = lee.stop()
        assert (code, out.splitlines()[-1]) == (0, str(run_directory / "report.html"))
    assert len(labels_in(run_directory)) == 6


def test_while_somebody_labels_nobody_changes_the_run(run_directory: Path, graded: Path, openbook) -> None:
    answers = ("compare", graded.parent / "answers.csv", "--questions", graded.parent / "questions.jsonl")
    with serving(run_directory) as up:
        code, _, err = openbook(*answers, "--out", run_directory)
        assert (code, "another openbook is at work" in err) == (2, True)
        code, _, err = openbook("label", run_directory, "--import", "x.csv", "--as", "lee")
        assert (code, "another openbook is at work" in err) == (2, True)
        assert up.stop()[0] == 0
    assert openbook(*answers, "--out", run_directory)[0] == 0


def test_a_port_in_use_is_said_so(run_directory: Path, openbook) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, out, err = openbook("label", run_directory, "--as", "kim", "--port", port)
    assert (code, out) == (2, "")
    assert f"--port {port}: cannot be used (" in err and "give another" in err
