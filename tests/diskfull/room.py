"""A commit that finds no room leaves nothing behind: not in the store that goes on, nor in one opened after a kill.

That is why it is called a failure, and not an unknown outcome as every other failed commit.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tocsin.errors import StoreFailed
from tocsin.model.ids import delivery_id, new_message_id
from tocsin.model.message import Message, MessageClass
from tocsin.model.phone import parse_number
from tocsin.outbox.record import Acceptance, NewDelivery
from tocsin.outbox.sqlite import open_rows
from tocsin.outbox.store import Outbox

from .disk import PAGE, SmallDisk

_START = datetime(2026, 1, 1, tzinfo=UTC)


def find_remains(disk: SmallDisk, copies: Path, pages: int) -> Iterator[str]:
    """Let commits fail with each number of pages left on the disk; say what stood of them all the same.

    Args:
        disk: empty.
        copies: a directory elsewhere, for what a kill would have left.
        pages: up to so many.
    """
    path = disk.place / "tocsin.db"
    with closing(open_rows(path)) as rows:
        store = Outbox(rows, lambda _: False)
        told: set[str] = set()
        failed: set[str] = set()
        for left in range(pages):
            disk.fill(left * PAGE)
            try:
                while True:
                    key = f"{left}-{len(told)}"
                    store.accept(_message(key, len(told) + len(failed)), _START)
                    told.add(key)
            except StoreFailed:
                failed.add(key)
            disk.empty()
            yield from (f"after {left} pages: {what}" for what in _compare(path, copies, told, failed))
        assert len(failed) == pages, "some commit did not fail"


def _compare(path: Path, copies: Path, told: set[str], failed: set[str]) -> Iterator[str]:
    """Open what a kill would leave: file and log. The index of the log is made anew from it."""
    killed = copies / "killed.db"
    for end in ("", "-wal"):
        shutil.copyfile(f"{path}{end}", f"{killed}{end}")
    Path(f"{killed}-shm").unlink(missing_ok=True)
    with closing(open_rows(killed)) as rows:
        if lost := [key for key in told if not rows.key_owners([key])]:
            yield f"{len(lost)} that were acknowledged are gone"
        if there := [key for key in failed if rows.key_owners([key])]:
            yield f"{len(there)} whose commit failed are there"


def _message(key: str, draw: int) -> Acceptance:
    name = new_message_id(_START, lambda _: draw)
    to = parse_number("13900000000")
    message = Message(
        id=name, to=(to,), text="full?" * 40, cls=MessageClass.ALERT, accepted_at=_START, idempotency_key=key
    )
    new = NewDelivery(
        id=delivery_id(name, 1), to=to, route="all", due_at=_START, expires_at=_START + timedelta(hours=4)
    )
    return Acceptance(message=message, deliveries=(new,), fingerprint="f")
