"""INTENT and its debit: what limits, caps, budgets and the breaker leave room for, and what is given back."""

from datetime import timedelta
from decimal import Decimal

import attrs
import pytest

from tocsin.errors import StoreFailed
from tocsin.model.account import Rate
from tocsin.model.ids import AccountId, VendorId
from tocsin.model.message import MessageClass
from tocsin.model.optout import OptedOut
from tocsin.model.outcome import Accepted, NotSent, Reason, Refused, Unknown
from tocsin.outbox.breaker import LEASE, Mode, mode
from tocsin.outbox.health import Answer, Sample
from tocsin.outbox.memory import MemoryRows
from tocsin.outbox.record import Trigger
from tocsin.outbox.spending import Bounds, Budgets
from tocsin.outbox.state import State

MAIN, BACKUP = AccountId("main"), AccountId("backup")
FEN = Decimal("0.05")
LONG_AGO = timedelta(days=400)
UNSENT, REFUSED, LOST = NotSent("connect-refused"), Refused(Reason.INVALID_NUMBER), Unknown("read-timeout")
TAKEN = Accepted(VendorId("77"))


def numbers(count):
    return [f"139{number:08}" for number in range(count)]


def spent(desk, account=MAIN):
    return desk.outbox.accounts.spent(account, desk.now - LONG_AGO)


def went(attempts):
    return [one.delivery for one in attempts]


def observe(desk, answer, times=1, **said):
    """Let requests be answered, a second apart."""
    for _ in range(times):
        desk.wait(seconds=1)
        sample = Sample(account=MAIN, at=desk.now, began_at=desk.now, answer=answer, **said)
        with desk.rows.transaction("observe"):
            desk.outbox.accounts.observe([sample])


def stands(desk):
    return mode(desk.outbox.accounts.health()[MAIN], desk.now)


# One transaction.


@pytest.fixture
def failing(desk_over):
    """A desk whose next commits fail."""

    class Failing(MemoryRows):
        def __init__(self):
            super().__init__(self._reach)
            self.fails = False

        def _reach(self, boundary):
            if self.fails and "before" in boundary:
                raise StoreFailed("no space")

    return desk_over(Failing())


def test_intent_and_debit_stand_or_fall_together(failing, invariants):
    """A commit that fails leaves neither INTENT nor debit, and no probe taken; the next one leaves them all."""
    observe(failing, Answer.FAILED, 3)
    failing.wait(seconds=60)
    (delivery,) = failing.accept()
    failing.rows.fails = True
    with pytest.raises(StoreFailed):
        failing.intend(delivery, cost=FEN)
    failing.rows.fails = False

    assert (failing.state(delivery.id), failing.attempts(delivery.id)) == (State.CLAIMED, ())
    assert (spent(failing), stands(failing)) == ((0, 0), Mode.HALF_OPEN)
    assert len(failing.intend(delivery, cost=FEN)) == 1
    assert (spent(failing), stands(failing)) == ((1, FEN), Mode.PROBING)
    invariants(failing.outbox)


def test_two_requests_of_one_transaction_see_each_other(desk):
    """Of two requests in one transaction, for which there is room for one, the first goes."""
    first, second = desk.accept(*numbers(2))
    bounds = Bounds(submits=(Rate(1, 60),))
    requests = [desk.intents(one, bounds=bounds) for one in (first, second)]

    (left, stayed) = desk.outbox.intend(requests, desk.now)

    assert (went(left), stayed) == ([first.id], ())
    assert [desk.state(one.id) for one in (first, second)] == [State.SENDING, State.CLAIMED]


def test_two_requests_of_one_transaction_share_a_numbers_limit(desk):
    """Two messages to one number, in two requests of one transaction: a limit of one lets one go."""
    (first,), (second,) = desk.accept(), desk.accept()
    bounds = Bounds(overall=(Rate(1, 60),))
    requests = [desk.intents(first, bounds=bounds), desk.intents(second, bounds=bounds, account=BACKUP)]

    assert [went(one) for one in desk.outbox.intend(requests, desk.now)] == [[first.id], []]


def test_what_has_no_room_stays_claimed(desk):
    """What bounds leave no room for is not intended: it stays with its holder, who asks the policy again."""
    bounds = Bounds(submits=(Rate(1, 60),))
    assert desk.intend(*desk.accept(), bounds=bounds)
    (delivery,) = desk.accept()

    assert desk.intend(delivery, bounds=bounds) == ()

    assert (desk.state(delivery.id), desk.find(delivery.id).holder) == (State.CLAIMED, desk.holder)
    assert desk.outbox.story(delivery.id)[0] == ()
    desk.wait(seconds=60)
    assert desk.intend(delivery, bounds=bounds)


# Whom limits let go.


@pytest.mark.parametrize("limit", ["per_recipient", "overall"])
def test_a_limit_of_numbers_leaves_single_ones_behind(desk, limit):
    """Of a group, the number that had its message stays, and all others go."""
    bounds = Bounds(**{limit: (Rate(1, 3600),)})
    one, two, three = numbers(3)
    assert desk.intend(*desk.accept(two), bounds=bounds)
    deliveries = desk.accept(one, two, three)

    attempts = desk.intend(*deliveries, bounds=bounds)

    assert went(attempts) == [deliveries[0].id, deliveries[2].id]
    assert {one.group_size for one in attempts} == {2}
    assert spent(desk)[0] == 3


def test_who_opted_out_after_the_decision_stays_behind(desk):
    """A number that wants no more when its request is to leave gets nothing, unless the class is exempt."""
    one, two = numbers(2)
    deliveries = desk.accept(one, two)
    desk.outbox.accounts.opt_out(OptedOut(number=deliveries[0].to, at=desk.now))

    assert went(desk.intend(*deliveries, bounds=Bounds(spares_opted_out=True))) == [deliveries[1].id]
    assert spent(desk)[0] == 1
    assert went(desk.intend(*deliveries, bounds=Bounds())) == [deliveries[0].id]


def test_an_accounts_own_limit_of_a_number_leaves_the_others_free(desk):
    """A number that had its message through one account may have one through another."""
    bounds = Bounds(per_recipient=(Rate(1, 3600),))
    assert desk.intend(*desk.accept(), bounds=bounds)

    assert desk.intend(*desk.accept(), bounds=bounds) == ()
    assert desk.intend(*desk.accept(), bounds=bounds, account=BACKUP)


@pytest.mark.parametrize(("first", "second", "goes"), [
    (MessageClass.ALERT, MessageClass.BULK, False),
    (MessageClass.OTP, MessageClass.NOTICE, False),
    (MessageClass.ALERT, MessageClass.CRITICAL, True),
    (MessageClass.CRITICAL, MessageClass.ALERT, True),
    (MessageClass.CRITICAL, MessageClass.CRITICAL, False),
])  # fmt: skip
def test_critical_ones_count_by_themselves(desk, first, second, goes):
    """Across accounts a number's messages of all classes count together, but for critical ones."""
    bounds = Bounds(overall=(Rate(1, 3600),))
    assert desk.intend(*desk.accept(cls=first), bounds=bounds, cls=first)

    attempts = desk.intend(*desk.accept(cls=second), bounds=bounds, cls=second, account=BACKUP)

    assert bool(attempts) is goes


def test_an_account_that_counts_all_messages_cuts_a_group(desk):
    """Where a limit counts all numbers together, a group is cut to the room that is left."""
    bounds = Bounds(per_recipient=(Rate(5, 3600),), by_account=True)
    assert len(desk.intend(*desk.accept(*numbers(3)), bounds=bounds)) == 3
    deliveries = desk.accept(*numbers(4))

    attempts = desk.intend(*deliveries, bounds=bounds)

    assert went(attempts) == [one.id for one in deliveries[:2]]
    assert desk.intend(*deliveries[2:], bounds=bounds) == ()
    assert len(desk.intend(*deliveries[2:], bounds=bounds, account=BACKUP)) == 2


@pytest.mark.parametrize("cap", ["account_cap", "fleet_cap"])
def test_a_money_cap_cuts_a_group(desk, cap):
    """Of a group as many go as the cap pays for, exactly; a message that costs nothing goes all the same."""
    bounds = Bounds(**{cap: 3 * FEN})
    assert desk.intend(*desk.accept(), bounds=bounds, cost=FEN)
    deliveries = desk.accept(*numbers(4))

    attempts = desk.intend(*deliveries, bounds=bounds, cost=FEN)

    assert went(attempts) == [one.id for one in deliveries[:2]]
    assert spent(desk) == (3, 3 * FEN)
    assert desk.intend(deliveries[2], bounds=bounds, cost=FEN) == ()
    assert bool(desk.intend(deliveries[3], bounds=bounds, cost=FEN, account=BACKUP)) is (cap == "account_cap")
    assert desk.intend(deliveries[2], bounds=bounds)


def test_money_is_free_again_after_a_day(desk):
    """A cap is for any 24 hours: what was spent a day ago is not counted any more."""
    bounds = Bounds(account_cap=FEN)
    assert desk.intend(*desk.accept(), bounds=bounds, cost=FEN)
    (delivery,) = desk.accept(expires_in=timedelta(days=3))
    desk.wait(hours=23, minutes=59)
    assert desk.intend(delivery, bounds=bounds, cost=FEN) == ()
    desk.wait(minutes=1)

    assert desk.intend(delivery, bounds=bounds, cost=FEN)


# What is given back.


@pytest.mark.parametrize(("outcome", "left"), [(UNSENT, 0), (REFUSED, 0), (LOST, 1), (TAKEN, 1), (Accepted(None), 1)])
def test_only_what_no_vendor_took_is_given_back(desk, outcome, left):
    """Not sent and refused give everything back; accepted and unknown nothing."""
    bounds = Bounds(submits=(Rate(1, 60),), per_recipient=(Rate(1, 60),), account_cap=FEN)
    attempts = desk.intend(*desk.accept(), bounds=bounds, cost=FEN)
    desk.settle(outcome, *attempts)

    assert spent(desk) == (left, left * FEN)
    assert bool(desk.intend(*desk.accept(), bounds=bounds, cost=FEN)) is (left == 0)


def test_of_a_group_each_is_given_back_by_its_own_outcome(desk):
    """One of three refused: two stay spent, and the request counts as one submit until all are given back."""
    one, two, three = desk.intend(*desk.accept(*numbers(3)), cost=FEN)
    rates = (Rate(1, 60),)
    desk.settle(REFUSED, one)
    desk.settle(LOST, two)
    assert (spent(desk), desk.outbox.meter(desk.now).submits_free_at(MAIN, rates)) == (
        (2, 2 * FEN),
        desk.now + timedelta(seconds=60),
    )

    desk.settle(UNSENT, three)

    assert spent(desk) == (1, FEN)


@pytest.mark.parametrize("outcome", [UNSENT, REFUSED], ids=["unsent", "refused"])
def test_nothing_is_given_back_twice(desk, outcome):
    """A settlement that is told twice gives back once."""
    one, _ = desk.intend(*desk.accept(*numbers(2)), cost=FEN)
    for _ in range(3):
        desk.settle(outcome, one)

    assert spent(desk) == (1, FEN)


@pytest.mark.parametrize("outcome", [UNSENT, REFUSED, TAKEN], ids=["unsent", "refused", "taken"])
def test_a_lost_lease_gives_nothing_back(desk, outcome):
    """What a lost lease learns comes too late: it is unknown, and stays spent."""
    attempts = desk.intend(*desk.accept(), cost=FEN)
    desk.wait(seconds=61)
    assert desk.outbox.recover(desk.now) == 1

    desk.settle(outcome, *attempts)

    assert spent(desk) == (1, FEN)


def test_a_settlement_of_another_epoch_gives_nothing_back(desk):
    """What was claimed anew meanwhile is another's: a settlement under the old epoch changes nothing."""
    attempts = desk.intend(*desk.accept(), cost=FEN)
    desk.settle(UNSENT, *attempts, epoch=7)

    assert spent(desk) == (1, FEN)


# Budgets.


def retry(desk, **details):
    return desk.intend(*desk.accept(), retries=True, **details)


@pytest.mark.parametrize("outcome", [TAKEN, REFUSED, UNSENT], ids=["taken", "refused", "unsent"])
def test_retries_end_with_their_budget(desk, outcome):
    """As many retries of an account a minute as its budget holds, whatever becomes of them; first tries go on."""
    bounds = Bounds(budgets=Budgets(retries=3))
    for _ in range(3):
        attempts = retry(desk, bounds=bounds)
        desk.settle(outcome, *attempts)
        assert attempts

    assert retry(desk, bounds=bounds) == ()
    assert desk.intend(*desk.accept(), bounds=bounds)
    assert retry(desk, bounds=bounds, account=BACKUP)
    desk.wait(seconds=60)
    assert retry(desk, bounds=bounds)


def test_a_busy_account_may_be_retried_more(desk):
    """One retry to ten first requests, where that is more than the floor."""
    bounds = Bounds(budgets=Budgets(retries=1))
    for _ in range(30):
        desk.intend(*desk.accept(), bounds=bounds)

    assert [bool(retry(desk, bounds=bounds)) for _ in range(4)] == [True, True, True, False]


def test_copies_out_of_doubt_end_with_their_budget(desk):
    """As many requests of a class an hour may be copies out of doubt; of another class, or of a free one, they go."""
    bounds = Bounds(resends_freely=False, budgets=Budgets(resends=2))

    def copy(cls=MessageClass.ALERT, bounds=bounds, **details):
        return bool(desk.intend(*desk.accept(cls=cls), cls=cls, bounds=bounds, trigger=Trigger.DOUBT, **details))

    assert [copy(), copy(account=BACKUP), copy()] == [True, True, False]
    assert [copy(cls=MessageClass.OTP), copy(bounds=attrs.evolve(bounds, resends_freely=True))] == [True, True]
    assert desk.intend(*desk.accept(), bounds=bounds)
    desk.wait(minutes=60)
    assert copy()


def test_a_busy_class_may_be_copied_more(desk):
    """One copy out of doubt to a hundred requests, where that is more than the floor."""
    bounds = Bounds(resends_freely=False, budgets=Budgets(resends=1))
    for _ in range(199):
        desk.intend(*desk.accept(), bounds=bounds)

    made = [bool(desk.intend(*desk.accept(), bounds=bounds, trigger=Trigger.DOUBT)) for _ in range(3)]

    assert made == [True, True, False], "of 199 requests one may be a copy, and of 200 two"


def test_the_budgets_are_those_of_the_design():
    """Retries: a tenth in a minute, sixty in any case. Copies out of doubt: a hundredth in an hour, twenty in any."""
    budgets = Budgets()

    assert [budgets.retries_allowed(firsts) for firsts in (0, 600, 609, 610)] == [60, 60, 60, 61]
    assert [budgets.resends_allowed(requests) for requests in (0, 2000, 2099, 2100)] == [20, 20, 20, 21]


# The breaker.


def shut(desk, how):
    """Put the account into a state that shuts it; return in which mode it is."""
    match how:
        case Mode.OPEN:
            observe(desk, Answer.FAILED, 3)
        case Mode.PROBING:
            observe(desk, Answer.FAILED, 3)
            desk.wait(seconds=60)
            assert desk.intend(*desk.accept())
        case Mode.DISABLED:
            desk.outbox.accounts.disable(MAIN, desk.now)
        case _:
            reason = Reason.BALANCE if how is Mode.DRAINED else Reason.AUTHENTICATION
            observe(desk, Answer.NEUTRAL, sticky=reason.sticky)
    return stands(desk)


SHUT = [Mode.OPEN, Mode.PROBING, Mode.DRAINED, Mode.FORCED_OPEN, Mode.DISABLED]


@pytest.mark.parametrize("how", SHUT, ids=lambda how: how.value)
def test_an_account_that_is_shut_takes_nothing(desk, how):
    """Open, probed, drained, refused as an account or disabled: nothing is intended, and nothing debited."""
    assert shut(desk, how) is how
    before = spent(desk)

    assert desk.intend(*desk.accept()) == ()

    assert spent(desk) == before
    assert desk.intend(*desk.accept(), account=BACKUP)


@pytest.mark.parametrize("how", SHUT, ids=lambda how: how.value)
def test_who_insists_passes_all_but_the_operators_word(desk, how):
    """What insists goes through whatever shuts the account, but not where an operator took it out of use."""
    assert shut(desk, how) is how
    request = attrs.evolve(desk.intents(*desk.accept()), insists=True)

    (attempts,) = desk.outbox.intend([request], desk.now)

    assert bool(attempts) is (how is not Mode.DISABLED)


def test_one_request_goes_to_see(desk):
    """When the breaker's time is served one request goes; the next waits for its answer, or for its time to be over."""
    observe(desk, Answer.FAILED, 3)
    desk.wait(seconds=60)
    assert stands(desk) is Mode.HALF_OPEN
    requests = [desk.intents(*desk.accept()) for _ in range(3)]

    assert [len(one) for one in desk.outbox.intend(requests, desk.now)] == [1, 0, 0]

    desk.wait(seconds=LEASE.total_seconds() - 1)
    assert desk.intend(*desk.accept()) == ()
    desk.wait(seconds=1)
    assert desk.intend(*desk.accept())


def test_what_cannot_leave_for_another_reason_takes_no_probe(desk):
    """A request that a limit holds back leaves the one slot for a probe to another."""
    bounds = Bounds(overall=(Rate(1, 3600),))
    assert desk.intend(*desk.accept(), account=BACKUP)
    observe(desk, Answer.FAILED, 3)
    desk.wait(seconds=60)

    assert desk.intend(*desk.accept(), bounds=bounds) == ()

    assert stands(desk) is Mode.HALF_OPEN


def test_a_probe_keeps_to_the_limits_of_its_account(desk):
    """What goes to see is one message, and none where the account's own limit leaves room for none."""
    bounds = Bounds(per_recipient=(Rate(2, 3600),), by_account=True)
    assert len(desk.intend(*desk.accept(), bounds=bounds)) == 1
    observe(desk, Answer.FAILED, 3)
    desk.wait(seconds=60)
    deliveries = desk.accept(*numbers(3))

    assert len(desk.intend(*deliveries, bounds=bounds)) == 1
    desk.wait(seconds=60)
    assert stands(desk) is Mode.HALF_OPEN
    assert desk.intend(*deliveries[1:], bounds=bounds) == ()
    assert stands(desk) is Mode.HALF_OPEN
