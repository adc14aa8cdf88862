"""Whether the gateway lives, and whether it can do its work."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import falcon

from tocsin.clock import Clock
from tocsin.errors import StoreError
from tocsin.outbox.ports import Store
from tocsin.outbox.role import is_taken

PROOF_S = 1.0
"""How long one proof that the store can commit stands for the next."""

PATIENCE_S = 2.0
"""A commit that has been under way for longer proves that it cannot."""


class Alive:
    """`/healthz`: the process answers. It asks nobody, so that a slow disk gets no process killed."""

    def on_get(self, _: falcon.Request, response: falcon.Response) -> None:
        """Answer."""
        response.media = {"status": "alive"}


class Canary:
    """Commits to the store, at most once a second, whoever asks and how often.

    Args:
        store: that the gateway writes to.
        clock: tells the time.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._turn = threading.Lock()
        self._began_at = clock.monotonic() - PROOF_S
        self._trouble: str | None = None

    def trouble(self) -> str | None:
        """Return what keeps the store from taking anything; None where it does."""
        if self._turn.acquire(blocking=False):
            try:
                if self._clock.monotonic() - self._began_at >= PROOF_S:
                    self._began_at = self._clock.monotonic()
                    self._trouble = self._commit()
            finally:
                self._turn.release()
        elif self._clock.monotonic() - self._began_at > PATIENCE_S:
            return "a commit takes long"
        return self._trouble

    def _commit(self) -> str | None:
        try:
            self._store.prove(self._clock.now())
        except StoreError as error:
            return str(error)
        return None


class Readiness:
    """`/readyz`: the store takes what is accepted. Without a worker it is taken all the same, and delivered later.

    Args:
        canary: asked each time.
        store: path of the store, beside which the worker's role is locked.
        wrong: told of each answer that says no.
    """

    def __init__(self, canary: Canary, store: Path, wrong: Callable[[], None] = lambda: None) -> None:
        self._canary = canary
        self._store = store
        self._wrong = wrong

    def on_get(self, _: falcon.Request, response: falcon.Response) -> None:
        """Answer, or raise 503 with the reason."""
        if (trouble := self._canary.trouble()) is not None:
            self._wrong()
            raise falcon.HTTPServiceUnavailable(title="Not ready", description=trouble, retry_after=1)
        response.media = {"status": "ready", "worker": is_taken(self._store)}
