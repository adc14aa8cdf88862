"""The stage of a rehearsal: the production parts put together around a clock, a store and vendors that are not real.

The one place of a rehearsal where fleet and parts are made. The store is the production one in a file that is gone
afterwards; nothing waits for its disk, since nobody was promised anything.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import attrs

from tocsin.delivery.accept import prepare
from tocsin.delivery.arrive import StoringSink
from tocsin.delivery.fleet import Fleet
from tocsin.delivery.parts import Parts
from tocsin.delivery.submit import Arrival, Departure, carry
from tocsin.delivery.transports import Transports
from tocsin.errors import InvalidInput, PluginError
from tocsin.model.account import Account
from tocsin.model.ids import AccountId, MessageId
from tocsin.model.message import Message
from tocsin.model.outcome import Accepted, NotSent, Outcome, Refused, SendResult, Unknown
from tocsin.model.segments import SegmentRule
from tocsin.outbox.record import NewDelivery
from tocsin.outbox.sqlite import SqliteRows
from tocsin.outbox.sqlite_file import open_file
from tocsin.outbox.store import Outbox
from tocsin.registry import Registry
from tocsin.rehearse.cast import behaviour_of
from tocsin.rehearse.ledger import Ledger, Parcel, Promise
from tocsin.rehearse.play import Offer, Play
from tocsin.rehearse.understudy import Prompts, StageTransport, stand_in
from tocsin.rehearse.vendor import Vendor
from tocsin.simulate.dice import dice_of
from tocsin.simulate.timeline import Timeline

_KINDS: dict[type[Outcome], str] = {
    Accepted: "accepted",
    Refused: "refused",
    NotSent: "not_sent",
    Unknown: "unknown",
}


class StageClock:
    """A timeline's time as a clock shows it. Fits `tocsin.clock.Clock`.

    Args:
        timeline: whose.
        begins: what it shows at the beginning.
    """

    def __init__(self, timeline: Timeline, begins: datetime) -> None:
        self._timeline = timeline
        self._begins = begins

    def now(self) -> datetime:
        return self._begins + timedelta(microseconds=self._timeline.micros)

    def monotonic(self) -> float:
        return self._timeline.monotonic()


class Stage:
    """All that a rehearsal's worker works with.

    Args:
        play: what is rehearsed.
        directory: where the store's file may be; gone afterwards.

    Attributes:
        timeline: the time, and what is to happen in it.
        parts: the production parts.
        vendors: by account.
        ledger: the truth.
    """

    def __init__(self, play: Play, directory: Path) -> None:
        self.play = play
        self.timeline = Timeline()
        self.ledger = Ledger()
        self._clock = StageClock(self.timeline, play.begins)
        self._dice = dice_of(f"acceptance {play.seed}")
        self._parcels: tuple[Parcel, ...] = ()
        self._origins: dict[MessageId, MessageId] = {}
        self._segments: dict[AccountId, SegmentRule] = {}
        self.vendors = {name: self._vendor(account) for name, account in play.config.accounts.items()}
        self.parts = self._make_parts(directory)

    def close(self) -> None:
        """Close the store."""
        self.parts.store.close()

    def seconds_of(self, moment: datetime) -> float:
        """Return how many seconds after the beginning a moment is."""
        return (moment - self.play.begins).total_seconds()

    def accept(self, offer: Offer) -> bool:
        """Take a message in, as any caller of ours would; say whether it was acceptable."""
        now, draft = self._clock.now(), offer.draft
        try:
            acceptance = prepare(draft, self.parts.fleet.routes, (), now=now, draw_bits=self._dice.getrandbits)
        except InvalidInput:
            self.ledger.turned_away += len(draft.to)
            return False
        self.parts.store.accept(acceptance, now)
        if offer.origin is not None:
            self._origins[acceptance.message.id] = offer.origin
        for one in acceptance.deliveries:
            self.ledger.promises[one.id] = self._promise(acceptance.message, one)
        return True

    def carry(self, departure: Departure) -> Arrival:
        """Let a request meet its vendor, at once; the vendor knows how long its answer takes."""
        account = departure.account.id
        rule = self._segment_rule(departure.account)
        self._parcels = tuple(
            Parcel(
                delivery=attempt.delivery,
                to=planned.delivery.to,
                number=attempt.number,
                trigger=planned.decision.trigger,
                segments=1 if planned.submission.is_mms else rule.count(planned.submission.text),
                origin=self._origins.get(planned.delivery.message),
            )
            for attempt, planned in zip(departure.attempts, departure.planned, strict=True)
        )
        self.vendors[account].delay_s = 0.0
        result = carry(self.parts, departure)
        self._note(account, result)
        return Arrival(departure, result, self.vendors[account].delay_s)

    def _note(self, account: AccountId, result: SendResult) -> None:
        self.ledger.requests[account] += 1
        outcomes = self.ledger.outcomes.setdefault(account, Counter())
        outcomes.update(_KINDS[type(outcome)] for outcome in result.outcomes.values())
        self.ledger.tried.setdefault(account, set()).update(one.delivery for one in self._parcels)

    def _promise(self, message: Message, new: NewDelivery) -> Promise:
        rules = self.parts.fleet.rules(new.route, message.cls)
        due_s, expires_s = self.seconds_of(new.due_at), self.seconds_of(new.expires_at)
        timeout = rules.report_timeout
        late_s = expires_s if timeout is None else min(expires_s, due_s + timeout.total_seconds())
        return Promise(due_s=due_s, expires_s=expires_s, late_s=late_s, most_copies=rules.max_copies)

    def _segment_rule(self, account: Account) -> SegmentRule:
        if account.id not in self._segments:
            try:
                capabilities = self.parts.fleet.registry.plugin_for(account).capabilities(account)
                self._segments[account.id] = capabilities.segments
            except PluginError:
                self._segments[account.id] = SegmentRule()
        return self._segments[account.id]

    def _vendor(self, account: Account) -> Vendor:
        behaviour = behaviour_of(self.play.scenario, account.id, tuple(self.play.config.accounts))
        return Vendor(account, self.play.character(account), self.ledger, self._clock, behaviour.balance)

    def _make_parts(self, directory: Path) -> Parts:
        config = self.play.config
        store = open_stage_store(directory)
        return Parts(
            fleet=Fleet(
                registry=self._understudies(),
                # a drill is no message of the scenario's, and nobody could say what became of it
                accounts={name: attrs.evolve(one, drill=None) for name, one in config.accounts.items()},
                routes=config.routes,
                limits=config.limits,
                opt_out=config.opt_out,
            ),
            store=store,
            transports=Transports(StageTransport, lambda account: StoringSink(store, self._clock, account)),
            clock=self._clock,
            dice=dice_of(f"policy {self.play.seed}").random,
        )

    def _understudies(self) -> Registry:
        """Return the registry with an understudy for each vendor. Middleware stays out: it may tell real people."""
        prompts = Prompts(
            submit=lambda account: self.vendors[account.id].submit(self._parcels),
            reports=lambda account: self.vendors[account.id].reports(),
            balance=lambda account: self.vendors[account.id].query_balance(),
        )
        real = self.play.registry
        vendors = {name: stand_in(plugin, prompts) for name, plugin in real.vendors.items()}
        return Registry(vendors=vendors, middleware=(), unavailable=real.unavailable)


def open_stage_store(directory: Path) -> Outbox:
    """Open a fresh production store that waits for no disk, and that nobody else opens."""
    connection = open_file(directory / "rehearsal.db")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    return Outbox(SqliteRows(connection, lambda _: None), lambda _: False)
