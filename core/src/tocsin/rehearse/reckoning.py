"""What came of a rehearsal: the store's word and the vendors' ledger, counted for each account and in all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal

import attrs

from tocsin.model.ids import AccountId, DeliveryId, MessageId, message_of
from tocsin.model.phone import E164
from tocsin.outbox.record import Delivery, Filter, Trigger
from tocsin.outbox.state import State
from tocsin.rehearse.ledger import Copy, Ledger, Promise
from tocsin.rehearse.stage import Stage

_ASKED = frozenset({Trigger.DOUBT, Trigger.UNDELIVERED, Trigger.SILENCE})
"""What a further copy may follow from, because class and route ask for it."""

_ENDED = {
    State.EXPIRED: "expired",
    State.FAILED: "failed",
    State.UNDELIVERED: "undelivered",
    State.PARKED: "parked",
}
"""How a delivery ended whose phone did not ring; anything else is open."""


@attrs.frozen(kw_only=True)
class Figures:
    """What is counted, of all messages or of those that one account had to do with.

    Args:
        messages: deliveries: one message to three phones is three.
        requests: that left for a vendor.
        attempts: one for each recipient of a request.
        accepted, refused, not_sent, unknown: what became of them.
        delivered: whose phone rang.
        late: of those, the ones that rang after the class's report timeout, or after the expiry.
        asked_copies: second and further rings that class or route asked for.
        unasked_copies: those that nobody asked for.
        expired, failed, undelivered, parked: how those ended that never rang.
        open: of which more is still to come.
        lost: that never rang, though the store thinks so, or does not know them.
        segments: that the vendors bill.
        cost: of them; None where an account that sent has no price.
        median_s, p95_s, longest_s: from the time it was to be sent to the phone; None where none rang.
    """

    messages: int
    requests: int
    attempts: int
    accepted: int
    refused: int
    not_sent: int
    unknown: int
    delivered: int
    late: int
    asked_copies: int
    unasked_copies: int
    expired: int
    failed: int
    undelivered: int
    parked: int
    open: int
    lost: int
    segments: int
    cost: Decimal | None
    median_s: float | None
    p95_s: float | None
    longest_s: float | None

    @property
    def attempts_per_message(self) -> float | None:
        """How many attempts a message took; None where there was no message."""
        return self.attempts / self.messages if self.messages else None


@attrs.frozen(kw_only=True)
class Curve:
    """Moments, in seconds since the beginning and in order, for a plot.

    Args:
        due_s: when each delivery was to be sent.
        rang_s: when phones rang for the first time, by the account that made them.
    """

    due_s: tuple[float, ...]
    rang_s: Mapping[AccountId, tuple[float, ...]]


@attrs.frozen(kw_only=True)
class Result:
    """What came of one rehearsal.

    Args:
        total: of all messages.
        accounts: of each account's.
        turned_away: recipients whose message no route took.
        ended_s: when nothing was left to happen, or the time was over.
        curve: of the deliveries, in the course of time.
    """

    total: Figures
    accounts: Mapping[AccountId, Figures]
    turned_away: int
    ended_s: float
    curve: Curve

    @property
    def sound(self) -> bool:
        """Whether nothing was lost, and nobody rung twice unasked."""
        return not (self.total.lost or self.total.unasked_copies)


@attrs.define
class _Tally:
    """Counts one column."""

    counts: Counter[str] = attrs.field(factory=Counter)
    waits_s: list[float] = attrs.field(factory=list)

    def rings(self, promise: Promise, rings_s: float) -> None:
        self.counts["delivered"] += 1
        self.counts["late"] += rings_s > promise.late_s
        self.waits_s.append(rings_s - promise.due_s)


def reckon(stage: Stage) -> Result:
    """Count it all."""
    ledger, end_s = stage.ledger, stage.timeline.monotonic()
    tallies = {name: _Tally() for name in stage.vendors}
    whole = _Tally()
    rung = _count_rings(ledger, end_s, whole, tallies)
    _count_ends(ledger, rung, stage.parts.store.deliveries(Filter()), whole, tallies)
    prices = {name: vendor.account.price for name, vendor in stage.vendors.items()}
    accounts = {
        name: _figures(tally, _asked(ledger, [name]), len(ledger.tried.get(name, ())), _bill(ledger, prices, [name]))
        for name, tally in tallies.items()
    }
    total = _figures(whole, _asked(ledger, tallies), len(ledger.promises), _bill(ledger, prices, tallies))
    return Result(
        total=total,
        accounts=accounts,
        turned_away=ledger.turned_away,
        ended_s=end_s,
        curve=_curve(ledger, rung.values(), tuple(tallies)),
    )


def _curve(ledger: Ledger, rung: Iterable[Copy], accounts: tuple[AccountId, ...]) -> Curve:
    rang_s: dict[AccountId, list[float]] = {name: [] for name in accounts}
    for copy in rung:
        rang_s[copy.account].append(copy.rings_s or 0.0)
    return Curve(
        due_s=tuple(sorted(one.due_s for one in ledger.promises.values())),
        rang_s={name: tuple(sorted(moments)) for name, moments in rang_s.items()},
    )


def _count_rings(
    ledger: Ledger, end_s: float, whole: _Tally, tallies: Mapping[AccountId, _Tally]
) -> dict[DeliveryId, Copy]:
    """Count the phones that rang by then; return the first ring of each delivery."""
    rung: dict[DeliveryId, Copy] = {}
    judged = _Copies(ledger)
    for copy in ledger.copies:
        if copy.rings_s is None or copy.rings_s > end_s:
            continue
        for tally in (whole, tallies[copy.account]):
            tally.counts.update(judged.kinds(copy))
        judged.add(copy)
        first = rung.setdefault(copy.parcel.delivery, copy)
        if first.rings_s is None or copy.rings_s < first.rings_s:
            rung[copy.parcel.delivery] = copy
    for name, copy in rung.items():
        for tally in (whole, tallies[copy.account]):
            tally.rings(ledger.promises[name], copy.rings_s or 0.0)
    return rung


class _Copies:
    """Which rings are second ones, and whether somebody asked for them.

    A copy that follows another is judged by what it was sent for, whichever of the two rings first. Of a message that a
    route broadcasts there is a delivery for each account: its second ring was asked for by that route.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._promises = ledger.promises
        self._rings: Counter[DeliveryId] = Counter()
        self._phones: set[tuple[MessageId, E164]] = set()

    def add(self, copy: Copy) -> None:
        """Take note of a ring."""
        self._rings[copy.parcel.delivery] += 1
        self._phones.add(_phone(copy))

    def kinds(self, copy: Copy) -> tuple[str, ...]:
        """Return what one more ring is counted as; nothing where it is the phone's first."""
        before = self._rings[copy.parcel.delivery]
        if not before:
            return ("asked_copies",) if _phone(copy) in self._phones else ()
        allowed = before < self._promises[copy.parcel.delivery].most_copies
        return ("asked_copies" if allowed and copy.parcel.trigger in _ASKED else "unasked_copies",)


def _phone(copy: Copy) -> tuple[MessageId, E164]:
    return message_of(copy.parcel.delivery), copy.parcel.to


def _count_ends(
    ledger: Ledger,
    rung: Mapping[DeliveryId, Copy],
    found: Iterable[Delivery],
    whole: _Tally,
    tallies: Mapping[AccountId, _Tally],
) -> None:
    """Count what became of those that never rang."""
    missing = set(ledger.promises) - rung.keys()
    for delivery in found:
        if delivery.id not in missing:
            continue
        missing.discard(delivery.id)
        lost = delivery.state is State.DELIVERED
        word = "lost" if lost else _ENDED.get(delivery.state, "open")
        whole.counts[word] += 1
        if delivery.account is not None and delivery.account in tallies:
            tallies[delivery.account].counts[word] += 1
    whole.counts["lost"] += len(missing)


def _asked(ledger: Ledger, accounts: Iterable[AccountId]) -> Counter[str]:
    """Count what was asked of those accounts' vendors."""
    counts: Counter[str] = Counter()
    for name in accounts:
        counts.update(ledger.outcomes.get(name, Counter()))
        counts["requests"] += ledger.requests[name]
    return counts


def _bill(
    ledger: Ledger, prices: Mapping[AccountId, Decimal | None], accounts: Iterable[AccountId]
) -> tuple[int, Decimal | None]:
    """Return the segments that those accounts' vendors took, and what these cost."""
    wanted = set(accounts)
    segments: Counter[AccountId] = Counter()
    for copy in ledger.copies:
        if copy.account in wanted:
            segments[copy.account] += copy.parcel.segments
    costs = [None if (price := prices[name]) is None else price * count for name, count in segments.items()]
    known = [cost for cost in costs if cost is not None]
    return segments.total(), sum(known, Decimal(0)) if len(known) == len(costs) else None


def _figures(tally: _Tally, asked: Counter[str], messages: int, bill: tuple[int, Decimal | None]) -> Figures:
    waits_s = sorted(tally.waits_s)
    kinds = ("accepted", "refused", "not_sent", "unknown")
    words = ("delivered", "late", "asked_copies", "unasked_copies", *_ENDED.values(), "open", "lost")
    segments, cost = bill
    return Figures(
        messages=messages,
        requests=asked["requests"],
        attempts=sum(asked[kind] for kind in kinds),
        **{kind: asked[kind] for kind in kinds},
        **{word: tally.counts[word] for word in words},
        segments=segments,
        cost=cost,
        median_s=_percentile(waits_s, 0.5),
        p95_s=_percentile(waits_s, 0.95),
        longest_s=waits_s[-1] if waits_s else None,
    )


def _percentile(ordered: list[float], share: float) -> float | None:
    """Return the smallest that so many are not above; None of nothing."""
    if not ordered:
        return None
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]
