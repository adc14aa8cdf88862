"""Which account is next, or when one may be, or why none is: for every step of a delivery the same.

Each account is asked once; then those that did not take it for a passing reason are asked again, round after round,
with a pause between two rounds that doubles, and is drawn at random below that (full jitter). One that is closed just
now is passed over. Where all are, it is waited for; but what cannot wait goes all the same where a breaker alone is in
its way, to the account that was ejected longest ago.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import attrs

from tocsin.model.ids import AccountId
from tocsin.outbox.record import Trigger
from tocsin.policy.decision import (
    AwaitReport,
    CloseWindow,
    Expire,
    GiveUp,
    Later,
    Park,
    Stop,
    Submit,
    Undelivered,
)
from tocsin.policy.judge import Bar, Bench, Candidate, Judgement, Verdict, judge
from tocsin.policy.standing import SAME_TRY, Standing, is_passing, settled_at

FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=5)
LEAST_PAUSE = timedelta(seconds=1)


@attrs.frozen(kw_only=True)
class Choice:
    """What a choice is made from.

    Args:
        standing: where the delivery stands.
        candidates: the route's accounts, in the order its strategy gives.
        now: aware time.
        dice: a number drawn from 0 to 1.
    """

    standing: Standing
    candidates: tuple[Candidate, ...]
    now: datetime
    dice: float

    @property
    def passing(self) -> frozenset[Bar]:
        """Which closures may be passed over where nobody else is there: a breaker, by what cannot wait.

        Who submits now and will not ask again is the judge of a refused account, too: the password may be right by now.
        """
        if not self.standing.may_wait:
            return frozenset((Bar.BREAKER, Bar.STICKY))
        return frozenset((Bar.BREAKER,)) if self.standing.rules.insists else frozenset()

    def is_open_elsewhere(self, account: AccountId) -> bool:
        """Say whether another account may be asked just now."""
        others = (one for one in self.candidates if one.account != account)
        spent = _spent(self.standing, None)
        return any(not (one.obstacles or one.closures) and one.account not in spent for one in others)

    def submit(
        self,
        account: AccountId,
        why: str,
        judgements: tuple[Judgement, ...],
        trigger: Trigger,
        at_most: int | None = None,
    ) -> Submit:
        """Return the decision to submit, with which copy it is, and whether a breaker is passed over for it."""
        return Submit(
            account=account,
            why=why,
            judgements=judgements,
            trigger=trigger,
            copy=self.standing.copies + 1,
            max_copies=self.standing.rules.max_copies,
            at_most=at_most,
            insists=any(one.account == account and one.closures for one in self.candidates),
        )

    def stop(self, why: str, judgements: tuple[Judgement, ...] = (), *, expired: bool = False) -> Stop:
        """Stop. While a copy may exist nobody may say that it failed; a report that says so has the last word."""
        window_ends_at = self.standing.window_ends_at
        if window_ends_at is not None and self.now >= window_ends_at:
            return CloseWindow()
        if window_ends_at is not None:  # silence about it led here
            under_way = f"{why}; an earlier copy is under way"
            return AwaitReport(why=under_way, until=window_ends_at, overdue=True, judgements=judgements)
        if self.standing.in_doubt:
            return Park(why=f"{why}; an earlier copy is in doubt", judgements=judgements)
        if self.standing.newest_copy is not None:
            return Undelivered(why=why, judgements=judgements)
        return Expire() if expired else GiveUp(why=why, judgements=judgements)


def choose(choice: Choice, why: str, trigger: Trigger, again: AccountId | None = None) -> Submit | Later | Stop:
    """Take the first account that may carry the message, while another copy is allowed.

    Args:
        choice: what to choose from.
        why: what the submit follows from, in words; empty for a first try.
        trigger: the same as a value.
        again: the account that may be asked although it may have taken the message.
    """
    standing = choice.standing
    if standing.copies >= standing.rules.max_copies:
        return choice.stop(f"{why}; its class allows {standing.rules.max_copies} copies, which exist")
    if standing.exhausted:
        return choice.stop(f"{why}; it was submitted as often as a message may be")
    spent = _spent(standing, again)
    field = _field(choice, spent)
    resting = _resting(choice, field.accounts)
    if not standing.may_wait:
        spent, resting = spent | resting, frozenset()
    judgements = judge(field.candidates, Bench(tried=spent, resting=resting, passing=field.passing))
    chosen = next((one.account for one in judgements if one.verdict is Verdict.CHOSEN), None)
    if chosen is not None:
        return choice.submit(chosen, why or "the first account of the route that can take it", judgements, trigger)
    if standing.may_wait and (until := _ask_again_at(choice, judgements, resting)) is not None:
        return Later(until=until, why=_later(why, judgements), judgements=judgements)
    nobody = f"{why}; no other account can take it" if why else "no account of the route can take it"
    return choice.stop(nobody, judgements)


@attrs.frozen(kw_only=True)
class _Field:
    """Who may be asked, sooner or later.

    Args:
        candidates: all of the route, in the order in which they are judged.
        accounts: those that play in this round.
        passing: closures that are passed over.
    """

    candidates: tuple[Candidate, ...]
    accounts: tuple[AccountId, ...]
    passing: frozenset[Bar] = frozenset()


def _field(choice: Choice, spent: frozenset[AccountId]) -> _Field:
    """Return who plays: the accounts that are open; where none is, those that only a breaker keeps out."""
    able = [one for one in choice.candidates if not one.obstacles and one.account not in spent]
    if any(not one.closures for one in able):
        accounts = tuple(one.account for one in able if not one.closures)
        return _Field(candidates=choice.candidates, accounts=accounts)
    by_ejection = tuple(sorted(choice.candidates, key=lambda one: one.ejected_at or choice.now))
    accounts = tuple(one.account for one in able if one.closed_until(choice.passing) is None)
    return _Field(candidates=by_ejection, accounts=accounts, passing=choice.passing)


def _later(why: str, judgements: tuple[Judgement, ...]) -> str:
    """Say in words what is waited for."""
    if any(one.verdict is Verdict.RESTS for one in judgements):
        return f"{why}; those that may take it later are asked again"
    closed = "no account that can take it is open just now"
    return f"{why}; {closed}" if why else closed


def _ask_again_at(choice: Choice, judgements: tuple[Judgement, ...], resting: frozenset[AccountId]) -> datetime | None:
    """Return when somebody may take it: after the pause, or when the first of those that are closed opens."""
    closed = {one.account for one in judgements if one.verdict is Verdict.CLOSED}
    moments = [one.closed_until() for one in choice.candidates if one.account in closed]
    if any(one.verdict is Verdict.RESTS for one in judgements):
        moments.append(_pause_ends_at(choice, resting))
    opens_at = min((moment for moment in moments if moment is not None), default=None)
    return None if opens_at is None else min(opens_at, choice.standing.expires_at)


def _spent(standing: Standing, again: AccountId | None) -> frozenset[AccountId]:
    """Return the accounts that are not asked any more: they may have taken it, or refused it for good.

    The last word of an account counts: what it said of a whole group, or of a stale stamp, belongs to the try before.
    """
    last_words = {one.account: one for one in standing.attempts}.values()
    refused = (one.account for one in last_words if not (one.state.may_ring or is_passing(one)))
    return frozenset(refused) | {one.account for one in standing.attempts if one.state.may_ring} - {again}


def _resting(choice: Choice, asked: tuple[AccountId, ...]) -> frozenset[AccountId]:
    """Return the accounts that are not asked just now: they had their turn in this round."""
    turns = _turns(choice.standing)
    if not asked:
        return frozenset()
    least = min(turns[account] for account in asked)
    had_theirs = frozenset(account for account in asked if turns[account] > least)
    if least == 0 or had_theirs or _paused(choice):
        return had_theirs
    return frozenset(asked)


def _turns(standing: Standing) -> Counter[AccountId]:
    return Counter(one.account for one in standing.since if one.reason not in SAME_TRY)


def _paused(choice: Choice) -> bool:
    """Say whether the pause before this round is over."""
    standing = choice.standing
    return standing.due_at is not None and settled_at(standing.attempts[-1]) < standing.due_at <= choice.now


def _pause_ends_at(choice: Choice, resting: frozenset[AccountId]) -> datetime:
    turns = _turns(choice.standing)
    rounds = min(turns[account] for account in resting)
    longest = FIRST_PAUSE
    for _ in range(rounds - 1):
        longest = min(2 * longest, LONGEST_PAUSE)
    return min(choice.now + max(LEAST_PAUSE, longest * choice.dice), choice.standing.expires_at)
