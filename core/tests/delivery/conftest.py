"""A house of delivery over the memory outbox: example vendors, a scripted world, a clock that stands still."""

import logging
import shlex
from collections import Counter
from functools import partial
from itertools import count

import pytest

from tocsin.delivery.accept import Draft, prepare
from tocsin.delivery.arrive import StoringSink
from tocsin.delivery.dispatch import dispatch
from tocsin.delivery.dispatcher import Dispatcher
from tocsin.delivery.fleet import Fleet
from tocsin.delivery.lines import has_line
from tocsin.delivery.parts import Parts
from tocsin.delivery.reconcile import resolve_doubts
from tocsin.delivery.submit import Arrival, carry
from tocsin.delivery.transports import Transports
from tocsin.errors import StoreFailed
from tocsin.model.account import Account, Limits
from tocsin.model.ids import AccountId, HolderId
from tocsin.model.message import MessageClass
from tocsin.model.phone import parse_number
from tocsin.outbox.memory import MemoryRows
from tocsin.outbox.record import Filter
from tocsin.outbox.store import Outbox
from tocsin.policy.route import Route, RuleChanges
from tocsin.registry import MiddlewarePlugin, Registry, VendorPlugin
from tocsin.testing import ScriptedTransport
from tocsin.testing.vendor import ExampleSettings, ExampleVendor

HOLDER = HolderId("holder")


class Answering:
    """A transport that asks a function for each answer; records the requests."""

    def __init__(self, answer):
        self._answer = answer
        self.requests = []

    def perform(self, request):
        self.requests.append(request)
        return self._answer(request)

    def close(self):
        """Hold nothing, release nothing."""


class House:
    """One configuration at work.

    Args:
        world: answers in turn, or a function of the request.
        accounts: names, in the order of the one route.
        vendors: plugin of an account; the others have an example vendor.
        middleware: plugin objects.
        routes: instead of one route over all accounts.
        rules: that route's own knobs.
        rows: instead of a new memory; a test gives some that fail.
        is_dead: says of a holder whether it is gone.
    """

    holder = HOLDER

    def __init__(
        self,
        clock,
        world=(),
        *,
        accounts=("one", "two"),
        vendors=None,
        middleware=(),
        routes=None,
        rules=None,
        rows=None,
        is_dead=lambda _: False,
        **details,
    ):
        self.clock = clock
        self.rows = rows or MemoryRows()
        self.outbox = Outbox(self.rows, is_dead)
        self.transport = Answering(world) if callable(world) else ScriptedTransport(world)
        plugins = {name: (vendors or {}).get(name) or ExampleVendor(f"vendor-{name}") for name in accounts}
        self.accounts = {AccountId(name): _account(name, plugins[name], **details) for name in accounts}
        registry = Registry(
            vendors={plugin.name: VendorPlugin(plugin.name, plugin, "1") for plugin in plugins.values()},
            middleware=tuple(
                MiddlewarePlugin(f"middleware-{number}", plugin, "1") for number, plugin in enumerate(middleware)
            ),
            unavailable=(),
        )
        everything = Route(name="all", accounts=tuple(self.accounts), changes=rules or RuleChanges())
        fleet = Fleet(registry=registry, accounts=self.accounts, routes=routes or (everything,))
        self.parts = Parts(
            fleet=fleet,
            store=self.outbox,
            transports=Transports(lambda: self.transport, lambda account: StoringSink(self.outbox, clock, account)),
            clock=clock,
            dice=lambda: 0.5,
        )
        self._draws = count()

    def prepare(self, *numbers, text="disk full on db1", cls=MessageClass.ALERT, holder=HOLDER, **details):
        draft = Draft(to=tuple(map(parse_number, numbers or ("13900000000",))), text=text, cls=cls, **details)
        return prepare(
            draft,
            self.parts.fleet.routes,
            self.parts.fleet.registry.middleware,
            now=self.clock.now(),
            draw_bits=lambda _: next(self._draws),
            holder=holder,
        )

    def accept(self, *numbers, **details):
        """Accept a message; return its id."""
        return self.outbox.accept(self.prepare(*numbers, **details), self.clock.now())

    def queue(self, *numbers, **details):
        """Accept a message that waits for a worker; return its id."""
        return self.accept(*numbers, holder=None, **details)

    def dispatch(self, message):
        """Take a message through one pass; return its deliveries."""
        dispatch(self.parts, message, HOLDER)
        return self.deliveries(message)

    def send(self, *numbers, **details):
        """Accept a message and take it through one pass; return its deliveries."""
        return self.dispatch(self.accept(*numbers, **details))

    def resolve(self, message):
        resolve_doubts(self.parts, message, HOLDER)
        return self.deliveries(message)

    def deliveries(self, message):
        return self.outbox.deliveries(Filter(message=message))

    def attempts(self, delivery):
        return self.outbox.attempts((delivery.id,))[delivery.id]

    def quarantined(self):
        return [piece for _, piece in self.rows._tables.quarantine]

    def raw_bodies(self):
        return [answer.body for answer in self.rows._tables.raw]


class Desk:
    """A worker's desk without its threads: what leaves is carried at once, and settled.

    Args:
        lines: free lines to each account in each round.
    """

    def __init__(self, house, lines=4, holder=HOLDER):
        self.house, self.lines = house, lines
        self.dispatcher = Dispatcher(house.parts, holder)

    def leave(self):
        """Return what leaves in one round; the caller carries it, or not."""
        free = Counter(dict.fromkeys(self.house.accounts, self.lines))
        return self.dispatcher.round(partial(has_line, free))

    def land(self, departures):
        """Carry departures, and settle what became of them."""
        arrivals = [Arrival(one, carry(self.house.parts, one)) for one in departures]
        self.dispatcher.settle(arrivals)

    def work(self):
        """Make rounds until nothing has left twice in a row; return how many requests there were."""
        count = idle = 0
        while idle < 2:
            departures = self.leave()
            self.land(departures)
            count += len(departures)
            idle = 0 if departures else idle + 1
        return count

    def until(self, seconds, step_s=1):
        """Work, and let that much time pass, second by second."""
        self.work()
        for _ in range(0, seconds, step_s):
            self.house.clock.advance(step_s)
            self.work()


class FailingRows(MemoryRows):
    """Rows of a store that fails when it is told to.

    Attributes:
        fails: asked with the name of each transaction, or "read", whether it fails.
        used: the names so far.
    """

    def __init__(self):
        super().__init__(self._reach)
        self.fails = lambda _: False
        self.used = []

    def reading(self):
        self._reach("read: before commit")
        return super().reading()

    def _reach(self, boundary):
        name, when = boundary.split(": ")
        if when == "before commit":
            self.used.append(name)
            if self.fails(name):
                raise StoreFailed(f"{name}: no space")


def _account(name, plugin, max_recipients=100, signature="【Example】", **details):
    return Account(
        id=AccountId(name),
        vendor=plugin.name,
        base_url=f"http://{name}.invalid",
        settings=ExampleSettings(),
        signature=signature,
        limits=Limits(max_recipients=max_recipients),
        **details,
    )


@pytest.fixture
def house_of(clock, invariants):
    """Build houses over this test's clock. Whatever happens in them, the invariants hold at the end."""
    houses = []

    def build(world=(), **details):
        houses.append(House(clock, world, **details))
        return houses[-1]

    yield build
    for house in houses:
        invariants(house.outbox)
        house.parts.transports.close()


@pytest.fixture
def desk_of():
    """Give a desk in a house; `rows` of a house may fail."""
    return Desk


@pytest.fixture
def failing_rows():
    """Give what makes rows that fail when they are told to."""
    return FailingRows


class Lines:
    """What was logged, read back."""

    def __init__(self, caplog):
        self._caplog = caplog

    def all(self):
        """Return each line of ours as a mapping."""
        texts = [record.getMessage() for record in self._caplog.records if record.name == "tocsin"]
        return [dict(pair.split("=", 1) for pair in shlex.split(text)) for text in texts]

    def of(self, event):
        """Return the lines of one event."""
        return [line for line in self.all() if line["event"] == event]


@pytest.fixture
def lines(caplog):
    """Everything that is logged from now on, from level INFO."""
    with caplog.at_level(logging.INFO, logger="tocsin"):
        yield Lines(caplog)
