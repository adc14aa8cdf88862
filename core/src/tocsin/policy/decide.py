"""The one decision: what happens next to a delivery, and why. Pure, total, and the same everywhere it is asked.

It is asked of a claimed delivery before each submit, of one in doubt once its wait for evidence is over, and of a
submitted one whose report says that it failed, or does not come. The history of attempts carries all it needs: a group
that is being halved, a submit that may be repeated once, accounts already tried, copies that may exist. So a process
that dies between two steps loses no decision.
"""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from tocsin.model.ids import AccountId
from tocsin.model.outcome import Reason
from tocsin.model.report import ReportState
from tocsin.outbox.record import Attempt, Trigger
from tocsin.outbox.state import AttemptState
from tocsin.policy.choose import Choice, choose
from tocsin.policy.decision import AwaitReport, CloseWindow, Decision, Later, Submit, Wait
from tocsin.policy.judge import Candidate, Judgement, Verdict
from tocsin.policy.route import InDoubt, OnUndelivered
from tocsin.policy.standing import LISTEN_AGAIN, LISTEN_SOON, Standing, settled_at

MIDDLE = 0.5


def decide(standing: Standing, candidates: tuple[Candidate, ...], now: datetime, dice: float = MIDDLE) -> Decision:
    """Decide what happens next.

    Args:
        standing: where the delivery stands.
        candidates: the route's accounts, in the order its strategy gives.
        now: aware time.
        dice: a number drawn from 0 to 1, for the pause between two rounds.
    """
    choice = Choice(standing=standing, candidates=candidates, now=now, dice=dice)
    if hopeful := tuple(one for one in standing.taken if not standing.moves_on(one, now)):
        return _await_report(standing, hopeful, now)
    newest = standing.newest_copy
    if newest is None:
        return _go_on(choice, "", Trigger.FIRST)
    if newest.state is AttemptState.UNKNOWN:
        return _after_doubt(choice, newest)
    if newest.report is ReportState.FAILED:
        return _after_failure(choice, newest)
    return _go_on(choice, f"{newest.account} took it, and no report came in time", Trigger.SILENCE)


def _await_report(standing: Standing, hopeful: tuple[Attempt, ...], now: datetime) -> AwaitReport | CloseWindow:
    """Wait for the report of what a vendor took: until it is overdue, then to the end of the window."""
    window_ends_at = standing.window_ends_at
    if window_ends_at is None or now >= window_ends_at:
        return CloseWindow()
    overdue = any(standing.is_silent(one, now) for one in hopeful)
    looks = [_next_look(standing, one, now) for one in hopeful]
    until = min([look for look in looks if look is not None], default=window_ends_at)
    newest = hopeful[-1]
    proved = "evidence came that" if newest.proved else "it is known that"
    silence = ", and no report came in time" if overdue else ""
    why = f"{proved} {newest.account} has taken it{silence}"
    return AwaitReport(why=why, until=min(until, window_ends_at), overdue=overdue)


def _next_look(standing: Standing, copy: Attempt, now: datetime) -> datetime | None:
    """Return when the silence about a copy may say something new: soon after its time, then less and less often."""
    due_at = standing.report_due_at(copy)
    if due_at is None or standing.is_silent(copy, now) or copy.report is ReportState.DELIVERED:
        return None
    return due_at if now < due_at else now + min(max(now - due_at, LISTEN_SOON), LISTEN_AGAIN)


def _after_doubt(choice: Choice, doubt: Attempt) -> Decision:
    """Wait for evidence; then hold, or send a copy where the class and its count of copies allow one."""
    standing = choice.standing
    words = f"nobody knows whether {doubt.account} took it ({doubt.cause})"
    until = settled_at(doubt) + standing.rules.evidence_wait
    if choice.now < until:
        return Wait(until=until, why=f"{words}: waiting for evidence")
    if standing.rules.when_in_doubt is InDoubt.HOLD:
        return choice.stop(f"{words}: its class holds it")
    if not standing.may_resend:
        return choice.stop(f"{words}: the duplicate budget of its class is spent")
    match standing.rules.when_in_doubt:
        case InDoubt.RESEND_SAME:
            words = f"{words}: its class sends again by the same account"
            return _go_on(_only(choice, doubt), words, Trigger.DOUBT, again=doubt)
        case InDoubt.RESEND_OTHER:
            return _go_on(choice, f"{words}: its class sends by another account", Trigger.DOUBT)
        case never:
            assert_never(never)


def _only(choice: Choice, doubt: Attempt) -> Choice:
    same = tuple(candidate for candidate in choice.candidates if candidate.account == doubt.account)
    return Choice(standing=choice.standing, candidates=same, now=choice.now, dice=choice.dice)


def _after_failure(choice: Choice, failed: Attempt) -> Decision:
    """Go on to the next account where the class or route asks for it."""
    code = f" ({failed.report_code})" if failed.report_code else ""
    words = f"{failed.account} reported that it was not delivered{code}"
    match choice.standing.rules.on_undelivered:
        case OnUndelivered.STOP:
            return choice.stop(f"{words}: its class stops there")
        case OnUndelivered.NEXT:
            return _go_on(choice, words, Trigger.UNDELIVERED)
        case never:
            assert_never(never)


def _go_on(choice: Choice, why: str, trigger: Trigger, again: Attempt | None = None) -> Decision:
    """Choose for a step that has begun: for its first submit, or after one that rang no phone."""
    standing = choice.standing
    if choice.now >= standing.expires_at:
        return choice.stop(f"{why}, and its time is over", expired=True)
    account = None if again is None else again.account
    if not standing.since:
        return choose(choice, why, trigger, account)
    trigger = Trigger.NOT_TAKEN if trigger is Trigger.FIRST else trigger
    last = standing.since[-1]
    if last.state is AttemptState.REFUSED:
        return _after_refusal(choice, last, trigger, account)
    return choose(choice, f"{last.account} was not reached ({last.cause})", trigger, account)


def _after_refusal(choice: Choice, last: Attempt, trigger: Trigger, account: AccountId | None) -> Decision:
    """Halve a group, repeat a submit once, go to the next account, or stop: the reason says which."""
    reason = last.reason or Reason.UNRECOGNISED
    repetition = _repetition(choice, last, reason)
    if repetition is not None:
        words, at_most = repetition
        until = _closed_until(choice, last)
        if until is None:
            return _again(choice, last, words, trigger, at_most)
        if choice.standing.may_wait and not choice.is_open_elsewhere(last.account):
            until = min(until, choice.standing.expires_at)
            return Later(until=until, why=f"{words}, once {last.account} may be used again")
    why = f"{last.account} refused: {reason.label}" + (f" ({last.code})" if last.code else "")
    if not reason.elsewhere:
        return choice.stop(f"{why}; another account could do no better")
    return choose(choice, why, trigger, account)


def _repetition(choice: Choice, last: Attempt, reason: Reason) -> tuple[str, int] | None:
    """Return why the same account is asked again at once, and with how many recipients; None where it is not."""
    if not _may_repeat(choice, last):
        return None
    if reason is Reason.SPLIT and last.group_size > 1:
        half = (last.group_size + 1) // 2
        return f"one of {last.group_size} recipients was refused: the group is halved", half
    if reason is Reason.ONE_BY_ONE and last.group_size > 1:
        return "the account takes no personalised group: each goes alone", 1
    if reason is Reason.RETRY_ONCE and not _repeated(choice, last):
        return "the vendor asks for the same submit again, once", last.group_size
    return None


def _may_repeat(choice: Choice, last: Attempt) -> bool:
    """Say whether the account may be asked again within the same try."""
    standing = choice.standing
    fit = any(one.account == last.account and not one.obstacles for one in choice.candidates)
    return fit and standing.copies < standing.rules.max_copies


def _closed_until(choice: Choice, last: Attempt) -> datetime | None:
    """Return when the account of an attempt may be used again; None for now.

    A breaker is passed over only where nobody else is open: the other account takes the rest of the group.
    """
    (same,) = (one for one in choice.candidates if one.account == last.account)
    return same.closed_until(frozenset() if choice.is_open_elsewhere(last.account) else choice.passing)


def _again(choice: Choice, last: Attempt, why: str, trigger: Trigger, at_most: int) -> Submit:
    """Submit through the same account: it is still the same try."""
    judgements = tuple(
        Judgement(candidate.account, Verdict.CHOSEN if candidate.account == last.account else Verdict.NOT_ASKED)
        for candidate in choice.candidates
    )
    return choice.submit(last.account, why, judgements, trigger, at_most)


def _repeated(choice: Choice, last: Attempt) -> bool:
    earlier = choice.standing.attempts[:-1]
    return any(one.reason is Reason.RETRY_ONCE and one.account == last.account for one in earlier)
