"""The labelling page from start to stop."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from train import interruption
from train.findings import load_graded, uncollected
from train.labelling.desk import Desk
from train.labelling.server import Site
from train.store import Run


def serve(run: Run, name: str, size: int, port: int, say: Callable[[str], None]) -> int:
    """Serves the page on this machine until Ctrl-C; returns how many labels were given or taken back.

    Several people may label one run at once, each with a server of their own.

    Raises:
        UserError: an unfit name or port, answers that are not graded, or (`Busy`) a run that is being changed.
    """
    with run.shared():
        with uncollected():
            desk = Desk(run, load_graded(run), name, size)
        with Site(desk, port) as site, suppress(KeyboardInterrupt):
            say(site.url)
            say("open this address in a browser on this machine; Ctrl-C here stops labelling and writes the new report")
            site.serve_forever()
        desk.close()
    interruption.watch()  # this Ctrl-C is dealt with; the next one interrupts
    return desk.given
