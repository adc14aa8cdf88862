"""Looks after breakers and sticky states: that nothing passes where they stand, and that they stand where they must.

What passes is judged by the account's health as it is stored, and by what operators truly did; whether the health is as
it must be, by the attempts.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tocsin.model.ids import AccountId, MessageId, SubmitId
from tocsin.model.message import MessageClass
from tocsin.model.outcome import Scope, Sticky
from tocsin.outbox.health import Health
from tocsin.outbox.record import Attempt
from tocsin.outbox.state import AttemptState
from tocsin.simulate.seen import Kind
from tocsin.simulate.timeline import START

if TYPE_CHECKING:
    from tocsin.simulate.world import World

_PROBE_LEASE = timedelta(seconds=60)
_ROW_WITHIN = timedelta(minutes=10)
_SHORTEST, _LONGEST = timedelta(seconds=24), timedelta(seconds=360)
_SUCCESSES = 3
_IN_A_ROW, _RARE_IN_A_ROW = 5, 3
_MINUTE = timedelta(seconds=61)
"""A little longer than the breaker's window."""
_OWN_TROUBLE = ("lease-short", "plugin-fault", "commit-unknown")
_UNHEARD = ("holder-lost",)
_HEALTHY = (Scope.MESSAGE, Scope.RECIPIENT, Scope.TEMPLATE)


class Physician:
    """Who looks after the health of one world's accounts."""

    def __init__(self, world: World) -> None:
        self._world = world

    # what passes

    def begins(self, attempts: tuple[Attempt, ...]) -> None:
        """Check that a request may pass, within the transaction of its INTENT."""
        first = attempts[0]
        if first.account in self._world.outsiders.disabled:
            self._world.violated("sticky", first.id, "an operator has taken its account out of use")
        health = self._world.rows.books.health().get(first.account)
        if health is None or self._may_insist(first):
            return
        now = first.intended_at
        for rule, until, why in (
            ("sticky", health.sticky_until, "its account is shut by what the vendor said of it"),
            ("breaker", health.open_until, "its account's breaker is open"),
            ("breaker", health.probe_until, "its account is being probed"),
        ):
            if until is not None and until > now:
                self._world.violated(rule, first.id, why)
        if health.opened_at is not None or health.sticky is not None:
            self._check_probe(attempts, health)

    def _check_probe(self, attempts: tuple[Attempt, ...], health: Health) -> None:
        """Check that what goes to see goes alone."""
        first, since = attempts[0], health.changed_at or attempts[0].intended_at
        self._world.saw(Kind.PROBED)
        if len(attempts) > 1:
            self._world.violated("breaker", first.id, f"{len(attempts)} messages go together to see")
        others = [one for one in self._of(first.account, since) if one.submit != first.submit]
        if any(self._may_insist(one) for one in others):
            return  # its answer may have been taken for that of the probe
        lately = first.intended_at - _PROBE_LEASE
        if any(one.state is AttemptState.INTENT and one.intended_at > lately for one in others):
            self._world.violated("breaker", first.id, "its account is being probed, and the answer has not come")

    def _may_insist(self, attempt: Attempt) -> bool:
        """Say whether an open breaker may be passed over: for critical messages, and by who submits at once."""
        rows = self._world.rows
        message = rows.find_message(rows.get_deliveries([attempt.delivery])[attempt.delivery].message)
        return message is None or message.cls is MessageClass.CRITICAL or self._at_once(message.id)

    def _at_once(self, message: MessageId) -> bool:
        return any(one.now and self._world.message_of(one) == message for one in self._world.scenario.sendings)

    # what changes

    def fares(self, before: Health, after: Health) -> None:
        """Check a change of an account's health, and count what it is."""
        if before.opened_at is None and after.opened_at is not None:
            self._world.saw(Kind.BREAKER_OPENED)
        if after.openings > before.openings:
            self._check_opening(after)
        resumed = self._world.outsiders.resuming == after.account
        if before.opened_at is not None and after.opened_at is None and not resumed:
            self._world.saw(Kind.BREAKER_CLOSED)
            self._check_closing(before)
        if after.sticky is not None and before.sticky is not after.sticky:
            self._world.saw(Kind.DRAINED if after.sticky is Sticky.DRAINED else Kind.FORCED_OPEN)
        if before.sticky is not None and after.sticky is None and not resumed:
            self._world.saw(Kind.LIFTED)

    def _check_opening(self, after: Health) -> None:
        if after.opened_at is None or after.open_until is None:
            self._world.violated("breaker", after.account, "it opened, and nobody knows for how long")
        elif not _SHORTEST <= after.open_until - after.opened_at <= _LONGEST:
            self._world.violated("breaker", after.account, f"it opens for {after.open_until - after.opened_at}")

    def _check_closing(self, before: Health) -> None:
        """It closes after three successes since it opened. Of an answer that nobody waited for we know nothing."""
        since = before.opened_at or self._world.timeline.now()
        well = [one for one in self._samples(before.account, since).values() if one[1] is not _Said.ILL]
        if len(well) < _SUCCESSES:
            self._world.violated("breaker", before.account, f"it closes after {len(well)} successes")

    # what must be so

    def after_event(self, accounts: Iterable[AccountId]) -> None:
        """Check that accounts are shut whose requests fail, or that are refused themselves."""
        for account in accounts:
            health = self._world.rows.books.health().get(account, Health(account=account))
            since = health.changed_at or START - _MINUTE
            if health.opened_at is None and self._must_open(account, since):
                self._world.violated("breaker", account, "its requests fail one after the other, and it is closed")
            if any(one.reason is not None and one.reason.sticky for one in self._of(account, since)):
                self._world.violated("sticky", account, "it was refused as an account, and is used")

    def _must_open(self, account: AccountId, since: datetime) -> bool:
        samples = sorted(self._samples(account, since).values(), key=lambda one: one[0])
        failures = [at for at, said in samples if said is _Said.ILL]
        if not failures:
            return False
        enough = _RARE_IN_A_ROW if self._is_quiet(account, failures[-1]) else _IN_A_ROW
        row = failures[-enough:]
        if len(row) < enough or row[-1] - row[0] > _ROW_WITHIN:
            return False
        return not any(said is not _Said.ILL and at >= row[0] for at, said in samples)

    def _is_quiet(self, account: AccountId, at: datetime) -> bool:
        """Say whether so little had been answered in the minute before that five in a row could not be."""
        samples = self._samples(account, START - _MINUTE).values()
        return sum(at - settled_at <= _MINUTE for settled_at, _ in samples) < _IN_A_ROW

    def _samples(self, account: AccountId, since: datetime) -> dict[SubmitId, tuple[datetime, _Said]]:
        """Return when each request that began after that came to what, for the breaker.

        Of a request whose answer came after its claim was lost the store keeps less than the breaker heard, and not
        when: an acceptance that was told late ends a row of failures at a time that nobody wrote down.
        """
        found: dict[SubmitId, tuple[datetime, _Said]] = {}
        for one in self._of(account, since):
            said = _says(one)
            if one.settled_at is not None and said is not _Said.NOTHING:
                _, known = found.get(one.submit, (one.settled_at, said))
                together = max(known, said, key=lambda each: each.value)
                at = self._world.timeline.now() if together is _Said.UNHEARD else one.settled_at
                found[one.submit] = (at, together)
        return found

    def _of(self, account: AccountId, since: datetime) -> list[Attempt]:
        attempts = self._world.rows.all_attempts()
        return [one for one in attempts if one.account == account and one.intended_at > since]


class _Said(enum.Enum):
    """What an attempt says of its vendor; of several in one request, the last of these counts."""

    NOTHING = 0
    ILL = 1
    UNHEARD = 2
    """Nobody knows what the breaker was told."""

    WELL = 3


def _says(attempt: Attempt) -> _Said:
    match attempt.state:
        case AttemptState.ACCEPTED:
            return _Said.UNHEARD if attempt.cause in _UNHEARD else _Said.WELL
        case AttemptState.REFUSED if attempt.reason is not None:
            ill = _Said.ILL if attempt.reason.scope is Scope.VENDOR else _Said.NOTHING
            return _Said.WELL if attempt.reason.scope in _HEALTHY else ill
        case AttemptState.NOT_SENT:
            return _Said.NOTHING if attempt.cause in _OWN_TROUBLE else _Said.ILL
        case AttemptState.UNKNOWN:
            return _Said.UNHEARD if attempt.cause in _UNHEARD else _Said.ILL
        case _:
            return _Said.NOTHING
