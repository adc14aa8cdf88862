"""A worker like `tocsin worker`, that also notes which commits failed, or from which one safeguard was taken.

    python harness.py FAILED CONTROL --config FILE worker

FAILED is a file: the name of each transaction whose commit failed is appended to it. CONTROL is `none`, or what is done
to the production code before it begins, so that it can be shown that the judge would notice.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from tocsin.app import Surroundings
from tocsin.cli.main import run
from tocsin.cli.session import Session
from tocsin.delivery.worker import Worker
from tocsin.errors import StoreFailed
from tocsin.model.ids import AccountId, HolderId
from tocsin.outbox import sqlite_file
from tocsin.outbox.store import Outbox


class Failures:
    """Told of every commit, before and after: one that is begun anew without an end has failed."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._begun = ""

    def reach(self, boundary: str) -> None:
        """Note a transaction that was never ended."""
        name, when = boundary.split(": ")
        if when == "before commit" and self._begun:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(f"{self._begun}\n")
        self._begun = name if when == "before commit" else ""


def poll_carelessly() -> None:
    """Let a poll begin although its lease cannot be stored, and hold on to no answer that cannot be stored either."""
    begin_poll = Outbox.begin_poll

    def begin(self: Outbox, account: AccountId, holder: HolderId, now: datetime) -> bool:
        try:
            return begin_poll(self, account, holder, now)
        except StoreFailed:
            return True

    Outbox.begin_poll = begin
    Worker._hold_on = lambda _: False


def be_impatient() -> None:
    """Take a store for busy after half a second: what ten would show, in less time."""
    sqlite_file._BUSY_MS = 500


CONTROLS: Mapping[str, Callable[[], None]] = {
    "none": lambda: None,
    "careless": poll_carelessly,
    "impatient": be_impatient,
}


def main(failed: str, control: str, *arguments: str) -> int:
    """Run a command."""
    CONTROLS[control]()
    return run(list(arguments), Session(surroundings=Surroundings(boundary=Failures(Path(failed)).reach)))


if __name__ == "__main__":
    os.environ.setdefault("SSL_CERT_FILE", os.devnull)
    sys.exit(main(*sys.argv[1:]))
