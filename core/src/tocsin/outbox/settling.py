"""From INTENT to what became of it: attempts that leave together, their outcomes, and where those take a delivery.

Steps of a transaction over `Rows`; `tocsin.outbox.store` opens it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from tocsin.model.ids import AttemptId, DeliveryId, SubmitId, attempt_id
from tocsin.model.outcome import Accepted, Outcome
from tocsin.outbox.evidence import events_of, proved_by_duplicate
from tocsin.outbox.moves import Moves
from tocsin.outbox.record import Attempt, Delivery, Intent, Settlement, Verdict, event_of
from tocsin.outbox.state import TRANSITIONS, AttemptState, Event, State, step, step_attempt

HOLDER_LOST = "holder-lost"
"""The cause of a doubt whose request may still be answered."""


def stands(delivery: Delivery, epoch: int, state: State) -> bool:
    """Say whether a claim of that epoch still stands: the guard of T3 and T4."""
    return delivery.epoch == epoch and delivery.state is state


def one_request(
    intents: Iterable[Intent], history: Mapping[DeliveryId, tuple[Attempt, ...]], now: datetime
) -> tuple[Attempt, ...]:
    """Return the attempts that leave together, named after the first of them."""
    going = tuple(intents)
    numbers = [len(history[one.delivery]) + 1 for one in going]
    ids = [attempt_id(one.delivery, number) for one, number in zip(going, numbers, strict=True)]
    return tuple(
        Attempt(
            id=name,
            delivery=one.delivery,
            number=number,
            submit=SubmitId(ids[0]),
            group_size=len(going),
            account=one.account,
            state=AttemptState.INTENT,
            intended_at=now,
            trigger=one.trigger,
            segments=one.segments,
            cost=one.cost,
        )
        for one, number, name in zip(going, numbers, ids, strict=True)
    )


def is_told(attempt: Attempt) -> bool:
    """Say whether its outcome was written before: what it says of its account was heard then."""
    return attempt.settled_at is not None and attempt.cause != HOLDER_LOST


def settled(attempt: Attempt, outcome: Outcome, now: datetime) -> Attempt:
    """Return the attempt with its outcome, where the table allows it."""
    after = attempt.settled(outcome, now)
    step_attempt(attempt.state, after.state)
    return after


def settle_each(
    moves: Moves,
    settlements: Iterable[Settlement],
    attempts: Mapping[AttemptId, Attempt],
    history: Mapping[DeliveryId, tuple[Attempt, ...]],
    deliveries: Mapping[DeliveryId, Delivery],
) -> list[Attempt]:
    """Move deliveries on by what became of their attempts (T4); return the attempts to save.

    Where the claim stands no more, an acceptance is kept as evidence, and everything else is what it was: unknown.
    """
    changed: list[Attempt] = []
    for one in settlements:
        attempt = attempts[one.attempt]
        delivery = deliveries[attempt.delivery]
        if stands(delivery, one.epoch, State.SENDING) and attempt.state is AttemptState.INTENT:
            changed.append(settled(attempt, one.outcome, moves.now))
            if proved := proved_by_duplicate(history[delivery.id], changed[-1]):
                changed.append(proved)
            _after_outcome(moves, delivery, one, history[delivery.id])
        elif attempt.state is AttemptState.UNKNOWN and isinstance(one.outcome, Accepted):
            changed.append(settled(attempt, one.outcome, moves.now))
            _late_acceptance(moves, delivery)
    return changed


def apply_earlier(moves: Moves, delivery: Delivery, history: Iterable[Attempt]) -> Delivery:
    """Let reports of earlier copies have their say, which came while another was being sent."""
    for earlier in history:
        if events := events_of(delivery.state, earlier, newest=False):
            delivery = moves.move(delivery, *events)
    return delivery


def still_holds(verdict: Verdict, delivery: Delivery) -> bool:
    """Say whether a verdict fits the delivery as it stands now: nothing happened that it did not know of."""
    seen = verdict.seen
    same = delivery.epoch == seen.epoch if seen.state is State.CLAIMED else delivery.revision == seen.revision
    return same and _possible(delivery.state, verdict.events)


def _possible(state: State, events: tuple[Event, ...]) -> bool:
    for event in events:
        if (state, event) not in TRANSITIONS:
            return False
        state = step(state, event)
    return True


def _after_outcome(moves: Moves, delivery: Delivery, one: Settlement, history: tuple[Attempt, ...]) -> None:
    """Move on from SENDING."""
    event = event_of(one.outcome)
    wait = {"due_at": one.due_at} if one.due_at is not None and event is not Event.TRY_AGAIN else {}
    moved = apply_earlier(moves, moves.move(delivery, event, **wait), history)
    if one.keep and moved.state is State.QUEUED:
        moves.move(moved, Event.CLAIM, holder=delivery.holder)


def _late_acceptance(moves: Moves, delivery: Delivery) -> None:
    """The answer of a lost lease is kept as evidence: the doubt that the lease left behind is over."""
    if delivery.state in (State.IN_DOUBT, State.PARKED):
        moves.move(delivery, Event.ACCEPTED)
