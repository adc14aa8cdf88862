"""Takes a slip from somebody in a hurry, who will not come again: into the store, or else onto the spool beside it.

The store is tried in a thread of its own, since nobody knows how long a disk or a lock may take. What it does after it
was given up does no harm: the slip on the spool is the same, heard at the same moment, and is taken in once.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from tocsin.clock import SystemClock
from tocsin.config import Store, load_store
from tocsin.errors import InvalidInput, KeyConflict, StoreFailed, TocsinError
from tocsin.spool.directory import spool_of
from tocsin.spool.slip import Slip, encode_slip

if TYPE_CHECKING:
    from tocsin.model.ids import MessageId
    from tocsin.outbox.alert import Taken

PATIENCE_MS = 600
"""How long after its start a process waits for the store: the rest of a second is for the spool."""

REST = 3
"""What the store needs takes so many times as long as the start of the process took, at least. With less time it is not
even tried: on a machine that busy it would only be in the way."""

LAST_PATIENCE_S = 20.0
"""How long it waits where the spool cannot take the slip either."""

_HASTE_S = 0.0001
_LONGEST_START_S = 5.0


@attrs.frozen(kw_only=True)
class Handed:
    """What became of a slip. Either way it is durable.

    Args:
        messages: accepted; none where it was no news.
        spooled: it waits on the spool.
        why: what was in the way of the store, in a sentence; empty where nobody asked for it.
    """

    messages: tuple[MessageId, ...] = ()
    spooled: bool = False
    why: str = ""


@attrs.frozen(kw_only=True)
class Doorstep:
    """Where slips are handed in.

    Args:
        config: path of the configuration.
        boundary: told of every commit, before and after.
        began_at: when this process was started, on the clock of `time.monotonic`.
        patience_s: how long after that the store is given up.
    """

    config: Path
    boundary: Callable[[str], None] = lambda _: None
    began_at: float
    patience_s: float

    def hand_in(self, slip: Slip, *, spool_only: bool = False) -> Handed:
        """Make a slip durable.

        Args:
            slip: what is handed in.
            spool_only: leave the store alone.

        Raises:
            ConfigError: it does not say where the store is.
            InvalidInput: nobody can be told of it.
            StoreFailed: it could be made durable nowhere.
        """
        store, groups = load_store(self.config)
        for name in slip.groups:
            if groups is not None and name not in groups:
                raise InvalidInput(f"no group is called {name}")
        if spool_only:
            _put(store, slip)
            return Handed(spooled=True)
        return self._try(store, slip)

    def _try(self, store: Store, slip: Slip) -> Handed:
        """Try the store, then the spool, and where that cannot take it the store for longer."""
        attempt = _Attempt(lambda: self._take_in(slip))
        if store.spool is None and (handed := self._hurry(attempt)):
            return handed
        try:
            with _haste():
                _put(store, slip)
        except StoreFailed as error:
            if handed := attempt.wait(LAST_PATIENCE_S):
                return handed
            raise StoreFailed(f"{error}; {attempt.why}") from None
        return Handed(spooled=True, why=attempt.why)

    def _hurry(self, attempt: _Attempt) -> Handed | None:
        """Let the store have what is left of a second; nothing where that is too little."""
        age_s = time.monotonic() - self.began_at
        if age_s * (1 + REST) > self.patience_s:
            attempt.why = "there was no time left for the store"
            return None
        return attempt.wait(self.patience_s - age_s)

    def _take_in(self, slip: Slip) -> Taken:
        """Take the slip into the store. What only that needs is loaded here: the spool shall not wait for it."""
        import secrets

        from tocsin.alerting.front import Alerts
        from tocsin.alerting.posting import Desk
        from tocsin.config import load_config
        from tocsin.delivery.fleet import Fleet
        from tocsin.outbox.sqlite import open_rows
        from tocsin.outbox.store import Outbox
        from tocsin.registry import build_registry
        from tocsin.uptake import Uptake

        registry = build_registry()
        config = load_config(
            self.config,
            vendors=registry.described(),
            unavailable=registry.broken(),
            sources=registry.described_sources(),
            environ=None,  # who sends nothing needs no secret, and may have none
        )
        with closing(Outbox(open_rows(config.store.path, self.boundary), lambda _: False)) as store:
            fleet = Fleet(
                registry=registry,
                accounts=config.accounts,
                routes=config.routes,
                keywords=store.keywords,
                limits=config.limits,
                opt_out=config.opt_out,
            )
            desk = Desk(fleet=fleet, groups=config.groups, draw_bits=secrets.randbits)
            spool = spool_of(config.store.path, config.store.spool)
            return Uptake(spool, store, Alerts(sources=config.sources, desk=desk), SystemClock()).take_in(slip)


class _Attempt:
    """Work in a thread that nobody waits for at the end. It begins when it is first waited for.

    Attributes:
        why: it came to nothing, in a sentence; empty where nobody asked for it.
    """

    def __init__(self, work: Callable[[], Taken]) -> None:
        self.why = ""
        self._work = work
        self._ended: queue.SimpleQueue[Taken | Exception] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._open = True

    def wait(self, seconds: float) -> Handed | None:
        """Return what became of it; None where it failed, or is not done by then.

        Raises:
            InvalidInput, KeyConflict: the slip is refused, wherever it is handed in.
        """
        if not self._open:
            return None
        if self._thread is None:
            self.why = "the store took too long"
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        try:
            ended = self._ended.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return None
        self._open = False
        if isinstance(ended, Exception):
            self._fail(ended)
            return None
        if ended.error is not None:
            raise ended.error
        return Handed(messages=ended.messages)

    def _fail(self, error: Exception) -> None:
        if isinstance(error, InvalidInput | KeyConflict):
            raise error
        self.why = str(error) if isinstance(error, TocsinError) else f"internal error: {type(error).__name__}"

    def _run(self) -> None:
        try:
            self._ended.put(self._work())
        except Exception as error:  # noqa: BLE001 (whatever it is, the spool is tried next: nobody comes again)
            self._ended.put(error)


@contextmanager
def _haste() -> Iterator[None]:
    """Let the attempt that was given up run for a moment at a time only, so that what is done now comes first."""
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(_HASTE_S)
    try:
        yield
    finally:
        sys.setswitchinterval(usual_s)


def _put(store: Store, slip: Slip) -> None:
    spool_of(store.path, store.spool).put(encode_slip(slip), slip.heard_at)


def start_of_process() -> float:
    """Return when this process was started, on the clock of `time.monotonic`."""
    return time.monotonic() - _age_s()


def _age_s() -> float:
    """Return how long this process has been there; 0 where the system does not tell, and for one that stays."""
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        began_s = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - began_s
    except (OSError, ValueError, IndexError, AttributeError):
        return 0.0
    return age_s if 0.0 < age_s < _LONGEST_START_S else 0.0
