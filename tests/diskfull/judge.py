"""What must be true in the end: of the store, of the phones, and of what clients were told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from tocsin.outbox.ports import Store
from tocsin.outbox.record import Delivery, Filter
from tocsin.outbox.state import AttemptState, State
from tocsin.verify import check_store

from .crew import Draft

Copies = Mapping[tuple[str, str], int]
"""What reached each phone: how often, by number and text."""


def judge_phones(acknowledged: Iterable[Draft], copies: Copies) -> Iterator[str]:
    """Say of each acknowledged message which phone has not exactly one copy, and of each phone what nobody sent."""
    wanted = {(number, draft.text): draft.key for draft in acknowledged for number in draft.numbers}
    for place, key in wanted.items():
        if copies.get(place, 0) == 0:
            yield f"lost: {key} was acknowledged, and did not arrive"
        if copies.get(place, 0) > 1:
            yield f"forbidden: {key} arrived {copies[place]} times"
    for place in copies.keys() - wanted.keys():
        yield f"unasked: {place[1]} arrived, and was never acknowledged"


def judge_store(acknowledged: Iterable[Draft], store: Store, submits: int) -> Iterator[str]:
    """Say what is wrong in the store.

    Args:
        acknowledged: what clients were told.
        store: when all is quiet.
        submits: how many the vendors saw.
    """
    deliveries = store.deliveries(Filter())
    texts = {name: message.text for name, message in store.messages(one.message for one in deliveries).items()}
    there = Counter((one.to.full[-11:], texts[one.message]) for one in deliveries)
    wanted = Counter((number, draft.text) for draft in acknowledged for number in draft.numbers)
    if there != wanted:
        yield f"the store has {there.total()} deliveries, and {wanted.total()} were acknowledged"
    for state, number in Counter(one.state for one in deliveries if one.state is not State.DELIVERED).items():
        yield f"{number} are {state.value}, and not delivered"
    known = _submits(store, deliveries)
    if known != submits:
        yield f"the vendors saw {submits} submits, and the store knows {known}"
    for violation in check_store(store):
        yield f"{violation.invariant}, {violation.where}: {violation.what}"


def _submits(store: Store, deliveries: Iterable[Delivery]) -> int:
    attempts = store.attempts(tuple(one.id for one in deliveries)).values()
    return len({one.submit for history in attempts for one in history if one.state is not AttemptState.NOT_SENT})
