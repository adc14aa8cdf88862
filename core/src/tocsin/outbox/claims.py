"""Who has a delivery in hand: claims under an epoch and a lease, and what becomes of them when their holder is gone.

Steps of a transaction over `Rows`; `tocsin.outbox.store` opens it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from tocsin.model.ids import HolderId
from tocsin.model.outcome import Unknown
from tocsin.outbox.gauges import outcomes
from tocsin.outbox.moves import Moves
from tocsin.outbox.record import Attempt, Delivery
from tocsin.outbox.rows import Rows
from tocsin.outbox.settling import HOLDER_LOST, apply_earlier, settled
from tocsin.outbox.state import Event, State

LEASE = timedelta(seconds=60)
"""How long a claim stands without a sign of life. Longer than any exchange may take."""


def take(rows: Rows, queued: Iterable[Delivery], holder: HolderId, now: datetime) -> list[Delivery]:
    """Claim, under a new epoch, and start or renew the holder's lease (T2)."""
    rows.save_holder(holder, now + LEASE)
    with Moves(rows, now) as moves:
        return [moves.move(one, Event.CLAIM, holder=holder, epoch=one.epoch + 1) for one in queued]


def renew(rows: Rows, deliveries: Iterable[Delivery], now: datetime) -> None:
    """Renew the lease of whoever holds any of these."""
    for holder in {one.holder for one in deliveries if one.holder is not None}:
        rows.save_holder(holder, now + LEASE)


def abandon(rows: Rows, holder: HolderId, now: datetime) -> tuple[int, list[Attempt]]:
    """Take everything from a holder (T5): what was claimed is queued again; what was being sent is in doubt.

    Returns:
        How many deliveries that were, and the attempts that nobody knows about now.
    """
    held = rows.held_by(holder)
    sending = [one for one in held if one.state is State.SENDING]
    history = rows.attempts_of(one.id for one in sending)
    lost = [settled(history[one.id][-1], Unknown(HOLDER_LOST), now) for one in sending]
    with Moves(rows, now) as moves:
        for one in held:
            moved = moves.move(one, Event.LOST if one.state is State.SENDING else Event.RELEASE)
            apply_earlier(moves, moved, history.get(one.id, ()))
    rows.save_attempts(lost)
    rows.gauges.add(outcomes(lost))
    rows.save_holder(holder, None)
    return len(held), lost
