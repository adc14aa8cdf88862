"""Group commit: what arrives while one commit is on its way to the disk leaves together with the next.

There is no thread for it: whoever finds nobody at work takes all that waits, commits it, and tells the others.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

import attrs

from tocsin.clock import Clock
from tocsin.errors import CommitUnknown, TocsinError
from tocsin.outbox.alert import Intake, Taken
from tocsin.outbox.ports import Store

MOST_AT_ONCE = 256
"""How many intakes one transaction holds at most, so that no other writer waits long."""


@attrs.define(eq=False)
class _Waiting:
    """Somebody who waits: for what became of theirs, or for their turn to commit."""

    intake: Intake
    taken: Taken | None = None
    error: BaseException | None = None
    _woken: threading.Lock = attrs.field(factory=threading.Lock)

    def __attrs_post_init__(self) -> None:
        self._woken.acquire()

    @property
    def done(self) -> bool:
        return self.taken is not None or self.error is not None

    def wait(self) -> None:
        self._woken.acquire()

    def wake(self) -> None:
        self._woken.release()


class Committer:
    """Takes intakes in, many at a time. Thread-safe.

    Args:
        store: where they go.
        clock: tells the time.
        broken: called once, when nobody knows any more what the store holds: this process must end, and start anew.
        told: is told how many went together.
    """

    def __init__(
        self, store: Store, clock: Clock, broken: Callable[[], None], told: Callable[[int], None] = lambda _: None
    ) -> None:
        self._store = store
        self._clock = clock
        self._broken = broken
        self._told = told
        self._lock = threading.Lock()
        self._queue: deque[_Waiting] = deque()
        self._at_work = False
        self._unknown: CommitUnknown | None = None

    def take(self, intake: Intake) -> Taken:
        """Return what became of an intake, once that is durable.

        Raises:
            StoreError: it is not, or nobody knows.
            InvalidInput, KeyConflict: it cannot be accepted.
        """
        waiting = _Waiting(intake)
        if not self._begins(waiting):
            waiting.wait()
        if not waiting.done:
            self._commit(waiting)
        if waiting.error is not None:
            raise waiting.error
        taken = waiting.taken or Taken()
        if taken.error is not None:
            raise taken.error
        return taken

    def _begins(self, waiting: _Waiting) -> bool:
        """Put one into the queue; say whether nobody is at work, so that it is theirs to commit."""
        with self._lock:
            self._queue.append(waiting)
            begins, self._at_work = not self._at_work, True
            return begins

    def _commit(self, own: _Waiting) -> None:
        """Commit all that waits, `own` the first of it; then hand the work to who has come meanwhile."""
        with self._lock:
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), MOST_AT_ONCE))]
        self._told(len(batch))
        if not self._take_in(batch):
            for one in batch:  # one of them broke, by no fault of its neighbours: each goes alone
                self._take_in([one])
        with self._lock:
            heir = self._queue[0] if self._queue else None
            self._at_work = heir is not None
        if heir is not None:
            heir.wake()
        for one in batch:
            if one is not own:
                one.wake()

    def _take_in(self, batch: list[_Waiting]) -> bool:
        """Give each its result, or its error; False where nothing was stored, and it is not known whose fault it is."""
        try:
            taken = self._store_them(batch)
        except Exception as error:  # noqa: BLE001 (raised again in the threads whose it is)
            self._note(error)
            if len(batch) > 1 and not isinstance(error, TocsinError):
                return False
            for one in batch:
                one.error = error
        else:
            for one, result in zip(batch, taken, strict=True):
                one.taken = result
        return True

    def _store_them(self, batch: list[_Waiting]) -> tuple[Taken, ...]:
        if self._unknown is not None:
            raise self._unknown
        return self._store.take_in([one.intake for one in batch], self._clock.now())

    def _note(self, error: Exception) -> None:
        if isinstance(error, CommitUnknown) and self._unknown is None:
            self._unknown = error
            self._broken()
