"""The invariants, checked on what a store holds. Pure: dossiers and loose ends in, violations out.

`tocsin verify` asks it of a live store, the simulator at each of its steps. A violation names the invariant and an id,
and never a number or a text. What a store of version 1 did not write down, nobody complains of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import attrs

from tocsin.errors import InvalidInput
from tocsin.model.ids import AccountId, DeliveryId, VendorId, message_of, position_of
from tocsin.model.message import Message
from tocsin.model.phone import E164
from tocsin.model.push import Trust
from tocsin.model.report import ReportState
from tocsin.outbox.evidence import CLOCK_SKEW
from tocsin.outbox.loose import Loose
from tocsin.outbox.ports import Store
from tocsin.outbox.record import Attempt, Chapter, Delivery, Dossier, StoredReport, Trigger
from tocsin.outbox.state import TRANSITIONS, AttemptState, Event, State

__all__ = ["INVARIANTS", "Dossier", "Violation", "check_delivery", "check_store", "unread_answers"]

INVARIANTS = {
    "I1": "what was accepted is here, somebody goes on with it, and no copy is called failed",
    "I2": "every submit has its INTENT and its decision",
    "I3": "nothing follows a clean accept but for a failed report, or for silence",
    "I4": "one attempt is under way at most",
    "I5": "there is no copy too many",
    "I6": "each report row counts, whatever their order and number",
    "I7": "what a vendor said is kept before it is read, and read once",
    "I8": "a report touches only the attempt that it speaks of",
    "I9": "no submit begins after the expiry",
    "I10": "each request is debited as it began, and given back where no vendor took it",
    "I11": "an idempotency key stands for a message",
    "I12": "every change of state is in the audit, by the one table, and every change of a weight",
    "file": "the store's file is whole",
}
"""What is checked, by the names that the documents give it. The others are not a store's to tell."""

PAGE = 2000
"""Dossiers that are read at a time."""


@attrs.frozen
class Violation:
    """One invariant that does not hold.

    Args:
        invariant: its number, as the documents have it.
        where: the delivery, attempt, message, account or raw answer.
        what: one sentence.
    """

    invariant: str
    where: str
    what: str


def check_delivery(dossier: Dossier) -> Iterator[Violation]:
    """Yield what is wrong with one delivery; nothing where all is well."""
    for check in _CHECKS:
        yield from check(dossier)


def check_store(store: Store, progress: Callable[[int], None] = lambda _: None) -> Iterator[Violation]:
    """Yield what is wrong with a store, and with each of its deliveries.

    Args:
        store: read a page at a time, so that it may be at work meanwhile.
        progress: told how many more deliveries have been read.
    """
    for loose in store.loose_ends():
        if loose.kind in _LOOSE:
            invariant, what = _LOOSE[loose.kind]
            yield Violation(invariant, loose.where, what)
    last, limit = DeliveryId(""), PAGE
    while True:
        try:
            page = store.dossiers(last, limit)
        except _UNREADABLE:
            if limit == 1:
                yield Violation("file", f"behind {last}", "a row holds what no tocsin writes; those behind it wait")
                return
            limit = 1  # the first that cannot be read is looked for alone
            continue
        if not page:
            return
        for dossier in page:
            yield from check_delivery(dossier)
        last = page[-1].delivery.id
        progress(len(page))


def unread_answers(store: Store) -> tuple[str, ...]:
    """Name the raw answers that nobody has read yet: no violation, for the next poll of their account reads them."""
    return tuple(loose.where for loose in store.loose_ends() if loose.kind is Loose.ANSWER_UNREAD)


_UNREADABLE = (ValueError, KeyError, InvalidInput)

_LOOSE = {
    Loose.DAMAGED_FILE: ("file", "the database finds the file damaged"),
    Loose.MESSAGE_WITHOUT_DELIVERIES: ("I1", "the message has not one delivery for each of its recipients"),
    Loose.CLAIM_WITHOUT_HOLDER: ("I1", "who holds it is on no list of holders, so that nobody will ever take it back"),
    Loose.ANSWER_MISSING: ("I7", "rows were read from a raw answer that is not in the store"),
    Loose.ANSWER_APPLIED_UNREAD: ("I7", "the raw answer was applied and is not marked as read"),
    Loose.KEY_WITHOUT_MESSAGE: ("I11", "an idempotency key stands for a message that is not in the store"),
    Loose.DEBIT_MISSING: ("I10", "the request began, and nothing was debited for it"),
    Loose.DEBIT_WRONG: ("I10", "what is debited for the request is not what its attempts make it"),
    Loose.WEIGHT_UNEXPLAINED: ("I12", "the weight is not what its last change made it"),
    Loose.STRAY: ("I12", "attempts, reports or parts of a story name a delivery that is not in the store"),
}


# I1


_IN_HAND = (State.CLAIMED, State.SENDING)
_NO_PHONE_RANG = (State.FAILED, State.EXPIRED)
_AWAITS = {State.SUBMITTED: AttemptState.ACCEPTED, State.IN_DOUBT: AttemptState.UNKNOWN}


def _check_standing(dossier: Dossier) -> Iterator[Violation]:
    """It belongs to its message, somebody will go on with it, and it is called failed only where no copy exists."""
    delivery, message, state = dossier.delivery, dossier.message, dossier.delivery.state
    if message is None or message.id != delivery.message or message.id != message_of(delivery.id):
        yield Violation("I1", delivery.id, "its message is not in the store")
    elif delivery.to not in _recipients_at(message, delivery):
        yield Violation("I1", delivery.id, "its recipient is not the one that its message names")
    if (delivery.holder is None) == (state in _IN_HAND):
        lacks = "is in hand, and nobody holds it" if delivery.holder is None else "is held, and in nobody's hand"
        yield Violation("I1", delivery.id, f"it {lacks}")
    if state is State.QUEUED and delivery.due_at > max(delivery.expires_at, delivery.updated_at):
        yield Violation("I1", delivery.id, "it is queued for a time after its expiry")
    yield from _check_state_of_copies(dossier)


def _recipients_at(message: Message, delivery: Delivery) -> tuple[E164, ...]:
    """Return who may stand in a delivery's place; any, where each recipient has one for each of several accounts."""
    place = position_of(delivery.id)
    return message.to[place - 1 : place] if delivery.only is None else message.to


def _check_state_of_copies(dossier: Dossier) -> Iterator[Violation]:
    state = dossier.delivery.state
    if state in _NO_PHONE_RANG and any(one.is_copy for one in dossier.attempts):
        yield Violation("I1", dossier.delivery.id, f"it is {state.value}, and a copy may exist")
    awaited = _AWAITS.get(state)
    if awaited is not None and not any(one.state is awaited for one in dossier.attempts):
        yield Violation("I1", dossier.delivery.id, f"it is {state.value}, and none of its attempts is {awaited.value}")


# I2, I4, I9


def _check_intents(dossier: Dossier) -> Iterator[Violation]:
    """Each attempt has its INTENT and its decision, one is under way at most, and none began too late."""
    delivery, attempts = dossier.delivery, dossier.attempts
    submits = _submits(dossier)
    intents = sum(one.event is Event.INTENT for one in dossier.transitions)
    if not len(attempts) == len(submits) == intents:
        counts = f"{len(attempts)} attempts, {intents} INTENTs and {len(submits)} decisions to submit"
        yield Violation("I2", delivery.id, f"it has {counts}")
    for number, attempt in enumerate(attempts, start=1):
        if attempt.number != number:
            yield Violation("I2", attempt.id, f"it stands in place {number} and is number {attempt.number}")
        if (attempt.state is AttemptState.INTENT) != (delivery.state is State.SENDING and number == len(attempts)):
            yield Violation("I4", attempt.id, f"it is {attempt.state.value} while the delivery is {delivery.state}")
        if attempt.intended_at >= delivery.expires_at:
            yield Violation("I9", attempt.id, "it began after the delivery's expiry")
    if delivery.state is State.SENDING and not attempts:
        yield Violation("I4", delivery.id, "it is being sent, and has no attempt")


def _submits(dossier: Dossier) -> list[Chapter]:
    return [one for one in dossier.chapters if one.explanation.get("decision") == "submit"]


# I3, I5


def _check_copies(dossier: Dossier) -> Iterator[Violation]:
    """Each submit follows from what its decision says it does, and makes no copy too many."""
    submits = _submits(dossier)
    if len(submits) != len(dossier.attempts):
        return  # I2 says so, and nobody knows which decision led to which attempt
    for at, (attempt, chapter) in enumerate(zip(dossier.attempts, submits, strict=True)):
        if "trigger" in chapter.explanation:  # else version 1 wrote it
            earlier = dossier.attempts[:at]
            trigger = chapter.explanation["trigger"]
            if wrong := _unfounded(trigger, attempt, earlier, dossier.reports):
                yield Violation("I3", attempt.id, wrong)
            if wrong := _miscounted(chapter, attempt, earlier, dossier.reports):
                yield Violation("I5", attempt.id, wrong)


def _unfounded(
    trigger: str, attempt: Attempt, earlier: tuple[Attempt, ...], reports: tuple[StoredReport, ...]
) -> str | None:
    """Say what a submit does not follow from, although its decision says so."""
    newest = next((one for one in reversed(earlier) if one.state.may_ring), None)
    if newest is None:
        as_told = (trigger == Trigger.FIRST) == (not earlier)
        return None if as_told else "its decision knew of other attempts than those before it"
    if trigger == Trigger.UNDELIVERED:
        said = _reported_by(newest, attempt, reports)
        return None if ReportState.FAILED in said else "it follows a failed report that had not come"
    if trigger == Trigger.SILENCE:
        return None if newest.vendor_id is not None else "it follows the silence about an accept without an id"
    clean = newest.state is AttemptState.ACCEPTED and not newest.proved
    same_step = trigger == Trigger.NOT_TAKEN and newest is not earlier[-1]
    return f"it follows a clean accept, and its decision says {trigger}" if clean and not same_step else None


def _miscounted(
    chapter: Chapter, attempt: Attempt, earlier: tuple[Attempt, ...], reports: tuple[StoredReport, ...]
) -> str | None:
    """Say how a submit makes a copy too many, or counted wrongly. A report may come between decision and INTENT.

    One that says delivered ends the delivery, so that none can have come before INTENT: at one moment it came after.
    """
    ringing = [one for one in earlier if one.state.may_ring]
    failed = sum(ReportState.FAILED in _reported_by(one, attempt, reports) for one in ringing)
    copy, most = chapter.explanation["copy"], chapter.explanation["max_copies"]
    if max(len(ringing) - failed + 1, copy) > most:
        return f"it is copy {max(len(ringing) - failed + 1, copy)}, of at most {most}"
    if not len(ringing) - failed + 1 <= copy <= len(ringing) + 1:
        return f"its decision says copy {copy}, and {len(ringing) - failed} existed"
    return None


def _reported_by(one: Attempt, later: Attempt, reports: tuple[StoredReport, ...]) -> list[ReportState]:
    """Return what reports had said of an attempt by the time of a later one."""
    key = _key(one)
    return [row.report.state for row in reports if _names(row) == key and row.received_at <= later.intended_at]


# I6, I8


Key = tuple[AccountId, VendorId | None]


def _key(attempt: Attempt) -> Key:
    return attempt.account, attempt.vendor_id


def _names(row: StoredReport) -> Key:
    return row.account, row.report.vendor_id


def _check_reports(dossier: Dossier) -> Iterator[Violation]:
    """Each report row is matched to an attempt that it speaks of, whose report is the join of its rows."""
    if not dossier.reports and all(one.report is None for one in dossier.attempts):
        joined: dict[Key, ReportState] = {}
    else:
        yield from _check_matches(dossier)
        joined = _joined((_key(one), one.report) for one in dossier.attempts)
        heard = _joined((_names(row), row.report.state) for row in dossier.reports)
        for one in dossier.attempts:
            if joined.get(_key(one)) is not heard.get(_key(one)):
                yield Violation("I6", one.id, "its report is not the join of the report rows that name it")
    state, said = dossier.delivery.state, joined.values()
    if (ReportState.DELIVERED in said) != (state is State.DELIVERED) and state is not State.SENDING:
        yield Violation("I6", dossier.delivery.id, f"it is {state.value}, and its reports say otherwise")
    if state is State.UNDELIVERED and ReportState.FAILED not in said:
        yield Violation("I6", dossier.delivery.id, "it is undelivered, and no report says so")


def _joined(said: Iterator[tuple[Key, ReportState | None]]) -> dict[Key, ReportState]:
    joined: dict[Key, ReportState] = {}
    for key, state in said:
        if state is not None and state >= joined.get(key, state):
            joined[key] = state
    return joined


def _check_matches(dossier: Dossier) -> Iterator[Violation]:
    delivery = dossier.delivery
    for row in dossier.reports:
        named = [one for one in dossier.attempts if _key(one) == _names(row)]
        if not named or row.report.to != delivery.to:
            yield Violation("I8", delivery.id, "a report of another account, id or number is matched to it")
        elif row.by_number and not any(_may_settle(row, one) for one in named):
            yield Violation("I8", delivery.id, "a report settled a doubt by its number alone, and must not have")
        elif not row.by_number and row.report.vendor_id is None:
            yield Violation("I8", delivery.id, "a report without an id is matched to it, and not by its number")
        elif row.trust is Trust.TOKEN:
            yield Violation("I8", delivery.id, "a report that anybody may have pushed is matched to it")


def _may_settle(row: StoredReport, doubt: Attempt) -> bool:
    at = row.report.at
    return doubt.proved and not row.shared and (at is None or at >= doubt.intended_at - CLOCK_SKEW)


# I12


_BEGINNINGS = (State.QUEUED, State.HELD)


def _check_audit(dossier: Dossier) -> Iterator[Violation]:
    """The audit rows lead from acceptance to the present state, each by the table."""
    name, rows, state = dossier.delivery.id, dossier.transitions, dossier.delivery.state
    first, last = (rows[0].before, rows[-1].after) if rows else (state, state)
    if first not in _BEGINNINGS:
        yield Violation("I12", name, f"its audit begins with {first.value}")
    if last is not state:
        yield Violation("I12", name, f"it is {state.value}, and its audit ends with {last.value}")
    for row in rows:
        if TRANSITIONS.get((row.before, row.event)) is not row.after:
            what = f"{row.event.value} took it from {row.before.value} to {row.after.value}"
            yield Violation("I12", name, f"{what}, which the table does not know")
    for row, following in pairwise(rows):
        if row.after is not following.before:
            yield Violation("I12", name, f"its audit has a gap between {row.after.value} and {following.before.value}")


def _check_attempts(dossier: Dossier) -> Iterator[Violation]:
    """Each attempt holds what belongs to its state, and nothing else: no step of the table led elsewhere."""
    for attempt in dossier.attempts:
        if not _is_whole(attempt):
            yield Violation("I12", attempt.id, f"it is {attempt.state.value}, and says what no such attempt may say")


def _is_whole(attempt: Attempt) -> bool:
    state = attempt.state
    if (attempt.settled_at is None) != (state is AttemptState.INTENT):
        return False
    if (attempt.reason is None) == (state is AttemptState.REFUSED):
        return False
    if state is AttemptState.ACCEPTED:
        return True
    unproven = attempt.vendor_id is None and attempt.report is None
    return unproven and bool(attempt.cause) == (state in (AttemptState.NOT_SENT, AttemptState.UNKNOWN))


_CHECKS: tuple[Callable[[Dossier], Iterator[Violation]], ...] = (
    _check_standing,
    _check_intents,
    _check_copies,
    _check_reports,
    _check_audit,
    _check_attempts,
)
