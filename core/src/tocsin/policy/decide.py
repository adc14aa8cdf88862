"""The one decision: what happens next to a delivery, and why. Pure, total, and the same everywhere it is asked.

It is asked of a claimed delivery before each submit, and of one in doubt once its wait for evidence is over. The
history of attempts carries all it needs: a group that is being halved, a submit that may be repeated once, accounts
already tried, copies that may exist. So a process that dies between two steps loses no decision.
"""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

import attrs

from tocsin.model.ids import AccountId
from tocsin.model.outcome import Reason
from tocsin.outbox.record import Attempt
from tocsin.outbox.state import AttemptState
from tocsin.policy.judge import Candidate, Judgement, Verdict, judge
from tocsin.policy.route import InDoubt, Rules


@attrs.frozen(kw_only=True)
class Standing:
    """Where a delivery stands, as far as the policy cares.

    Args:
        rules: of its class, as its route refines them.
        expires_at: no submit begins at or after it.
        attempts: all of them, in order.
    """

    rules: Rules
    expires_at: datetime
    attempts: tuple[Attempt, ...] = ()

    @property
    def copies(self) -> int:
        """How many copies may exist (I5)."""
        return sum(attempt.is_copy for attempt in self.attempts)

    @property
    def in_doubt(self) -> bool:
        """Whether some attempt's outcome is unknown."""
        return any(attempt.state is AttemptState.UNKNOWN for attempt in self.attempts)


@attrs.frozen(kw_only=True)
class Submit:
    """Submit through this account now.

    Args:
        at_most: most recipients that may leave with it in one request; None for what account and class allow.
    """

    account: AccountId
    why: str
    judgements: tuple[Judgement, ...]
    at_most: int | None = None


@attrs.frozen(kw_only=True)
class GiveUp:
    """Nothing more can be done, and no phone will ring: the delivery has failed."""

    why: str
    judgements: tuple[Judgement, ...] = ()


@attrs.frozen(kw_only=True)
class Park:
    """A copy may exist and the policy sends no other: the delivery waits, visibly, for evidence or an operator."""

    why: str
    judgements: tuple[Judgement, ...] = ()


@attrs.frozen(kw_only=True)
class AwaitReport:
    """A vendor has taken an earlier copy, and nothing better can be done: its report will tell."""

    why: str
    judgements: tuple[Judgement, ...] = ()


@attrs.frozen(kw_only=True)
class Wait:
    """Evidence may still come: ask again at that time."""

    until: datetime
    why: str


@attrs.frozen(kw_only=True)
class Expire:
    """Its time is over."""

    why: str = "it expired before it could be sent"


Decision = Submit | GiveUp | Park | AwaitReport | Wait | Expire


def decide(standing: Standing, candidates: tuple[Candidate, ...], now: datetime) -> Decision:
    """Decide what happens next.

    Args:
        standing: where the delivery stands.
        candidates: the route's accounts, in the order its strategy gives.
        now: aware time.
    """
    last = standing.attempts[-1] if standing.attempts else None
    proved = next((attempt for attempt in standing.attempts if attempt.proved and attempt.is_copy), None)
    if proved is not None:
        return AwaitReport(why=f"evidence came that {proved.account} has taken it")
    if last is not None and last.state is AttemptState.UNKNOWN:
        return _decide_doubt(standing, last, candidates, now)
    if now >= standing.expires_at:
        return _stop(standing, Expire())
    if last is not None and last.state is AttemptState.REFUSED:
        return _after_refusal(standing, last, candidates)
    return _choose(standing, candidates, "" if last is None else f"{last.account} was not reached ({last.cause})")


def _after_refusal(standing: Standing, last: Attempt, candidates: tuple[Candidate, ...]) -> Decision:
    """Halve a group, repeat a submit once, go to the next account, or stop: the reason says which."""
    reason = last.reason or Reason.UNRECOGNISED
    can_still = standing.copies < standing.rules.max_copies and any(
        one.account == last.account and not one.obstacles for one in candidates
    )
    if can_still and reason is Reason.SPLIT and last.group_size > 1:
        half = (last.group_size + 1) // 2
        return _again(last, candidates, f"one of {last.group_size} recipients was refused: the group is halved", half)
    if can_still and reason is Reason.ONE_BY_ONE and last.group_size > 1:
        return _again(last, candidates, "the account takes no personalised group: each goes alone", 1)
    if can_still and reason is Reason.RETRY_ONCE and not _repeated(standing, last):
        return _again(last, candidates, "the vendor asks for the same submit again, once", last.group_size)
    why = f"{last.account} refused: {reason.label}" + (f" ({last.code})" if last.code else "")
    if not reason.elsewhere:
        return _stop(standing, GiveUp(why=f"{why}; another account could do no better"))
    return _choose(standing, candidates, why)


def _again(last: Attempt, candidates: tuple[Candidate, ...], why: str, at_most: int) -> Submit:
    """Submit through the same account: it is still the same try."""
    judgements = tuple(
        Judgement(candidate.account, Verdict.CHOSEN if candidate.account == last.account else Verdict.NOT_ASKED)
        for candidate in candidates
    )
    return Submit(account=last.account, why=why, judgements=judgements, at_most=at_most)


def _repeated(standing: Standing, last: Attempt) -> bool:
    return any(
        earlier.reason is Reason.RETRY_ONCE and earlier.account == last.account for earlier in standing.attempts[:-1]
    )


def _decide_doubt(standing: Standing, last: Attempt, candidates: tuple[Candidate, ...], now: datetime) -> Decision:
    """Wait for evidence; then hold, or send a copy where the class and its count of copies allow one."""
    doubt = f"nobody knows whether {last.account} took it ({last.cause})"
    until = (last.settled_at or last.intended_at) + standing.rules.evidence_wait
    if now < until:
        return Wait(until=until, why=f"{doubt}: waiting for evidence")
    if now >= standing.expires_at:
        return Park(why=f"{doubt}, and its time is over")
    match standing.rules.when_in_doubt:
        case InDoubt.HOLD:
            return Park(why=f"{doubt}: its class holds it")
        case InDoubt.RESEND_SAME:
            same = tuple(candidate for candidate in candidates if candidate.account == last.account)
            return _choose(standing, same, f"{doubt}: its class sends again by the same account", tried=frozenset())
        case InDoubt.RESEND_OTHER:
            return _choose(standing, candidates, f"{doubt}: its class sends by another account")
        case never:
            assert_never(never)


def _choose(
    standing: Standing, candidates: tuple[Candidate, ...], why: str, tried: frozenset[AccountId] | None = None
) -> Decision:
    """Take the first candidate that may carry it, while another copy is allowed. `why` is empty for a first try."""
    if standing.copies >= standing.rules.max_copies:
        return _stop(standing, GiveUp(why=f"{why}; its class allows {standing.rules.max_copies} copies, which exist"))
    if tried is None:
        tried = frozenset(attempt.account for attempt in standing.attempts)
    judgements = judge(candidates, tried)
    chosen = next((one.account for one in judgements if one.verdict is Verdict.CHOSEN), None)
    if chosen is None:
        nobody = f"{why}; no other account can take it" if why else "no account of the route can take it"
        return _stop(standing, GiveUp(why=nobody, judgements=judgements))
    return Submit(account=chosen, why=why or "the first account of the route that can take it", judgements=judgements)


def _stop(standing: Standing, otherwise: GiveUp | Expire) -> GiveUp | Expire | Park | AwaitReport:
    """Stop. While an earlier copy exists, or is in doubt, nobody may say that it failed."""
    judgements = otherwise.judgements if isinstance(otherwise, GiveUp) else ()
    if standing.in_doubt:
        return Park(why=f"{otherwise.why}; an earlier copy is in doubt", judgements=judgements)
    if standing.copies:
        return AwaitReport(why=f"{otherwise.why}; an earlier copy is under way", judgements=judgements)
    return otherwise
