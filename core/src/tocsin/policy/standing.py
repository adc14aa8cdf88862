"""Where a delivery stands before the policy: its rules, its history, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import assert_never

import attrs

from tocsin.model.ids import AccountId
from tocsin.model.outcome import Accepted, NotSent, Outcome, Reason, Refused, Scope, Unknown
from tocsin.model.report import ReportState
from tocsin.outbox.record import EVIDENCE_WINDOW, Attempt
from tocsin.outbox.state import AttemptState
from tocsin.policy.quality import patience
from tocsin.policy.route import Rules

MOST_OF_A_STEP = 3
"""Submits between two copies: to somebody who refuses, or throttles."""

MOST_IN_ALL = 5
"""Submits of one delivery."""

LISTEN_SOON = timedelta(seconds=2)
"""When to ask again about a report that has just become overdue: the poll that could have brought it is on its way."""

LISTEN_AGAIN = timedelta(seconds=30)
"""When to ask again about silence, while the account's reports cannot be fetched."""

SAME_TRY = frozenset({Reason.SPLIT, Reason.ONE_BY_ONE, Reason.RETRY_ONCE})
"""Refusals after which the same account is asked again at once: still the same try."""


@attrs.frozen(kw_only=True)
class Standing:
    """Where a delivery stands, as far as the policy cares.

    Args:
        rules: of its class, as its route refines them.
        expires_at: no submit begins at or after it.
        attempts: all of them, in order.
        due_at: when the policy was to be asked again, by its own word.
        may_wait: whether somebody will ask again later; without, everything is tried now, each account once.
        heard: when the reports of each account were last fetched without fault; accounts that are not polled are
            absent.
        slowness: what 95 of 100 deliveries of each account take less than; accounts without evidence are absent.
        may_resend: whether the duplicate budget of its class leaves one more copy out of doubt.
    """

    rules: Rules
    expires_at: datetime
    attempts: tuple[Attempt, ...] = ()
    due_at: datetime | None = None
    may_wait: bool = False
    heard: Mapping[AccountId, datetime] = attrs.field(factory=dict)
    slowness: Mapping[AccountId, timedelta] = attrs.field(factory=dict)
    may_resend: bool = True

    @property
    def copies(self) -> int:
        """How many copies may exist (I5)."""
        return sum(attempt.is_copy for attempt in self.attempts)

    @property
    def in_doubt(self) -> bool:
        """Whether some attempt's outcome is unknown."""
        return any(attempt.state is AttemptState.UNKNOWN for attempt in self.attempts)

    @property
    def newest_copy(self) -> Attempt | None:
        """The newest attempt that may have rung a phone, if any."""
        return next((attempt for attempt in reversed(self.attempts) if attempt.state.may_ring), None)

    @property
    def since(self) -> tuple[Attempt, ...]:
        """The attempts after the newest copy: all refused, or not sent."""
        newest = self.newest_copy
        return self.attempts if newest is None else self.attempts[newest.number :]

    @property
    def taken(self) -> tuple[Attempt, ...]:
        """The attempts that a vendor took, and that were not reported undelivered."""
        return tuple(one for one in self.attempts if one.state is AttemptState.ACCEPTED and one.is_copy)

    @property
    def window_ends_at(self) -> datetime | None:
        """When the last report may come of what a vendor took; None where nobody did."""
        return max((settled_at(one) + EVIDENCE_WINDOW for one in self.taken), default=None)

    @property
    def exhausted(self) -> bool:
        """Whether no further submit is allowed, whoever might take it."""
        return _submits(self.since) >= MOST_OF_A_STEP or _submits(self.attempts) >= MOST_IN_ALL

    def report_due_at(self, copy: Attempt) -> datetime | None:
        """Return when the report of what a vendor took is overdue; None for never. A slow account has longer."""
        timeout = self.rules.report_timeout
        return None if timeout is None else settled_at(copy) + patience(timeout, self.slowness.get(copy.account))

    def is_silent(self, copy: Attempt, now: datetime) -> bool:
        """Say whether a report is overdue, and we would have heard it.

        While an account's reports cannot be fetched, silence proves nothing; only a class that cannot afford to wait
        takes it for an answer.
        """
        due_at = self.report_due_at(copy)
        if due_at is None or now < due_at or copy.report is ReportState.DELIVERED:
            return False
        heard_at = self.heard.get(copy.account)
        return self.rules.trusts_silence or heard_at is None or heard_at >= due_at

    def moves_on(self, copy: Attempt, now: datetime) -> bool:
        """Say whether silence about a copy opens the next step. One without an id can never be reported on."""
        return self.rules.moves_on_silence and copy.vendor_id is not None and self.is_silent(copy, now)


def settled_at(attempt: Attempt) -> datetime:
    """Return when an attempt's outcome was known."""
    return attempt.settled_at or attempt.intended_at


def ask_again_at(rules: Rules, outcome: Outcome, now: datetime) -> datetime | None:
    """Return when the policy wants to be asked again after an outcome; None for at once, or never."""
    match outcome:
        case Accepted():
            return now + (EVIDENCE_WINDOW if rules.report_timeout is None else rules.report_timeout)
        case Unknown():
            return now + rules.evidence_wait
        case NotSent() | Refused():
            return None
        case never:
            assert_never(never)


def is_passing(attempt: Attempt) -> bool:
    """Say whether the account that did not take it may take it a little later."""
    if attempt.state is AttemptState.NOT_SENT:
        return True
    return attempt.reason is not None and attempt.reason.scope in (Scope.THROTTLE, Scope.VENDOR)


def retries(attempts: tuple[Attempt, ...], account: AccountId) -> bool:
    """Say whether a submit through the account would be a retry: it had its turn, and the try is a new one."""
    if not any(one.account == account for one in attempts):
        return False
    last = attempts[-1]
    return not (last.account == account and last.reason in SAME_TRY)


def _submits(attempts: tuple[Attempt, ...]) -> int:
    """Count the submits that a vendor saw. A halved group and a repeated stamp belong to the try before them."""
    return sum(one.state is not AttemptState.NOT_SENT and one.reason not in SAME_TRY for one in attempts)
