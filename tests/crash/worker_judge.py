"""Compares what a store says after all lives with what the vendors' ledgers know, and says what does not fit. Pure.

The store's own invariants are `tocsin.verify`'s; here is what only the other side of the wire can tell.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import pairwise

import attrs

from tocsin.config import Config
from tocsin.model.report import ReportState
from tocsin.outbox.record import Attempt, Delivery, Filter, StoredReport
from tocsin.outbox.sqlite import open_rows
from tocsin.outbox.state import AttemptState, State
from tocsin.outbox.store import Outbox
from tocsin.policy.route import Rules
from tocsin.policy.signature import sign
from tocsin.policy.standing import settled_at
from tocsin.sandbox import Page, Submit
from tocsin.verify import check_store, unread_answers

_SIGNATURE = "【Example】"


@attrs.frozen(kw_only=True)
class Standing:
    """One delivery as the store has it, with the text that phones would show."""

    delivery: Delivery
    attempts: tuple[Attempt, ...]
    rules: Rules
    text: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Kept:
    """What a store holds in the end.

    Args:
        reports: every row.
        troubles: what the store says against itself.
        ended_early: the last life ended while something was due.
        at: when it was read.
    """

    standings: tuple[Standing, ...]
    reports: tuple[StoredReport, ...]
    troubles: tuple[str, ...]
    ended_early: bool
    at: datetime

    @property
    def states(self) -> dict[str, int]:
        """How often each state stands."""
        return dict(Counter(one.delivery.state.value for one in self.standings))


def load_kept(config: Config, ended_early: bool) -> Kept:
    """Read a store that nobody works on, without changing it."""
    troubles = [f"a {table} is left behind" for table in _rows_left(config)]
    rows = open_rows(config.store.path)
    with closing(Outbox(rows, lambda _: False)) as store:
        troubles += [f"{one.invariant} {one.where}: {one.what}" for one in check_store(store)]
        troubles += [f"answer {one} was never read" for one in unread_answers(store)]
        deliveries = store.deliveries(Filter())
        attempts = store.attempts(tuple(one.id for one in deliveries))
        messages = store.messages(one.message for one in deliveries)
        routes = {route.name: route for route in config.routes}
        standings = tuple(
            Standing(
                delivery=one,
                attempts=attempts[one.id],
                rules=routes[one.route].rules_for(messages[one.message].cls),
                text=sign(messages[one.message].text, _SIGNATURE),
            )
            for one in deliveries
        )
        reports, _ = store.evidence(None)
    return Kept(
        standings=standings,
        reports=reports,
        troubles=tuple(troubles),
        ended_early=ended_early,
        at=datetime.now(UTC),
    )


def _rows_left(config: Config) -> Iterator[str]:
    with closing(sqlite3.connect(config.store.path)) as sql:
        for table in ("holder", "poller"):
            (count,) = sql.execute(f"SELECT count(*) FROM {table}").fetchone()
            yield from [table] * count


def judge(kept: Kept, ledgers: Mapping[str, Page]) -> tuple[str, ...]:
    """Return what does not fit, a sentence each."""
    found = [*kept.troubles, *_repeated(kept.reports), *_unmatched(kept)]
    truths = Truths(ledgers)
    for one in kept.standings:
        truth = truths.of(one)
        for check in (_left_lying, _said_of_phones, _counted, _asked_for, _intended):
            found += [f"{one.delivery.id} ({one.delivery.state.value}): {what}" for what in check(one, truth, kept)]
    return tuple(found)


@attrs.frozen(kw_only=True)
class Truth:
    """What the ledgers know of one delivery: submits by account, and copies on phones."""

    submits: Mapping[str, Sequence[Submit]]
    phones: int

    @property
    def taken(self) -> int:
        """How many submits a vendor took."""
        return sum(submit.accepted for submits in self.submits.values() for submit in submits)


class Truths:
    """The ledgers, by number and text: no two messages to a number have the same."""

    def __init__(self, ledgers: Mapping[str, Page]) -> None:
        self._phones = Counter((got.number, got.text) for page in ledgers.values() for got in page.received)
        self._submits: dict[tuple[str, str], dict[str, list[Submit]]] = {}
        for account, page in ledgers.items():
            for submit in page.submits:
                for message in _messages(submit):
                    self._submits.setdefault(message, {}).setdefault(account, []).append(submit)

    def of(self, one: Standing) -> Truth:
        """Return what is known of one delivery."""
        message = (one.delivery.to.mainland or "", one.text)
        return Truth(submits=self._submits.get(message, {}), phones=self._phones[message])


def _messages(submit: Submit) -> set[tuple[str, str]]:
    texts = submit.texts or (submit.text,) * len(submit.numbers)
    return set(zip(submit.numbers, texts, strict=True))


_BY_ITSELF = (State.CLAIMED, State.SENDING)


def _left_lying(one: Standing, _: Truth, kept: Kept) -> Iterator[str]:
    """Nothing is in a hand that is gone, and nothing that is due is left."""
    delivery = one.delivery
    if delivery.state in _BY_ITSELF:
        yield "it is in somebody's hand, and nobody is there"
    said_failed = one.attempts and not any(attempt.is_copy for attempt in one.attempts)
    if delivery.state is State.SUBMITTED and said_failed and not kept.ended_early:
        yield "each of its copies was reported undelivered, and it still waits"
    waits = delivery.state in (State.QUEUED, State.IN_DOUBT, State.SUBMITTED)
    if waits and delivery.due_at <= kept.at and not kept.ended_early:
        yield "it is due, and the worker has ended as if nothing were"


def _said_of_phones(one: Standing, truth: Truth, _: Kept) -> Iterator[str]:
    """A state says neither more nor less than what is so: this is where a lost message would show."""
    match one.delivery.state:
        case State.DELIVERED if not truth.phones:
            yield "no phone has it"
        case State.SUBMITTED if not truth.taken:
            yield "no vendor has taken it"
        case State.UNDELIVERED if truth.phones:
            yield "a phone has it"
        case State.FAILED | State.EXPIRED if truth.taken:
            yield "a vendor has taken it"
        case State.QUEUED if truth.taken and not any(attempt.state.may_ring for attempt in one.attempts):
            yield "a vendor has taken it, and the store knows of no copy"
        case State.CANCELLED if truth.taken and not any(attempt.state.may_ring for attempt in one.attempts):
            yield "a vendor has taken it"


def _counted(one: Standing, truth: Truth, _: Kept) -> Iterator[str]:
    """Phones have no more copies than the store counts, and it counts no more than its class allows."""
    counted = sum(attempt.is_copy for attempt in one.attempts)
    if truth.phones > counted:
        yield f"phones have {truth.phones} copies, and the store counts {counted}"
    if max(truth.phones, counted) > one.rules.max_copies:
        yield f"{max(truth.phones, counted)} copies, and its class allows {one.rules.max_copies}"


def _asked_for(one: Standing, _: Truth, __: Kept) -> Iterator[str]:
    """Each copy but the first follows a doubt, a failed report or a silence that its class does not accept."""
    ringing = [attempt for attempt in one.attempts if attempt.state.may_ring]
    for earlier, later in pairwise(ringing):
        if not _gives_reason(earlier, later, one.rules):
            yield f"attempt {later.number} follows a clean accept"


def _gives_reason(earlier: Attempt, later: Attempt, rules: Rules) -> bool:
    if earlier.state is AttemptState.UNKNOWN or earlier.proved or earlier.report is ReportState.FAILED:
        return True
    if not rules.moves_on_silence or rules.report_timeout is None:
        return False
    return later.intended_at - settled_at(earlier) >= rules.report_timeout


def _intended(one: Standing, truth: Truth, _: Kept) -> Iterator[str]:
    """Every submit that a vendor saw has its INTENT, and what is written of it is what the vendor did."""
    accounts = {attempt.account for attempt in one.attempts} | truth.submits.keys()
    for account in sorted(accounts):
        submits = truth.submits.get(account, ())
        mine = [attempt for attempt in one.attempts if attempt.account == account]
        counts = Counter(attempt.state for attempt in mine)
        taken = sum(submit.accepted for submit in submits)
        unknown = counts[AttemptState.UNKNOWN]
        if len(submits) > len(mine) - counts[AttemptState.NOT_SENT]:
            yield f"{account} saw {len(submits)} submits, and the store has fewer INTENTs that may have left"
        if not counts[AttemptState.ACCEPTED] <= taken <= counts[AttemptState.ACCEPTED] + unknown:
            yield f"{account} took {taken}, and the store says {counts[AttemptState.ACCEPTED]}, {unknown} unknown"
        if counts[AttemptState.REFUSED] > len(submits) - taken:
            yield f"{account} refused {len(submits) - taken}, and the store says {counts[AttemptState.REFUSED]}"
        ids = {submit.vendor_id for submit in submits if submit.accepted}
        if any(attempt.vendor_id not in ids for attempt in mine if attempt.vendor_id is not None):
            yield f"{account} gave it no such id"


def _unmatched(kept: Kept) -> Iterator[str]:
    """A report of a copy that reached the disk is matched to it."""
    named = {
        (attempt.account, attempt.vendor_id, one.delivery.to): one.delivery.id
        for one in kept.standings
        for attempt in one.attempts
        if attempt.vendor_id is not None
    }
    for row in kept.reports:
        delivery = named.get((row.account, row.report.vendor_id, row.report.to))
        if delivery is not None and row.delivery != delivery:
            yield f"{delivery}: a report that names it is not matched to it"


def _repeated(reports: tuple[StoredReport, ...]) -> Iterator[str]:
    """The vendors hand each report out once, so it is stored once."""
    rows = Counter((row.account, row.report.vendor_id, row.report.to, row.report.state) for row in reports)
    for (account, vendor_id, *_), count in rows.items():
        if count > 1:
            yield f"the report of {account} on {vendor_id} is stored {count} times"
