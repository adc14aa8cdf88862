"""The look after the accounts, once a minute: weights follow reports, and a balance warns before it runs dry."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from itertools import count

import attrs
import pytest

from tocsin.delivery.watch import EVERY_S, Watch
from tocsin.model.balance import Balance, Unit
from tocsin.model.ids import AccountId, VendorId
from tocsin.model.message import MessageClass
from tocsin.model.outcome import Accepted
from tocsin.model.push import Trust
from tocsin.model.report import Batch, Report, ReportState
from tocsin.outbox.record import Filter, Listening, RawAnswer
from tocsin.policy.route import Match, Route, Strategy
from tocsin.testing.vendor import answer_send

ONE, TWO = AccountId("one"), AccountId("two")
TAKEN = answer_send(Accepted(VendorId("77")))
BATCH = 20
PREFIX = "+86139"
ROUTES = (
    Route(name="first", match=Match(classes=(MessageClass.NOTICE,)), accounts=(ONE,)),
    Route(name="second", match=Match(classes=(MessageClass.BULK,)), accounts=(TWO,)),
)
CLASSES = {ONE: MessageClass.NOTICE, TWO: MessageClass.BULK}


class Traffic:
    """Messages through each of two accounts, batch by batch; who delivers them, and whether we listen.

    Attributes:
        delivers: accounts whose reports come at once; what the others take is never reported on.
        heard: accounts whose reports are fetched without fault.
    """

    def __init__(self, house, desk):
        self.house, self.desk = house, desk
        self.watch = Watch(house.parts)
        self.delivers, self.heard = {ONE, TWO}, {ONE, TWO}
        self._numbers = count()
        self._minute = 0

    def pass_by(self, minutes, *, batch=BATCH):
        """Let minutes pass: every fifth with a batch through each account, each with a look. Return the points."""
        return [self._one_minute(batch) for _ in range(minutes)]

    def _one_minute(self, batch):
        if self._minute % 5 == 0:
            for account, cls in CLASSES.items():
                self.send(account, cls, batch)
        self._minute += 1
        self.house.clock.advance(60)
        self.listen()
        self.watch.look(self.house.clock.now())
        return self.points()

    def send(self, account, cls, batch):
        """Send a batch, each to a number of its own."""
        numbers = [f"139{next(self._numbers):08}" for _ in range(batch)]
        message = self.house.queue(*numbers, text=numbers[0], cls=cls)
        self.desk.work()
        if account in self.delivers:
            to = [one.to for one in self.house.deliveries(message)]
            rows = [Report(vendor_id=VendorId("77"), to=one, state=ReportState.DELIVERED, at=self.now) for one in to]
            raw = RawAnswer(account=account, kind="reports", trust=Trust.POLL, body=b"")
            store = self.house.outbox
            store.apply_reports(store.spool(raw, self.now), Batch(rows=tuple(rows)), shared=False, now=self.now)

    def listen(self):
        for account in self.heard:
            note = Listening(account=account, kind="reports", asked_at=self.now, heard_at=self.now)
            self.house.outbox.note_poll(note)

    @property
    def now(self):
        return self.house.clock.now()

    def points(self):
        """Return the points of each account for the numbers that are sent to."""
        weights = self.house.outbox.accounts.weights()
        return [weights[name, PREFIX].points if (name, PREFIX) in weights else 100 for name in (ONE, TWO)]


@pytest.fixture
def traffic(house_of, desk_of):
    house = house_of(lambda _: TAKEN, routes=ROUTES)
    return Traffic(house, desk_of(house))


def test_who_takes_and_never_delivers_loses_its_weight(traffic, lines):
    """Ten points after five minutes, and ten more each five minutes, to the last; the other keeps all of its own."""
    traffic.delivers = {TWO}

    looks = traffic.pass_by(60)

    assert looks == [[max(0, 100 - minute // 5 * 10), 100] for minute in range(1, 61)]
    changes = traffic.house.outbox.accounts.changes(100)
    assert [(one.account, one.before - one.after) for one in changes] == [(ONE, 10)] * 10
    assert "20 of 20 messages submitted 5 to 15 minutes ago were not delivered within 5 minutes" in changes[-1].reason
    assert [one["reason"] for one in lines.of("tocsin.quality.moved")] == [one.reason for one in reversed(changes)]


def test_who_delivers_again_gets_it_back(traffic):
    """Once nothing late is left to see, ten points come back for each quarter of an hour without trouble, to all."""
    traffic.delivers = {TWO}
    traffic.pass_by(20)
    assert traffic.points() == [60, 100]
    traffic.delivers = {ONE, TWO}
    traffic.pass_by(10)
    lowest, _ = traffic.points()

    looks = [first for first, _ in traffic.pass_by(90)]

    assert lowest == 50  # what had been taken before was late for five more minutes
    assert sorted(looks) == looks
    assert Counter(looks)[60] == Counter(looks)[70] == Counter(looks)[80] == 15
    assert looks[-1] == 100


def test_when_all_are_slow_nothing_moves(traffic):
    """Where neither account's messages arrive the trouble is the carrier's: an hour of it moves nothing."""
    traffic.delivers = set()

    traffic.pass_by(60)

    assert traffic.points() == [100, 100]
    assert traffic.house.outbox.accounts.changes(100) == ()


def test_silence_counts_only_where_somebody_listened(traffic):
    """An account whose reports cannot be fetched keeps its weight, however silent; when they can be, it counts."""
    traffic.delivers, traffic.heard = {TWO}, {TWO}
    traffic.pass_by(30)
    assert traffic.points() == [100, 100]
    traffic.heard = {ONE, TWO}

    traffic.pass_by(1)

    assert traffic.points() == [90, 100]


def test_a_few_are_no_verdict(traffic):
    """Of fewer than twenty in ten minutes nobody is judged."""
    traffic.delivers = {TWO}

    traffic.pass_by(60, batch=9)

    assert traffic.points() == [100, 100]


@pytest.mark.parametrize("strategy", [Strategy.BEST, Strategy.WEIGHTED], ids=lambda one: one.value)
def test_strategies_follow_the_weights(traffic, desk_of, strategy):
    """Of equal accounts the first is used like the other, or before it; when it has lost all weight, not at all."""
    traffic.delivers = {TWO}
    route = Route(name="even", strategy=strategy, accounts=(ONE, TWO), weights={ONE: 50, TWO: 50})
    house = traffic.house

    def used():
        parts = house.parts
        house.parts = attrs.evolve(parts, fleet=attrs.evolve(parts.fleet, routes=(route,)))
        message = house.queue(*(f"139{number:08}" for number in range(5000, 5200)), text=str(traffic.now))
        desk_of(house).work()
        house.parts = parts
        return Counter(one.account for one in house.deliveries(message))

    before = used()
    traffic.pass_by(15)  # until those are forgotten: no report of them came from either
    traffic.pass_by(50)
    after = used()

    assert before[ONE] == 200 if strategy is Strategy.BEST else 70 < before[ONE] < 130
    assert after == {TWO: 200}


def test_other_carriers_keep_their_weight(traffic):
    """Weights are of a carrier's numbers: what is lost for +86139 is not lost for others."""
    traffic.delivers = {TWO}
    traffic.pass_by(10)

    assert set(traffic.house.outbox.accounts.weights()) == {(ONE, PREFIX)}


def test_it_looks_once_a_minute(traffic):
    """However often it is called, it looks when a minute has gone by since the last look, and at first."""
    traffic.delivers = {TWO}
    traffic.send(ONE, CLASSES[ONE], BATCH)
    traffic.house.clock.advance(300)
    traffic.listen()
    traffic.watch.keep()
    assert traffic.points() == [90, 100]
    traffic.house.outbox.accounts.save_changes(
        tuple(
            attrs.evolve(one, after=100, at=one.at - timedelta(hours=1))
            for one in traffic.house.outbox.accounts.changes(1)
        )
    )

    traffic.house.clock.advance(EVERY_S - 1)
    traffic.watch.keep()
    assert traffic.points() == [100, 100]
    traffic.house.clock.advance(1)
    traffic.watch.keep()
    assert traffic.points() == [90, 100]


# Balances.


def hear(house, amount, account=ONE, **details):
    now = house.clock.now()
    balance = Balance(**{"amount": Decimal(amount), "unit": Unit.MESSAGES, "as_of": now, **details})
    house.outbox.accounts.hear_balance(account, balance, None, now)


def floored(house, floor=100):
    """Give the first account a floor."""
    fleet = house.parts.fleet
    accounts = {**fleet.accounts, ONE: attrs.evolve(fleet.accounts[ONE], balance_floor=Decimal(floor))}
    house.parts = attrs.evolve(house.parts, fleet=attrs.evolve(fleet, accounts=accounts))
    return house


def alarms(lines):
    return [(one["reason"], one["account"]) for one in lines.of("tocsin.alarm")]


@pytest.mark.parametrize(
    ("amount", "details", "expected"),
    [
        ("99", {}, [("balance-below-floor", "one")]),
        ("100", {}, [("balance-runs-dry", "one")]),
        ("129", {}, [("balance-runs-dry", "one")]),
        ("130", {}, []),
        ("129", {"unit": Unit.CNY}, []),
        ("-5", {"postpaid": True}, []),
    ],
)
def test_a_balance_warns_before_it_runs_dry(house_of, desk_of, lines, amount, details, expected):
    """Ten messages a day and a floor of 100: with less than three days' worth above it there is an alarm."""
    house = floored(house_of(lambda _: TAKEN))
    house.queue(*(f"139{number:08}" for number in range(10)))
    desk_of(house).work()
    hear(house, amount, **details)

    Watch(house.parts).look(house.clock.now())

    assert alarms(lines) == expected


def test_an_alarm_is_raised_once_an_hour(house_of, lines):
    """As long as it lasts it is said again, an hour after the last time; of a balance that is stale nothing is said."""
    house = floored(house_of())
    watch = Watch(house.parts)
    for _ in range(125):
        hear(house, "99")
        watch.look(house.clock.now())
        house.clock.advance(60)
    assert alarms(lines) == [("balance-below-floor", "one")] * 3

    house.clock.advance(3600)
    watch.look(house.clock.now())

    assert len(alarms(lines)) == 3
    assert house.outbox.deliveries(Filter()) == ()
