"""What is counted for whoever watches from outside: what waits, and what came of the rest. Values; pure.

What waits is counted when somebody asks. What has ended is never counted again: each transaction that ends something
adds to a tally, so that to look at a store of a million deliveries costs no more than to look at a new one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

import attrs

from tocsin.model.ids import AccountId, DeliveryId
from tocsin.outbox.record import Attempt, Delivery, Transition
from tocsin.outbox.state import AttemptState, State


@attrs.frozen
class Tally:
    """What is counted: deliveries that ended in a state, or attempts that came to one.

    Args:
        account: of the newest attempt, or of the attempt; None where there was none.
        state: that was entered. What a late report changes counts once more, under its new state.
    """

    account: AccountId | None
    state: State | AttemptState


@attrs.frozen(kw_only=True)
class Backlog:
    """What of one urgency is queued.

    Args:
        urgency: as `tocsin.model.message.MessageClass.urgency` says.
        number: of deliveries.
        due_at: when the first of them was, or will be, due.
    """

    urgency: int
    number: int
    due_at: datetime


@attrs.frozen(kw_only=True)
class Gauges:
    """All that a store counts, as of one moment.

    Args:
        open: deliveries that have not ended, by state and the account of their newest attempt.
        tallies: what has ended since the store was made.
        backlog: what is queued, by urgency; nothing for an urgency of which nothing is.
        doubted_since: when the oldest attempt began that leaves a delivery in doubt; None where none does.
    """

    open: Mapping[tuple[State, AccountId | None], int]
    tallies: Mapping[Tally, int]
    backlog: tuple[Backlog, ...]
    doubted_since: datetime | None


class GaugeRows(Protocol):
    """What a store keeps for it. All within a transaction."""

    def add(self, more: Mapping[Tally, int]) -> None:
        """Count so many more of each."""
        ...

    def touch(self, now: datetime) -> None:
        """Write down the time: a write that means nothing."""
        ...

    def tallies(self) -> Mapping[Tally, int]:
        """Return all that was counted."""
        ...

    def backlog(self) -> tuple[Backlog, ...]:
        """Return what is queued, by urgency."""
        ...

    def doubted_since(self) -> datetime | None:
        """Return when the oldest attempt began that leaves a delivery in doubt."""
        ...


def ends(transitions: Iterable[Transition], deliveries: Mapping[DeliveryId, Delivery]) -> Counter[Tally]:
    """Count what ended by these transitions, of deliveries as they stand now."""
    return Counter(Tally(deliveries[one.delivery].account, one.after) for one in transitions if one.after.terminal)


OPEN = tuple(state for state in State if not state.terminal)
"""States in which something may still happen by itself."""


def outcomes(attempts: Iterable[Attempt]) -> Counter[Tally]:
    """Count what came of attempts that have just been settled."""
    return Counter(Tally(one.account, one.state) for one in attempts)
