"""Alerts, sources and a measure for the tests of what becomes of alerts."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import ClassVar

import pytest

from tocsin.alerting.addressing import NOTHING_ASKED, address
from tocsin.alerting.intake import intake_of
from tocsin.alerting.posting import Desk
from tocsin.delivery.fleet import Fleet
from tocsin.model.account import Account
from tocsin.model.alert import Alert, AlertStatus, Notice
from tocsin.model.ids import AccountId
from tocsin.model.phone import E164
from tocsin.model.source import Source
from tocsin.outbox.memory import MemoryRows
from tocsin.outbox.record import Filter
from tocsin.outbox.state import State
from tocsin.outbox.store import Outbox
from tocsin.policy.route import Route
from tocsin.registry import MiddlewarePlugin, Registry, VendorPlugin
from tocsin.testing.vendor import ExampleVendor

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def alert():
    """Makes an alert that fires, unless told otherwise."""

    def alert(fingerprint="a", status=AlertStatus.FIRING, **changes):
        given = {"name": "DiskFull db1", "summary": "Disk /var 97% full", "starts_at": NOW - 5 * MINUTE} | changes
        if status is AlertStatus.RESOLVED:
            given.setdefault("ends_at", NOW)
        return Alert(fingerprint=fingerprint, status=status, **given)

    return alert


class Watch:
    """A source at work over the memory outbox: what stacks post goes in, what people would read comes out.

    Args:
        terms: of the source.
        signature: of the one account.
        routes: instead of one over that account.
        middleware: plugin objects.
    """

    groups: ClassVar = {
        "oncall": (E164("+8613900000000"), E164("+8613900000001")),
        "dba": (E164("+8613900000002"),),
    }

    def __init__(self, signature="", routes=None, middleware=(), **terms):
        self.now = NOW
        vendor = ExampleVendor("example")
        account = Account(
            id=AccountId("one"), vendor="example", base_url="http://127.0.0.1", settings=None, signature=signature
        )
        registry = Registry(
            vendors={"example": VendorPlugin("example", vendor, "1")},
            middleware=tuple(MiddlewarePlugin("m", one, "1") for one in middleware),
            unavailable=(),
        )
        everything = Route(name="all", accounts=(account.id,))
        self.outbox = Outbox(MemoryRows(), lambda _: False)
        self.source = Source(name="stack", kind="stack", **({"groups": ("oncall",)} | terms))
        draws = count()
        self.desk = Desk(
            fleet=Fleet(registry=registry, accounts={account.id: account}, routes=routes or (everything,)),
            groups=self.groups,
            draw_bits=lambda _: next(draws),
        )

    def wait(self, **time):
        self.now += timedelta(**time)

    def take(self, *alerts, asked=NOTHING_ASKED, **notice):
        """Take one notice in; return the texts of the messages that come of it."""
        (taken,) = self.outbox.take_in([self.intake(*alerts, asked=asked, **notice)], self.now)
        if taken.error is not None:
            raise taken.error
        return [self.outbox.message(name).text for name in taken.messages]

    def intake(self, *alerts, asked=NOTHING_ASKED, **notice):
        told = Notice(**({"receiver": "ops", "alerts": alerts} | notice))
        return intake_of(address(told, self.source, asked, self.groups), told, self.source, asked, self.desk)

    def queued(self):
        """What waits to be sent: (recipients, due in, text) of each message, the oldest first."""
        found = defaultdict(list)
        for one in self.outbox.deliveries(Filter()):
            if one.state is State.QUEUED:
                found[one.message].append(one)
        messages = [self.outbox.message(name) for name in sorted(found)]
        return [
            ([to.full[-2:] for to in message.to], found[message.id][0].due_at - self.now, message.text)
            for message in messages
        ]

    def messages(self):
        """All messages, the oldest first."""
        return [self.outbox.message(name) for name in sorted({one.message for one in self.outbox.deliveries(Filter())})]


@pytest.fixture(scope="session")
def watch():
    """Makes a source at work."""
    return Watch
