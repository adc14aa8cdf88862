"""How all accounts stand at one moment: what closes each, in words, and until when; which routes have nobody."""

from datetime import time, timedelta
from decimal import Decimal
from itertools import count
from zoneinfo import ZoneInfo

import attrs
import pytest

from tocsin.delivery.survey import Survey, draw_of
from tocsin.model.account import Limits, Polling, Rate
from tocsin.model.balance import Balance, Unit
from tocsin.model.hours import Hours
from tocsin.model.ids import AccountId, DeliveryId, VendorId
from tocsin.model.limits import FleetLimits, OptOut
from tocsin.model.message import MessageClass
from tocsin.model.optout import OptedOut
from tocsin.model.outcome import Accepted, Sticky, Unknown
from tocsin.model.phone import parse_number
from tocsin.outbox.health import Answer, Sample
from tocsin.outbox.record import Filter, Intent, Settlement
from tocsin.outbox.spending import Budgets, Request
from tocsin.policy.judge import Bar
from tocsin.policy.route import Route, Strategy
from tocsin.testing.vendor import answer_send

ONE, TWO = AccountId("one"), AccountId("two")
NUMBER, OTHER = parse_number("13900000000"), parse_number("13900000001")
ACCEPTED = Accepted(VendorId("77"))
TAKEN = answer_send(ACCEPTED)
SUBMIT = {"decision": "submit"}
MOMENT = timedelta(microseconds=1)
FEN = Decimal("0.05")


class Scene:
    """A house, and what befalls its first account."""

    def __init__(self, house):
        self.house = house
        self.store = house.outbox
        self._texts = count()

    @property
    def now(self):
        return self.house.clock.now()

    def change(self, account=ONE, **details):
        """Configure an account otherwise."""
        fleet = self.house.parts.fleet
        accounts = {**fleet.accounts, account: attrs.evolve(fleet.accounts[account], **details)}
        self.settle_for(accounts=accounts)

    def settle_for(self, **details):
        """Configure the fleet otherwise."""
        self.house.parts = attrs.evolve(self.house.parts, fleet=attrs.evolve(self.house.parts.fleet, **details))

    def send(self, to=NUMBER, account=ONE, cls=MessageClass.ALERT, outcome=ACCEPTED, **details):
        """Let one message leave, and come to something."""
        text = f"text {next(self._texts)}"
        (delivery,) = self.house.deliveries(self.house.accept(to.full, text=text, cls=cls))
        intent = Intent(delivery=delivery.id, epoch=delivery.epoch, account=account, explanation=SUBMIT, **details)
        ((attempt,),) = self.store.intend([Request(account=account, cls=cls, intents=(intent,))], self.now)
        self.store.settle((Settlement(attempt=attempt.id, epoch=delivery.epoch, outcome=outcome),), self.now)

    def answer(self, answer, times=1, account=ONE, **said):
        """Let requests be answered, a second apart."""
        for _ in range(times):
            self.house.clock.advance(1)
            sample = Sample(account=account, at=self.now, began_at=self.now, answer=answer, **said)
            self.store.settle((), self.now, (sample,))

    def hear(self, amount, account=ONE, **details):
        balance = Balance(**{"amount": Decimal(amount), "unit": Unit.CNY, "as_of": self.now, **details})
        self.store.accounts.hear_balance(account, balance, None, self.now)

    def candidates(self, at=None, *, to=NUMBER, cls=MessageClass.ALERT, may_wait=True, again=False):
        """Survey the fleet for a message of its own; `again` where the first account had its turn."""
        message = self.house.prepare(to.full, text="asked", cls=cls, holder=None)
        name = self.store.accept(message, self.now)
        (delivery,) = self.house.deliveries(name)
        attempts = self.tried if again else ()
        survey = Survey(self.house.parts.fleet, self.store, at or self.now, (to,))
        return survey.candidates(delivery, message.message, attempts, may_wait=may_wait)

    def closures(self, at=None, account=ONE, **asked):
        (found,) = [one for one in self.candidates(at, **asked) if one.account == account]
        return found.closures

    def shut(self, at=None):
        return Survey(self.house.parts.fleet, self.store, at or self.now).shut_routes()

    @property
    def tried(self):
        """An attempt by the first account that was not taken."""
        deliveries = self.store.deliveries(Filter())
        return next(each for one in deliveries if (each := self.house.attempts(one)))


@pytest.fixture
def scene(house_of):
    return Scene(house_of(lambda _: TAKEN))


# Each closure.


def open_breaker(scene):
    scene.answer(Answer.FAILED, 3)
    return timedelta(seconds=30)


def refuse(scene):
    scene.answer(Answer.NEUTRAL, sticky=Sticky.FORCED_OPEN)
    return timedelta(minutes=5)


def drain(scene):
    scene.answer(Answer.NEUTRAL, sticky=Sticky.DRAINED)
    return timedelta(minutes=10)


def close_for_the_night(scene):
    scene.change(hours=Hours(start=time(6), end=time(22), zone=ZoneInfo("UTC")))  # the clock begins at midnight
    return timedelta(hours=6)


def use_up_submits(scene):
    scene.change(limits=Limits(submits=(Rate(2, 180), Rate(1, 10))))
    scene.send(OTHER)
    scene.send(OTHER)
    return timedelta(seconds=180)


def use_up_messages(scene):
    scene.change(limits=Limits(per_recipient=(Rate(1, 60), Rate(2, 90)), limit_scope="account"))
    scene.send(OTHER)
    scene.send(OTHER)
    return timedelta(seconds=90)


def use_up_the_number(scene):
    scene.change(limits=Limits(per_recipient=(Rate(1, 90),)))
    scene.send()
    return timedelta(seconds=90)


ENDING = [
    (open_breaker, Bar.BREAKER, "its breaker is open until 00:00:33 UTC"),
    (refuse, Bar.STICKY, "it is refused as an account until 00:05:01 UTC"),
    (drain, Bar.STICKY, "its balance is used up until 00:10:01 UTC"),
    (close_for_the_night, Bar.HOURS, "it is outside its hours"),
    (use_up_submits, Bar.SUBMITS, "its submits are used up until 00:03:00 UTC"),
    (use_up_messages, Bar.LIMIT, "its messages are used up until 00:01:30 UTC"),
    (use_up_the_number, Bar.LIMIT, "the number has had as many messages as it may until 00:01:30 UTC"),
]


@pytest.mark.parametrize(("befall", "bar", "words"), ENDING, ids=[one[0].__name__ for one in ENDING])
def test_a_closure_ends_when_it_says(scene, befall, bar, words):
    """What closes an account is told in words, closes it to the last moment that it says, and then no more."""
    assert scene.closures() == ()
    until = scene.now + befall(scene) + timedelta(seconds=scene.house.clock.monotonic())

    (closure,) = scene.closures(may_wait=False)

    assert (closure.bar, closure.why, closure.until) == (bar, words, until)
    assert scene.closures(until - MOMENT, may_wait=False) == (closure,)
    assert scene.closures(until, may_wait=False) == ()
    assert scene.closures(account=TWO) == ()


def go_to_see(scene):
    """Let the breaker's time be served, and one request go: nobody knows yet what came of it."""
    scene.answer(Answer.FAILED, 3)
    scene.house.clock.advance(40)
    scene.send(OTHER, outcome=Unknown("holder-lost"))


def disable(scene):
    scene.store.accounts.disable(ONE, scene.now)


def fall_below_the_floor(scene):
    scene.change(balance_floor=Decimal(20))
    scene.hear("19.99")


def spend_the_accounts_money(scene):
    scene.change(price=FEN, limits=Limits(spend_per_day=FEN))
    scene.send(OTHER, cost=FEN)


def spend_the_retries(scene):
    scene.settle_for(budgets=Budgets(retries=1))
    scene.send(OTHER, retries=True, outcome=Unknown("reset"))


LOOKING_AGAIN = [
    (go_to_see, Bar.BREAKER, 2, "its breaker is open, and one request is under way to see"),
    (disable, Bar.DISABLED, 10, "an operator has taken it out of use"),
    (fall_below_the_floor, Bar.BALANCE, 10, "its balance of 19.99 is below its floor of 20"),
    (spend_the_accounts_money, Bar.MONEY, 60, "the day's money is spent"),
    (spend_the_retries, Bar.RETRIES, 10, "its retry budget is spent"),
]


@pytest.mark.parametrize(
    ("befall", "bar", "seconds", "words"), LOOKING_AGAIN, ids=[x[0].__name__ for x in LOOKING_AGAIN]
)
def test_what_nobody_can_date_is_looked_at_again(scene, befall, bar, seconds, words):
    """Where nobody knows when it ends it says when to look again, from every moment anew."""
    befall(scene)
    again = bar is Bar.RETRIES

    (closure,) = scene.closures(again=again)
    (later,) = scene.closures(scene.now + timedelta(seconds=1), again=again)

    assert (closure.bar, closure.why) == (bar, words)
    assert closure.until == scene.now + timedelta(seconds=seconds)
    assert later.until == closure.until + timedelta(seconds=1)
    assert scene.closures(account=TWO, again=again) == ()


def test_a_probe_that_never_answers_closes_for_its_lease(scene):
    """Nobody else goes while one request is under way to see; when its time is over, the next may."""
    scene.answer(Answer.FAILED, 3)
    scene.house.clock.advance(40)
    (delivery,) = scene.house.deliveries(scene.house.accept(OTHER.full))
    intent = Intent(delivery=delivery.id, epoch=1, account=ONE, explanation=SUBMIT)
    scene.store.intend([Request(account=ONE, cls=MessageClass.ALERT, intents=(intent,))], scene.now)

    assert [one.bar for one in scene.closures(scene.now + timedelta(seconds=60) - MOMENT)] == [Bar.BREAKER]
    assert scene.closures(scene.now + timedelta(seconds=60)) == ()


def test_only_a_retry_is_held_by_the_retry_budget(scene):
    """A message that the account has not had before may go, whatever was retried."""
    spend_the_retries(scene)

    assert scene.closures() == ()


@pytest.mark.parametrize(("cls", "closed"), [(MessageClass.OTP, 2), (MessageClass.BULK, 2), (MessageClass.CRITICAL, 0)])
def test_a_number_that_had_its_messages_is_closed_everywhere(scene, cls, closed):
    """A limit across accounts closes all of them to that number, and to no other; critical messages have their own."""
    scene.settle_for(limits=FleetLimits(per_recipient=(Rate(2, 60),), critical_per_recipient=(Rate(1, 60),)))
    scene.send(account=TWO)
    scene.send(account=ONE, cls=MessageClass.NOTICE)

    barred = [one.closures[0].bar for one in scene.candidates(cls=cls) if one.closures]
    assert barred == [Bar.LIMIT] * closed
    assert [one.closures for one in scene.candidates(cls=cls, to=OTHER)] == [(), ()]


def test_the_fleets_money_closes_who_costs(scene):
    """Where all money of the day is spent, an account without a price may still be used."""
    scene.change(price=FEN)
    scene.settle_for(limits=FleetLimits(spend_per_day=FEN))
    scene.send(OTHER, cost=FEN, account=TWO)

    assert [[one.bar for one in each.closures] for each in scene.candidates()] == [[Bar.MONEY], []]


@pytest.mark.parametrize(("window_s", "for_worker"), [(1, 0), (5, 0), (6, 1), (180, 1)])
def test_a_short_limit_is_no_closure_to_who_waits(scene, window_s, for_worker):
    """Who waits takes a limit on submits that is over in five seconds for none; who does not is told of it."""
    scene.change(limits=Limits(submits=(Rate(1, window_s),)))
    scene.send(OTHER)

    assert len(scene.closures(may_wait=True)) == for_worker
    assert [one.bar for one in scene.closures(may_wait=False)] == [Bar.SUBMITS]
    assert bool(scene.shut()) is False


# Balances.


def test_a_stale_balance_closes_nothing(scene):
    """A balance that nobody has heard for ten minutes is unknown, not zero."""
    fall_below_the_floor(scene)

    assert scene.closures(scene.now + timedelta(minutes=10))
    assert scene.closures(scene.now + timedelta(minutes=10) + MOMENT) == ()


def test_a_balance_that_is_asked_rarely_is_believed_longer(scene):
    """It is stale after three polls that brought nothing, where those are further apart."""
    scene.change(poll=Polling(balance_s=3600))
    fall_below_the_floor(scene)

    assert scene.closures(scene.now + timedelta(hours=3))
    assert scene.closures(scene.now + timedelta(hours=3) + MOMENT) == ()


@pytest.mark.parametrize("amount", ["-500", "0", "19"])
def test_a_postpaid_account_has_no_floor(scene, amount):
    """What is paid for afterwards may be as low as it likes."""
    scene.change(balance_floor=Decimal(20))
    scene.hear(amount, postpaid=True)

    assert scene.closures() == ()


@pytest.mark.parametrize(("amount", "closed"), [("20", False), ("19.9999", True), ("-1", True)])
def test_the_floor_itself_is_enough(scene, amount, closed):
    """An account with exactly its floor left may be used; without a floor, no balance closes one."""
    scene.change(balance_floor=Decimal(20))
    scene.hear(amount)
    scene.hear(amount, account=TWO)

    assert bool(scene.closures()) is closed
    assert scene.closures(account=TWO) == ()


# Opt-outs.


@pytest.mark.parametrize(
    ("cls", "left_out"), [(MessageClass.BULK, True), (MessageClass.ALERT, True), (MessageClass.OTP, False)]
)
def test_who_wants_no_more_is_not_sent_to(scene, cls, left_out):
    """An opt-out stands in the way of every account, whichever it came in through; exempt classes are sent."""
    scene.settle_for(opt_out=OptOut(exempt=frozenset((MessageClass.OTP,))))
    scene.store.accounts.opt_out(OptedOut(number=NUMBER, at=scene.now, account=ONE, word="TD"))

    words = ("the recipient wants no more messages",) if left_out else ()
    assert [one.obstacles for one in scene.candidates(cls=cls)] == [words, words]
    assert [one.obstacles for one in scene.candidates(cls=cls, to=OTHER)] == [(), ()]
    assert scene.store.accounts.opt_in(NUMBER)
    assert [one.obstacles for one in scene.candidates(cls=cls)] == [(), ()]


# Routes.


def test_a_route_is_shut_while_all_its_accounts_are(scene):
    """One that is open keeps a route open; of those that are closed, the first to open says when to look again."""
    drain(scene)
    assert scene.shut() == {}
    scene.answer(Answer.FAILED, 3, account=TWO)

    (until,) = scene.shut().values()

    assert until == scene.now + timedelta(seconds=30)
    assert scene.shut(until - MOMENT) == {"all": until}
    assert scene.shut(until) == {}


def test_the_last_of_an_accounts_closures_counts(scene):
    """An account that is drained and outside its hours is closed until both are over."""
    close_for_the_night(scene)
    drain(scene)
    scene.store.accounts.disable(TWO, scene.now)
    scene.settle_for(routes=(Route(name="all", accounts=(ONE,)), Route(name="both", accounts=(ONE, TWO))))

    morning = scene.now.replace(hour=6, minute=0, second=0)
    assert scene.shut() == {"all": morning, "both": scene.now + timedelta(seconds=30)}


def test_what_closes_an_account_to_some_shuts_no_route(scene):
    """A number's limit, money and retries close nothing to everybody."""
    scene.settle_for(routes=(Route(name="all", accounts=(ONE,)),), budgets=Budgets(retries=1))
    use_up_the_number(scene)
    scene.change(price=FEN, limits=Limits(spend_per_day=FEN, per_recipient=(Rate(1, 90),)))
    scene.send(OTHER, cost=FEN, retries=True)

    assert scene.shut() == {}


def test_a_broadcast_and_a_route_with_an_account_that_is_gone_are_not_shut(scene):
    """Each copy of a broadcast waits for its own account; what nobody configures any more has to be told so."""
    scene.settle_for(
        routes=(
            Route(name="all", accounts=(ONE,), strategy=Strategy.BROADCAST),
            Route(name="old", accounts=(ONE, AccountId("gone"))),
        )
    )
    drain(scene)

    assert scene.shut() == {}


def test_a_delivery_of_a_route_that_is_gone_has_no_candidates(scene):
    """Where the configuration has the route no more, nobody is left to carry it."""
    (delivery,) = scene.house.deliveries(scene.house.accept(NUMBER.full))
    message = scene.house.prepare(NUMBER.full).message
    survey = Survey(scene.house.parts.fleet, scene.store, scene.now, (NUMBER,))

    assert survey.candidates(attrs.evolve(delivery, route="gone"), message) == ()


def test_a_draw_is_the_deliverys_own():
    """The same delivery draws the same each time; a thousand of them are spread evenly over 0 to 1."""
    draws = [draw_of(DeliveryId(f"m.{number}")) for number in range(1000)]

    assert draws == [draw_of(DeliveryId(f"m.{number}")) for number in range(1000)]
    assert all(0 <= one < 1 for one in draws)
    assert all(60 < sum(low <= one * 10 < low + 1 for one in draws) < 140 for low in range(10))
