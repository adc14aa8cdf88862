"""What an account's own transport receives unasked: raw first, then read and applied."""

from __future__ import annotations

from collections.abc import Callable

from tocsin import observe
from tocsin.clock import Clock
from tocsin.errors import AnswerError
from tocsin.model.account import Account
from tocsin.model.push import Trust
from tocsin.outbox.ports import Store
from tocsin.outbox.record import RawAnswer
from tocsin.wire.transport import Evidence


class StoringSink:
    """The sink of one account. Returning from `receive` means that the raw bytes are durable.

    A connection that the account itself opened and authenticated is trusted like a poll.

    Args:
        store: where it is kept.
        clock: tells the time.
        account: whose.
        words: by which people say that they want no more.
    """

    def __init__(self, store: Store, clock: Clock, account: Account, words: tuple[str, ...] = ()) -> None:
        self._store = store
        self._clock = clock
        self._account = account
        self._words = words

    def receive(self, raw: bytes, decode: Callable[[bytes], Evidence]) -> None:
        answer = RawAnswer(account=self._account.id, kind="unasked", trust=Trust.POLL, body=raw)
        spooled = self._store.spool(answer, self._clock.now())
        try:
            evidence = decode(raw)
        except Exception as error:  # noqa: BLE001 (the plugin seam; what it raises may quote what came)
            why = str(error) if isinstance(error, AnswerError) else f"decode raised {type(error).__name__}"
            self._store.quarantine(spooled, why, self._clock.now())
            observe.log.error(observe.POLL_FAILED, kind="unasked", account=self._account.id, cause=why)
            return
        now = self._clock.now()
        self._store.apply_reports(spooled, evidence.reports, shared=self._account.shared, now=now)
        self._store.apply_inbound(spooled, evidence.inbound, now, self._words)
