"""The front door: `Tocsin` puts the parts together from a configuration and offers what people do with them."""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypedDict, Unpack

import attrs

from tocsin import observe
from tocsin.alerting.addressing import NOTHING_ASKED, Asked
from tocsin.alerting.front import Alerts
from tocsin.alerting.posting import Desk
from tocsin.clock import Clock, SystemClock
from tocsin.config import Config, find_config, load_config
from tocsin.delivery import poll
from tocsin.delivery.accept import Draft, prepare
from tocsin.delivery.arrive import StoringSink
from tocsin.delivery.call import call
from tocsin.delivery.dispatch import Progress, dispatch
from tocsin.delivery.fleet import Fleet
from tocsin.delivery.parts import Parts
from tocsin.delivery.reconcile import follow_failed, resolve_doubts
from tocsin.delivery.transports import Transports
from tocsin.delivery.worker import Worker
from tocsin.errors import InvalidInput, NotFound, StoreError
from tocsin.model.account import Account
from tocsin.model.alert import Notice
from tocsin.model.balance import Balance
from tocsin.model.ids import AccountId, DeliveryId, HolderId, MessageId
from tocsin.model.message import MessageClass
from tocsin.model.outcome import Refused
from tocsin.model.phone import E164, parse_number
from tocsin.model.report import InboundMessage, Report
from tocsin.model.submission import Attachment
from tocsin.outbox.alert import Taken
from tocsin.outbox.holders import Holders
from tocsin.outbox.ports import Store
from tocsin.outbox.record import Acceptance, Delivery, Filter
from tocsin.outbox.role import WorkerRole
from tocsin.outbox.sqlite import open_rows
from tocsin.outbox.sqlite_session import Boundary
from tocsin.outbox.store import Outbox
from tocsin.receipt import Receipt
from tocsin.registry import Registry, build_registry
from tocsin.spool.directory import spool_of
from tocsin.story import Story
from tocsin.uptake import Uptake
from tocsin.wire.pool import HttpTransport
from tocsin.wire.transport import Transport


class Details(TypedDict, total=False):
    """What may be said of a message beside recipients and text. See `tocsin.delivery.accept.Draft`."""

    tags: Mapping[str, str]
    source: str
    idempotency_key: str | None
    send_at: datetime | None
    extension: str
    subject: str
    attachments: tuple[Attachment, ...]
    only: AccountId | None
    expires_at: datetime | None


@attrs.frozen(kw_only=True)
class Surroundings:
    """What reaches outside, so that a test may put its own in place.

    Args:
        clock: tells the time.
        http: makes the transport that accounts share.
        boundary: told of every commit, before and after.
        dice: draws a number from 0 to 1.
    """

    clock: Clock = attrs.field(factory=SystemClock)
    http: Callable[[], Transport] = HttpTransport
    boundary: Boundary = lambda _: None
    dice: Callable[[], float] = random.random


class Tocsin:
    """A tocsin at work: one store, the configured accounts and routes. Thread-safe; a context manager.

    Args:
        config: the configuration.
        registry: the installed plugins.
        surroundings: what reaches outside.

    Raises:
        StoreError: the store cannot be used.
    """

    def __init__(self, config: Config, registry: Registry, surroundings: Surroundings | None = None) -> None:
        outside = surroundings or Surroundings()
        self._holders = Holders(config.store.path)
        self._path = config.store.path
        self._boundary = outside.boundary
        self._rows = open_rows(self._path, self._boundary)
        store = Outbox(self._rows, self._holders.is_dead)
        self._parts = Parts(
            store=store,
            fleet=Fleet(
                registry=registry,
                accounts=config.accounts,
                routes=config.routes,
                keywords=store.keywords,
                limits=config.limits,
                opt_out=config.opt_out,
            ),
            transports=Transports(
                outside.http, lambda account: StoringSink(store, outside.clock, account, config.opt_out.words)
            ),
            clock=outside.clock,
            dice=outside.dice,
            reopen=self._reopen,
        )
        self._groups = config.groups
        desk = Desk(fleet=self._parts.fleet, groups=config.groups, draw_bits=secrets.randbits)
        self.alerts = Alerts(sources=config.sources, desk=desk)
        self._uptake = Uptake(spool_of(config.store.path, config.store.spool), store, self.alerts, outside.clock)
        if recovered := store.recover(outside.clock.now()):
            observe.log.warning(observe.STORE_RECOVERED, count=recovered)

    @classmethod
    def from_config(cls, path: str | Path | None = None, environ: Mapping[str, str] = os.environ) -> Self:
        """Make one from `tocsin.toml`.

        Args:
            path: of the file; None looks where the command line does.
            environ: the environment, for secrets.

        Raises:
            ConfigError: with every finding at once.
            StoreError: the store cannot be used.
        """
        registry = build_registry()
        file = find_config(None if path is None else str(path), environ, Path.cwd())
        vendors, kinds = registry.described(), registry.described_sources()
        config = load_config(file, vendors=vendors, unavailable=registry.broken(), sources=kinds, environ=environ)
        return cls(config, registry)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close transports and store. What was accepted stays."""
        self._parts.transports.close()
        self._holders.close()
        self._parts.store.close()

    def send(
        self,
        *,
        to: Iterable[str | E164],
        text: str,
        cls: MessageClass | str = MessageClass.ALERT,
        **details: Unpack[Details],
    ) -> Receipt:
        """Accept a message durably; a worker delivers it.

        Args:
            to: recipients; bare mainland numbers are read as +86.
            text: without the account's signature.
            cls: otp, critical, alert, notice or bulk.
            details: see `Details`.

        Raises:
            InvalidInput: a number, the class or the message as a whole is not acceptable; nothing was stored.
            NoRoute: no route takes it.
            KeyConflict: the idempotency key was used for another message.
            NotFound: there is no account of the name that `only` gives.
        """
        return self._accept(_draft(to, text, cls, details), holder=None)

    def prepare(
        self,
        *,
        to: Iterable[str | E164],
        text: str,
        cls: MessageClass | str = MessageClass.ALERT,
        **details: Unpack[Details],
    ) -> Acceptance:
        """Make what `send` would store, for who stores many together. Takes and raises what `send` does."""
        return self._prepare(_draft(to, text, cls, details), holder=None)

    def take_alerts(self, source: str, notice: Notice, asked: Asked = NOTHING_ASKED) -> Taken:
        """Take in durably what an alerting stack told. Takes and raises what `tocsin.alerting.front.Alerts` does."""
        return self._parts.store.take_in((self.alerts.intake_of(source, notice, asked),), self._parts.clock.now())[0]

    def deliver_now(
        self,
        *,
        to: Iterable[str | E164],
        text: str,
        cls: MessageClass | str = MessageClass.ALERT,
        progress: Progress = lambda _: None,
        **details: Unpack[Details],
    ) -> Receipt:
        """Accept a message and submit it in the calling thread: one pass, each eligible account at most once.

        On return every delivery is submitted, failed or in doubt. Takes and raises what `send` does.

        Args:
            to: recipients.
            text, cls: of the message.
            progress: told how many deliveries have just been done with.
            details: see `Details`.
        """
        with self._holding() as holder:
            receipt = self._accept(_draft(to, text, cls, details), holder)
            dispatch(self._parts, receipt.id, holder, progress)
            return receipt

    def run_worker(self, *, drain: bool = False, ready: Callable[[Worker], None] = lambda _: None) -> None:
        """Deliver what is queued, in this thread, until the worker is stopped.

        Args:
            drain: end once nothing is due and nothing under way; poll nobody.
            ready: is given the worker before it begins, to stop it by.

        Raises:
            RoleTaken: another process is the store's worker.
            CommitUnknown: a commit failed; what was known is saved. Open a new tocsin and go on.
        """
        with WorkerRole(self._path), self._holding() as holder:
            self._rows.lead()
            worker = Worker(self._parts, holder, self._reopen, self.take_up)
            ready(worker)
            worker.run(drain=drain)

    def take_up(self) -> int:
        """Take in what `tocsin notify` left on the spool; return how many notices that were.

        Raises:
            StoreFailed, CommitUnknown: of the store; what waits is still there.
        """
        return self._uptake.take_up()

    def _reopen(self) -> Store:
        return Outbox(open_rows(self._path, self._boundary), self._holders.is_dead)

    def resolve_doubts(self, message: MessageId) -> None:
        """Do what the policy says of deliveries in doubt whose wait for evidence is over."""
        with self._holding() as holder:
            resolve_doubts(self._parts, message, holder)

    def group(self, name: str) -> tuple[E164, ...]:
        """Return the numbers of a configured group.

        Raises:
            InvalidInput: there is no such group.
        """
        try:
            return self._groups[name]
        except KeyError:
            raise InvalidInput(f"no group is called {name}") from None

    def accounts(self, name: str | None = None) -> tuple[Account, ...]:
        """Return all accounts, or the one of that name.

        Raises:
            NotFound: there is none of that name.
        """
        fleet = self._parts.fleet
        return tuple(fleet.accounts.values()) if name is None else (fleet.account(AccountId(name)),)

    def query_balance(self, account: Account) -> Balance | Refused:
        """Ask an account's balance, and keep it. Raises as `tocsin.delivery.poll.query_balance` does."""
        balance = poll.query_balance(self._parts, account)
        if isinstance(balance, Balance):
            store, now = self._parts.store, self._parts.clock.now()
            store.accounts.hear_balance(account.id, balance, account.balance_floor, now)
        return balance

    def call(self, account: Account, operation: str, arguments: Mapping[str, str]) -> object:
        """Run one of the vendor's extra operations. Raises as `tocsin.delivery.call.call` does."""
        return call(self._parts, account, operation, arguments)

    def fetch_reports(self, account: Account) -> tuple[Report, ...] | Refused:
        """Fetch, store and apply an account's delivery reports."""
        with self._holding() as holder:
            found = poll.fetch_reports(self._parts, account, holder)
        follow_failed(self._parts)
        return found

    def fetch_mo(self, account: Account) -> tuple[InboundMessage, ...] | Refused:
        """Fetch and store an account's inbound messages."""
        with self._holding() as holder:
            return poll.fetch_mo(self._parts, account, holder)

    @property
    def parts(self) -> Parts:
        """The parts, for what asks the store or the policy directly."""
        return self._parts

    def deliveries(self, wanted: Filter) -> tuple[Delivery, ...]:
        """Return deliveries, newest message first."""
        return self._parts.store.deliveries(wanted)

    def find(self, name: str) -> tuple[Delivery, ...]:
        """Return the deliveries of a message's id, or the one of a delivery's.

        Raises:
            NotFound: there is none of that name.
        """
        wanted = Filter(delivery=DeliveryId(name)) if "." in name else Filter(message=MessageId(name))
        if found := self.deliveries(wanted):
            return found
        raise NotFound(f"no message or delivery is called {name}")

    def cancel(self, deliveries: Iterable[Delivery]) -> tuple[Delivery, ...]:
        """Cancel what is unsent or parked of these; return all of them as they stand then."""
        ids = tuple(delivery.id for delivery in deliveries)
        self._parts.store.cancel(ids, self._parts.clock.now())
        return tuple(found for name in ids for found in self.deliveries(Filter(delivery=name)))

    def story(self, delivery: Delivery) -> Story:
        """Return all that is known of a delivery."""
        store = self._parts.store
        message = store.message(delivery.message)
        if message is None:
            raise StoreError(f"delivery {delivery.id} has no message")
        chapters, transitions = store.story(delivery.id)
        return Story(
            message=message,
            delivery=delivery,
            attempts=store.attempts((delivery.id,))[delivery.id],
            chapters=chapters,
            transitions=transitions,
        )

    def _accept(self, draft: Draft, holder: HolderId | None) -> Receipt:
        acceptance = self._prepare(draft, holder)
        return Receipt(self._parts.store.accept(acceptance, acceptance.message.accepted_at), self._parts.store)

    def _prepare(self, draft: Draft, holder: HolderId | None) -> Acceptance:
        parts = self._parts
        if draft.only is not None:
            parts.fleet.account(draft.only)
        return prepare(
            draft,
            parts.fleet.routes,
            parts.fleet.registry.middleware,
            now=parts.clock.now(),
            draw_bits=secrets.randbits,
            holder=holder,
        )

    def _holding(self) -> _Holding:
        return _Holding(self._parts, self._holders)


class _Holding:
    """A holder for the length of a call. What it still has claimed at the end, it gives back."""

    def __init__(self, parts: Parts, holders: Holders) -> None:
        self._parts = parts
        self._holders = holders
        self._holder = HolderId(f"{os.getpid()}-{secrets.token_hex(6)}")

    def __enter__(self) -> HolderId:
        self._holders.enter(self._holder)
        return self._holder

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if not isinstance(error, StoreError):  # else it would fail again; who opens the store next finds us gone
                self._parts.store.release(self._holder, self._parts.clock.now())
        finally:
            self._holders.leave(self._holder)


def _draft(to: Iterable[str | E164], text: str, cls: MessageClass | str, details: Details) -> Draft:
    try:
        message_class = MessageClass(cls)
    except ValueError:
        raise InvalidInput(f"expected a class: {', '.join(MessageClass)}") from None
    numbers = tuple(one if isinstance(one, E164) else parse_number(one) for one in to)
    return Draft(to=numbers, text=text, cls=message_class, **details)
