"""What is saved after a commit whose outcome is unknown: what is known of every attempt of this holder, and a poll's
answer, which its vendor will not repeat.

The failed commit may have been any: of INTENT, of outcomes, of a claim. So the store is asked, over a fresh connection,
what stands. Whatever came back is settled again, which is idempotent. Whatever else stands as being sent has an INTENT
whose commit nobody was told of: no line ever carried it, so it is known not to be sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from tocsin import observe
from tocsin.delivery.parts import Parts
from tocsin.delivery.submit import Arrival, arrive
from tocsin.errors import StoreError
from tocsin.model.ids import HolderId
from tocsin.model.outcome import NotSent
from tocsin.outbox.record import RawAnswer, Settlement
from tocsin.outbox.state import State

CAUSE = "commit-unknown"


def salvage(parts: Parts, holder: HolderId, arrivals: Sequence[Arrival]) -> None:
    """Settle what came back, then what never left, then give everything back. No line carries anything any more.

    Args:
        parts: with a store that was opened anew.
        holder: whose attempts these are.
        arrivals: all that came back and was not settled for sure.
    """
    if arrivals:
        arrive(parts, arrivals)
    sending = [one for one in parts.store.held(holder) if one.state is State.SENDING]
    history = parts.store.attempts(tuple(one.id for one in sending))
    unsent = tuple(
        Settlement(attempt=history[one.id][-1].id, epoch=one.epoch, outcome=NotSent(CAUSE)) for one in sending
    )
    now = parts.clock.now()
    if unsent:
        parts.store.settle(unsent, now)
    parts.store.release(holder, now)


def keep_answer(parts: Parts, raw: RawAnswer) -> None:
    """Store a poll's answer once more, over a fresh connection, unless it stands. The next poll reads it."""
    try:
        with closing(parts.reopen()) as store:
            if raw not in store.unread(raw.account, raw.kind).values():
                store.spool(raw, parts.clock.now())
    except StoreError as error:
        observe.log.error(observe.REPORT_GAP, kind=raw.kind, account=raw.account, cause=str(error))
