"""Doubts whose wait for evidence is over: sent again as the class allows, or parked. The worker's second pass."""

from __future__ import annotations

from tocsin.delivery.dispatch import decide_one, dispatch, verdict_of
from tocsin.delivery.parts import Parts
from tocsin.model.ids import HolderId, MessageId
from tocsin.outbox.record import Delivery, Filter
from tocsin.outbox.state import State
from tocsin.policy.decide import Submit, Wait


def resolve_doubts(parts: Parts, message_id: MessageId, holder: HolderId) -> None:
    """Ask the policy about each delivery of a message that is in doubt, and do what it says.

    Nothing is done while evidence may still come.
    """
    doubtful = parts.store.deliveries(Filter(message=message_id, state=State.IN_DOUBT))
    claimed = [delivery for delivery in doubtful if _resolve(parts, delivery, holder)]
    if claimed:
        dispatch(parts, message_id, holder)


def _resolve(parts: Parts, delivery: Delivery, holder: HolderId) -> bool:
    """Park a delivery, or claim it for another submit; say whether it was claimed."""
    message = parts.store.message(delivery.message)
    if message is None:
        return False
    decision = decide_one(parts, message, delivery, parts.store.attempts((delivery.id,))[delivery.id])
    match decision:
        case Wait():
            return False
        case Submit():
            return parts.store.resend(delivery.id, holder, parts.clock.now()) is not None
        case _:
            parts.store.close_out((verdict_of(delivery, decision),), parts.clock.now())
            return False
