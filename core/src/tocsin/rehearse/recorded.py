"""The character of a vendor as a store has recorded it: it does again what it did.

What it did with the same message at about the same time, where the store knows; else what it did then with any other: a
vendor that was dark then is dark for everybody. What it refused for the message's or the number's own sake it refuses
whenever. A phone rang where a report says so, and nowhere else.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from random import Random

from tocsin.model.ids import AccountId, MessageId
from tocsin.model.outcome import Reason, Refused, Scope
from tocsin.model.phone import E164
from tocsin.outbox.state import AttemptState
from tocsin.rehearse.journal import Journal, Record
from tocsin.rehearse.ledger import Parcel
from tocsin.rehearse.vendor import Course, Fate

NEAR_S = 600.0
"""How far another message's attempt may lie away and still say how the vendor was at that time."""

SAME_S = 60.0
"""How much earlier or later the same message may be sent, and still meet what it met."""

_OF_THE_MESSAGE = (Scope.MESSAGE, Scope.RECIPIENT, Scope.TEMPLATE)


class Recorded:
    """Plays a vendor as it was. Fits `tocsin.rehearse.vendor.Character`.

    Args:
        account: whose vendor.
        journal: has some attempt of that account.
        dice: its own.
    """

    def __init__(self, account: AccountId, journal: Journal, dice: Random) -> None:
        self._account = account
        self._journal = journal
        self._dice = dice
        self._typical = [one for one in journal.records[account] if not _is_of_the_message(one)]
        self._typical = self._typical or list(journal.records[account])
        self._moments = [one.at_s for one in self._typical]
        self._asked: Counter[tuple[MessageId, E164]] = Counter()
        self._now: dict[E164, Record] = {}

    def fate(self, parcels: Sequence[Parcel], now_s: float) -> Fate:
        self._now = {one.to: self._next(one, now_s) for one in parcels}
        record = next((one for one in self._now.values() if not _is_of_the_message(one)), self._now[parcels[0].to])
        attempt, delay_s = record.attempt, record.delay_s
        match attempt.state:
            case AttemptState.NOT_SENT:
                return Fate(delay_s=delay_s, unreached=attempt.cause)
            case AttemptState.UNKNOWN:
                return Fate(delay_s=delay_s, lost=attempt.cause, taken=False)
            case AttemptState.REFUSED if not _is_of_the_message(record):
                return Fate(delay_s=delay_s, refused=_refusal(record))
            case _:
                return Fate(delay_s=delay_s, lost=attempt.cause)

    def course(self, parcel: Parcel, now_s: float) -> Course:  # noqa: ARG002 (it was looked up with its request)
        record = self._now[parcel.to]
        if _is_of_the_message(record):
            return Course(refused=_refusal(record))
        return Course(
            rings_after_s=record.rang_after_s, report_after_s=record.heard_after_s, code=record.attempt.report_code
        )

    def reachable(self, now_s: float) -> bool:
        near = self._near(now_s)
        return near is None or near.attempt.state is not AttemptState.NOT_SENT

    def _next(self, parcel: Parcel, now_s: float) -> Record:
        """Return what the vendor did with the same message, if it was about that, or then; else what it did then."""
        own = self._own(parcel)
        if own is not None and (_is_of_the_message(own) or abs(own.at_s - now_s) <= SAME_S):
            return own
        return self._near(now_s) or own or self._dice.choice(self._typical)

    def _own(self, parcel: Parcel) -> Record | None:
        """Return the attempt of the same message, when the vendor was asked as often as now."""
        if parcel.origin is None:
            return None
        turn = self._asked[parcel.origin, parcel.to]
        self._asked[parcel.origin, parcel.to] += 1
        own = self._journal.of_message.get((self._account, parcel.origin, parcel.to), ())
        return own[turn] if turn < len(own) else None

    def _near(self, now_s: float) -> Record | None:
        place = bisect_left(self._moments, now_s)
        near = self._typical[max(0, place - 1) : place + 1]
        found = min(near, key=lambda one: abs(one.at_s - now_s))
        return found if abs(found.at_s - now_s) <= NEAR_S else None


def _is_of_the_message(record: Record) -> bool:
    """Say whether a refusal was about that message or number alone."""
    reason = record.attempt.reason
    return record.attempt.state is AttemptState.REFUSED and reason is not None and reason.scope in _OF_THE_MESSAGE


def _refusal(record: Record) -> Refused:
    return Refused(record.attempt.reason or Reason.UNRECOGNISED, record.attempt.code)
