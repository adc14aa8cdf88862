"""One worker's life on a small disk that gets full again and again, each time at another offset of its work."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import attrs

from tocsin.app import Tocsin
from tocsin.errors import StoreFailed
from tocsin.model.ids import AccountId
from tocsin.outbox.state import State
from tocsin.sandbox import Operation

from ..waiting import until
from .crew import Clients, Draft, Worker, at_work, command, time_until
from .disk import PAGE, SmallDisk, small_disk
from .judge import judge_phones, judge_store
from .vendors import Vendors, vendors

DISK = 24 << 20
HARNESS = Path(__file__).with_name("harness.py")
_SETTLED, _HELD = 30, 60
"""So many acceptances are turned down before what is asked of vendors is counted, and while it is."""

_ASKED = (Operation.SUBMIT, Operation.REPORTS, Operation.INBOUND, Operation.BALANCE)


@attrs.frozen(kw_only=True)
class Filled:
    """What came of the disk that was full once.

    Args:
        offset: pages that were left when this part of the work began.
        accepted: acknowledgements until it was full.
        turned_down: acceptances that were refused while it was.
        asked: requests that vendors saw while nothing could be written: there must be none.
        recovered_s: from the ballast's end until all that was acknowledged had been delivered.
    """

    offset: int
    accepted: int
    turned_down: int
    asked: int
    recovered_s: float


class Session:
    """A store on a small disk, a worker, clients, vendors.

    Args:
        disk: with the store on it.
        vendors: what the configuration names.
        tocsin: opened in this process: what clients hand messages in by.
        config: of all of them.
        program: what runs in place of `tocsin`.
        worker: at work on it.
    """

    def __init__(
        self, disk: SmallDisk, vendors: Vendors, tocsin: Tocsin, config: Path, program: Sequence[str], worker: Worker
    ) -> None:
        self.disk, self.vendors, self.tocsin = disk, vendors, tocsin
        self.config, self.program, self.worker = config, program, worker
        self.clients = Clients(tocsin)

    def fill(self, offset: int) -> Filled:
        """Let the disk get full at an offset of the work, hold it so, free it, and wait until all is well again.

        Args:
            offset: pages that are left when clients begin.
        """
        told, turned_down = len(self.clients.acknowledged), self.clients.turned_down
        self._truncate_log()
        self.disk.fill(offset * PAGE)
        try:
            with self.clients.busy():
                try:
                    until(lambda: self.clients.turned_down > turned_down and self._is_full(), "the disk is full")
                    told = len(self.clients.acknowledged) - told
                    asked = self._hold()
                finally:
                    self.disk.empty()
            recovered_s = time_until(self.is_delivered, "all is delivered again")
        finally:
            self.disk.empty()
        assert self.worker.is_alive, "the worker did not survive"
        turned_down = self.clients.turned_down - turned_down
        return Filled(offset=offset, accepted=told, turned_down=turned_down, asked=asked, recovered_s=recovered_s)

    def end(self) -> list[str]:
        """End the worker; return what is not as it must be."""
        status = self.worker.stop()
        ended = [] if status == 0 else [f"the worker ended with status {status}"]
        acknowledged = tuple(self.clients.acknowledged.values())
        store = self.tocsin.parts.store
        return [
            *ended,
            *judge_phones(acknowledged, self.vendors.copies()),
            *judge_store(acknowledged, store, self.vendors.submits),
        ]

    def send(self, draft: Draft) -> tuple[int, str]:
        """Hand a message in by the command line; return its exit status, and what it said."""
        to = [word for number in draft.numbers for word in ("--to", number)]
        named = ("--class", "notice", "--key", draft.key)
        ran = command(self.program, self.config, "send", *to, "--text", draft.text, *named)
        return ran.returncode, ran.stderr

    def status_when_full(self) -> int:
        """Let the disk get full, hand messages in by the command line until one is turned down; return its exit status.

        Whoever opens the store moves its log into the file, which may make room for one more: that one is promised.
        """
        self._truncate_log()
        self.disk.fill(0)
        try:
            while True:
                until(self._is_full, "nothing can be written")
                draft = self.clients.draft()
                status, _ = self.send(draft)
                if status != 0:
                    break
                self.clients.acknowledged[draft.key] = draft
        finally:
            self.disk.empty()
        until(self.is_delivered, "all is delivered again")
        return status

    def _hold(self) -> int:
        """Count what vendors are asked while a good many acceptances are turned down, one after the other.

        Some more are turned down before the count begins: whatever was on its way has arrived by then.
        """
        while True:
            self._see_turned_down(_SETTLED)
            asked = self._asked()
            self._see_turned_down(_HELD)
            more = self._asked() - asked
            if self._is_full():
                return more.total()
            until(self._is_full, "nothing can be written again")  # there was room in the log, by a checkpoint

    def _see_turned_down(self, times: int) -> None:
        """Wait until so many more acceptances were turned down."""
        enough = self.clients.turned_down + times
        until(lambda: self.clients.turned_down >= enough, f"{times} acceptances are turned down")

    def _asked(self) -> Counter[Operation]:
        return Counter({name: self.vendors.calls[name] for name in _ASKED})

    def _is_full(self) -> bool:
        """Say whether the smallest commit of all fails."""
        try:
            self.tocsin.parts.store.save_keywords(AccountId("probe"), (), datetime.now(UTC))
        except StoreFailed:
            return True
        return False

    def is_delivered(self) -> bool:
        """Say whether all that is in the store is delivered."""
        return is_delivered(self.tocsin)

    @property
    def store(self) -> Path:
        """Where the store's file is."""
        return self.disk.place / "tocsin.db"

    def failed(self) -> Counter[str]:
        """Count the worker's commits that failed, by the names of their transactions."""
        file = self.config.with_name("failed")
        return Counter(file.read_text(encoding="utf-8").split()) if file.exists() else Counter()

    def _truncate_log(self) -> None:
        """Make the store's log short, so that the next page that is written needs a page of the disk."""
        with closing(sqlite3.connect(self.store, isolation_level=None, timeout=30)) as file:
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def is_delivered(tocsin: Tocsin) -> bool:
    """Say whether all that is in a store is delivered."""
    return {state for state, _ in tocsin.parts.store.counts()} == {State.DELIVERED}


@contextmanager
def session(home: Path, control: str = "none") -> Iterator[Session]:
    """Begin one in an empty directory, which is not on the small disk.

    Args:
        control: what is taken from the worker: see `harness`.
    """
    with small_disk(DISK) as disk, vendors() as sides:
        config = sides.configure(home, disk.place / "tocsin.db")
        program = (str(HARNESS), str(home / "failed"), control)
        with Tocsin.from_config(config) as tocsin, at_work(config, home / "worker.log", program) as worker:
            yield Session(disk, sides, tocsin, config, program, worker)
