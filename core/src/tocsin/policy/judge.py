"""Judgements: what is thought of each account for one delivery, and why. Each is stored with the decision.

What stands in an account's way is found outside. `Candidate.obstacles` are there to stay: the vendor's `fits`, the
signature rule, an opt-out. `Candidate.closures` pass: breaker, limits, hours, balance. A new one needs no change here.
"""

from __future__ import annotations

import enum
from datetime import datetime
from decimal import Decimal

import attrs

from tocsin.model.ids import AccountId
from tocsin.model.quality import FULL


class Verdict(enum.StrEnum):
    """What came of judging one account. Values are shown to people and programs."""

    CHOSEN = "chosen"
    ELIGIBLE = "eligible"
    """It could take it, and stands behind the chosen one."""

    TRIED = "already_tried"
    RESTS = "rests"
    """It had its turn in this round, and did not take it for a reason that passes: it is asked again."""

    CLOSED = "closed"
    """It may not be used just now: breaker, limit, hours, balance or an operator says so."""

    CANNOT_CARRY = "cannot_carry"
    NOT_ASKED = "not_asked"
    """The same try goes on with another account; this one was not judged."""


class Bar(enum.StrEnum):
    """What may close an account for a while."""

    BREAKER = "breaker"
    STICKY = "sticky"
    DISABLED = "disabled"
    HOURS = "hours"
    SUBMITS = "submits"
    LIMIT = "limit"
    MONEY = "money"
    BALANCE = "balance"
    RETRIES = "retries"


@attrs.frozen(kw_only=True)
class Closure:
    """One of them.

    Args:
        until: when to ask again.
        why: in words.
    """

    bar: Bar
    until: datetime
    why: str


@attrs.frozen(kw_only=True)
class Candidate:
    """One account of the route.

    Args:
        obstacles: each reason why it cannot carry the message, in words; empty where it can.
        closures: each reason why it may not just now; empty where it may.
        segments: that the text takes as the account would send it.
        cost: of those; None where the account has no price.
        quality: points of 100 for its delivery to numbers like this.
        ejected_at: since when its breaker keeps it out; None where it does not.
    """

    account: AccountId
    obstacles: tuple[str, ...] = ()
    closures: tuple[Closure, ...] = ()
    segments: int = 1
    cost: Decimal | None = None
    quality: int = FULL
    ejected_at: datetime | None = None

    def closed_until(self, passing: frozenset[Bar] = frozenset()) -> datetime | None:
        """Return when the last of its closures ends, but for those that are passed over; None where it is open."""
        return max((one.until for one in self.closures if one.bar not in passing), default=None)


@attrs.frozen
class Judgement:
    """What was thought of one account."""

    account: AccountId
    verdict: Verdict
    detail: str = ""


@attrs.frozen(kw_only=True)
class Bench:
    """Who does not play just now.

    Args:
        tried: who is not asked any more.
        resting: who had its turn in this round.
        passing: closures that are passed over.
    """

    tried: frozenset[AccountId] = frozenset()
    resting: frozenset[AccountId] = frozenset()
    passing: frozenset[Bar] = frozenset()


def judge(candidates: tuple[Candidate, ...], bench: Bench) -> tuple[Judgement, ...]:
    """Judge the candidates in order; the first that may carry the message is the chosen one."""
    judgements = [_judgement(candidate, bench) for candidate in candidates]
    chosen = next((at for at, one in enumerate(judgements) if one.verdict is Verdict.ELIGIBLE), None)
    if chosen is not None:
        judgements[chosen] = attrs.evolve(judgements[chosen], verdict=Verdict.CHOSEN)
    return tuple(judgements)


def _judgement(candidate: Candidate, bench: Bench) -> Judgement:
    account = candidate.account
    if candidate.obstacles:
        return Judgement(account, Verdict.CANNOT_CARRY, "; ".join(candidate.obstacles))
    if account in bench.tried:
        return Judgement(account, Verdict.TRIED)
    words = "; ".join(one.why for one in candidate.closures)
    if candidate.closed_until(bench.passing) is not None:
        return Judgement(account, Verdict.CLOSED, words)
    if account in bench.resting:
        return Judgement(account, Verdict.RESTS, words)
    return Judgement(account, Verdict.ELIGIBLE, words)
