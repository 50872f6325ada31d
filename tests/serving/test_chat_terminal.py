"""A chat on a terminal or through a pipe ends when it is told to."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from tests.serving.talking import ASKED, HEAD, rewrite_recipe, talk

COMMAND = [sys.executable, "-m", "train", "chat", "--arm", "base", "--passages", "0"]

ON_A_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # the standard input becomes the terminal whose keys send signals
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_questions_come_through_a_pipe_without_prompts_between(finished_run):
    text = f"{ASKED}\nWhat \udcff?\n".encode("utf-8", "surrogateescape")
    command = [*COMMAND, str(finished_run)]
    done = subprocess.run(command, input=text, capture_output=True, check=True, timeout=120)
    said = "".join(done.stdout.decode("utf-8").splitlines(keepends=True)[HEAD:])
    assert said == talk(finished_run, "base", ASKED, "What \ufffd?", passages=0)


@pytest.mark.parametrize(
    ("moment", "key", "code"),
    [
        ("at the question", b"\x04", 0),
        ("at the question", b"\r", 0),
        ("at the question", b"\x03", 130),
        ("in an answer", b"\x03", 130),
    ],
)
def test_on_a_terminal_an_end_ends_and_an_interruption_interrupts(run_copy, moment, key, code):
    rewrite_recipe(run_copy, lambda recipe: recipe["sampling"].update(max_new_tokens=400))
    screen, terminal = pty.openpty()
    command = [sys.executable, "-c", ON_A_TERMINAL, *COMMAND, str(run_copy)]
    process = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True)
    os.close(terminal)
    try:
        read_until(screen, b"> ")
        if moment == "in an answer":
            os.write(screen, b"lamp\r")
            read_until(screen, b"\r\n\r\n")  # the blank line before the answer
        until = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < until:
            os.write(screen, key)  # again, as a person would: readline misses a key in the moment before it waits
            time.sleep(1)
        assert process.poll() == code
        assert b"\r\n> " not in rest(screen), "the answer was not interrupted but waited for"
    finally:
        process.kill()
        os.close(screen)


def rest(screen: int) -> bytes:
    """What a process that has ended left on the screen."""
    seen = b""
    with suppress(OSError):  # how a terminal says that nobody holds its other side
        while more := os.read(screen, 4096):
            seen += more
    return seen


def read_until(screen: int, text: bytes) -> bytes:
    seen, until = b"", time.monotonic() + 120
    while text not in seen:
        assert time.monotonic() < until, seen
        seen += os.read(screen, 4096)
    return seen
