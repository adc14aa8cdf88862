"""The poller of one account: asks for reports, inbound messages and the balance, each at its own pace.

A thread of its own, because a poll may take as long as a vendor likes. It is due like anything else: a poll that failed
is put off, twice as long each time, and one that a push makes wanted is brought forward.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from datetime import datetime

import attrs

from tocsin import observe
from tocsin.delivery import poll
from tocsin.delivery.parts import Parts
from tocsin.delivery.push import KIND, Pushes
from tocsin.errors import AnswerError, PluginError, StoreFailed, TransportError
from tocsin.model.account import Account
from tocsin.model.balance import Balance
from tocsin.model.ids import HolderId
from tocsin.model.outcome import Refused
from tocsin.outbox.record import Listening

LONGEST_DELAY_S = 300.0

LOOK_S = 1.0
"""How often the store is looked at for polls that a push makes wanted."""

LEAST_GAP_S = 5.0
"""How long after the last poll one that is brought forward comes at the earliest: whoever pushes sets no pace."""

LEFT_S = 60.0
"""How often the store is looked at for pushes that were stored and not read."""

_MOST_DOUBLINGS = 30
_HOOKS = {"reports": "fetch_reports", "inbound": "fetch_mo", "balance": "query_balance"}


@attrs.define
class Turn:
    """When a kind of poll is next, on the monotonic clock."""

    kind: str
    every_s: float
    due_at: float
    failures: int = 0
    done_at: float = -math.inf

    def done(self, now: float) -> None:
        """Come again in a while."""
        self.failures = 0
        self.done_at = now
        self.due_at = now + self.every_s

    def failed(self, now: float) -> None:
        """Come again later than that, the more so the more often it failed."""
        self.failures += 1
        doublings = 2.0 ** min(self.failures, _MOST_DOUBLINGS)
        self.due_at = now + max(self.every_s, min(self.every_s * doublings, LONGEST_DELAY_S))

    def bring_forward(self, now: float) -> None:
        """Come sooner than that, but not at once after the last time, nor to a vendor that just failed."""
        if not self.failures:
            self.due_at = min(self.due_at, max(now, self.done_at + LEAST_GAP_S))


class Poller:
    """The polls of one account, in turns.

    Args:
        parts: what delivery works with.
        account: whose.
        holder: who takes the account's poll lease.
        heard: called after a poll that brought something.
    """

    def __init__(self, parts: Parts, account: Account, holder: HolderId, heard: Callable[[], None]) -> None:
        self._parts = parts
        self._account = account
        self._holder = holder
        self._heard = heard
        pace = account.poll
        every_s = {"reports": pace.reports_s, "inbound": pace.inbound_s, "balance": pace.balance_s}
        plugin = parts.fleet.registry.vendors.get(account.vendor)
        now = parts.clock.monotonic()
        self._turns = [
            Turn(kind, every_s[kind], now)
            for kind, hook in _HOOKS.items()
            if plugin is not None and plugin.implements(hook) and every_s[kind] > 0
        ]
        self._pushes = Pushes(parts)
        self._wanted: Mapping[str, datetime] | None = None
        self._look_at = now if account.push.token else math.inf
        self._left_at = now

    def run(self, stop: threading.Event) -> None:
        """Poll until told to stop."""
        while (wait_s := min(self.wait_s(), self._look_at - self._parts.clock.monotonic())) < math.inf:
            if stop.wait(max(0.0, wait_s)):
                return
            self.look()
            self.poll_due(stop)

    def wait_s(self) -> float:
        """Return the seconds until the next turn; negative where it is late, infinite where there is none."""
        return min((turn.due_at for turn in self._turns), default=math.inf) - self._parts.clock.monotonic()

    def look(self) -> None:
        """Read what was pushed and nobody read, and bring forward what a push made wanted since the last look."""
        now = self._parts.clock.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_S
        try:
            self._read_left_behind(now)
            wanted = self._parts.store.wanted_polls(self._account.id)
        except StoreFailed as error:
            observe.log.warning(observe.POLL_FAILED, kind=KIND, account=self._account.id, cause=str(error))
            return
        for turn in self._turns:
            if self._wanted is not None and wanted.get(turn.kind) != self._wanted.get(turn.kind):
                turn.bring_forward(now)
        self._wanted = wanted

    def _read_left_behind(self, now: float) -> None:
        if now >= self._left_at:
            self._left_at = now + LEFT_S
            if count := self._pushes.read_left_behind(self._account):
                observe.log.warning(observe.PUSHES_RECOVERED, account=self._account.id, count=count)
                self._heard()

    def poll_due(self, stop: threading.Event) -> None:
        """Take each turn that is due, until told to stop: a silent vendor costs an end one poll, not all of them."""
        for turn in self._turns:
            if turn.due_at <= self._parts.clock.monotonic() and not stop.is_set():
                fine = self._poll(turn.kind)
                (turn.done if fine else turn.failed)(self._parts.clock.monotonic())

    def _poll(self, kind: str) -> bool:
        """Poll one kind; say whether the vendor answered. What goes wrong is logged and stands in the store."""
        try:
            answer = self._ask(kind)
        except (poll.PollBusy, poll.TooSoon):
            return True
        except (TransportError, AnswerError, PluginError, StoreFailed) as error:
            observe.log.warning(observe.POLL_FAILED, kind=kind, account=self._account.id, cause=str(error))
            return False
        if isinstance(answer, Refused):
            observe.log.warning(observe.POLL_FAILED, kind=kind, account=self._account.id, cause=answer.reason.label)
            return False
        if isinstance(answer, tuple) and answer:
            self._heard()
        return True

    def _ask(self, kind: str) -> object:
        if kind == "reports":
            return poll.fetch_reports(self._parts, self._account, self._holder)
        if kind == "inbound":
            return poll.fetch_mo(self._parts, self._account, self._holder)
        return self._ask_balance()

    def _ask_balance(self) -> object:
        """Ask the balance, and write down how that went: nothing is taken away, so no lease is needed."""
        asked_at = self._parts.clock.now()
        try:
            answer = poll.query_balance(self._parts, self._account)
        except (TransportError, AnswerError, PluginError) as error:
            self._note_balance(asked_at, str(error))
            raise
        if isinstance(answer, Refused):
            self._note_balance(asked_at, f"refused: {answer.reason.label}")
        else:
            self._note_balance(asked_at, "", answer)
        return answer

    def _note_balance(self, asked_at: datetime, trouble: str, balance: Balance | None = None) -> None:
        """Write down how asking the balance went, and what it is."""
        note = Listening(account=self._account.id, kind="balance", asked_at=asked_at, trouble=trouble)
        if balance is not None:
            note = attrs.evolve(note, heard_at=asked_at)
        self._parts.store.note_poll(note, balance, self._account.balance_floor)
