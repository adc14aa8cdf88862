"""INTENT and its debit, over any story: no window of any limit, cap or budget ever holds more than it may."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tocsin.model.account import Rate
from tocsin.model.ids import AccountId, VendorId
from tocsin.model.message import MessageClass
from tocsin.model.outcome import Accepted, NotSent, Reason, Refused, Unknown
from tocsin.outbox.record import Settlement, Trigger
from tocsin.outbox.spending import Bounds, Budgets
from tocsin.outbox.state import AttemptState

MAIN, BACKUP = AccountId("main"), AccountId("backup")
FEN = Decimal("0.05")
LONG_AGO = timedelta(days=400)
UNSENT, REFUSED, LOST = NotSent("connect-refused"), Refused(Reason.INVALID_NUMBER), Unknown("read-timeout")
TAKEN = Accepted(VendorId("77"))


def numbers(count):
    return [f"139{number:08}" for number in range(count)]


BOUNDS = {
    MAIN: Bounds(submits=(Rate(2, 10), Rate(4, 60)), per_recipient=(Rate(2, 30),), account_cap=4 * FEN,
                 overall=(Rate(3, 60),), fleet_cap=8 * FEN, resends_freely=False,
                 budgets=Budgets(retries=2, resends=2)),
    BACKUP: Bounds(per_recipient=(Rate(3, 20), Rate(5, 60)), by_account=True, overall=(Rate(3, 60),),
                   fleet_cap=8 * FEN, resends_freely=False, budgets=Budgets(retries=1, resends=2)),
}  # fmt: skip
CLASSES = (MessageClass.ALERT, MessageClass.CRITICAL, MessageClass.BULK)

requests = st.tuples(
    st.sampled_from([MAIN, BACKUP]),
    st.sampled_from(CLASSES),
    st.lists(st.sampled_from(numbers(3)), min_size=1, max_size=3, unique=True),
    st.sampled_from([Trigger.FIRST, Trigger.DOUBT]),
    st.booleans(),
)
stories = st.lists(
    st.one_of(
        st.tuples(st.just("intend"), st.lists(requests, min_size=1, max_size=3)),
        st.tuples(st.just("settle"), st.sampled_from([UNSENT, REFUSED, LOST, TAKEN])),
        st.tuples(st.just("wait"), st.integers(1, 20)),
    ),
    max_size=20,
)


class Ledger:
    """What a story spent, counted here by the outcomes alone: each request with its messages that nobody gave back."""

    def __init__(self):
        self.requests = []
        self.under_way = []

    def add(self, asked, attempts, at):
        account, cls, _, trigger, retries = asked
        kept = {one.id: one for one in attempts}
        self.requests.append((account, cls, trigger, retries, at, kept))
        self.under_way += [(one, kept) for one in attempts]

    def check(self, to):
        """Check every window that ends with a request."""
        for *_, now, _ in self.requests:
            for account, bounds in BOUNDS.items():
                self._check_account(account, bounds, to, now)
            for rate in BOUNDS[MAIN].overall:
                critical, others = Counter(), Counter()
                for account in BOUNDS:
                    for cls, one in self.messages(account, rate.window_s, now):
                        (critical if cls is MessageClass.CRITICAL else others)[to[one.delivery]] += 1
                assert max((critical | others).values(), default=0) <= rate.count
            everything = [one for account in BOUNDS for _, one in self.messages(account, 86400, now)]
            assert FEN * len(everything) <= BOUNDS[MAIN].fleet_cap
        self._check_budgets()

    def _check_account(self, account, bounds, to, now):
        for rate in bounds.submits:
            submits = [kept for *_, kept in self.within(account, rate.window_s, now) if kept]
            assert len(submits) <= rate.count
        for rate in bounds.per_recipient:
            messages = [one for _, one in self.messages(account, rate.window_s, now)]
            counts = [len(messages)] if bounds.by_account else Counter(to[one.delivery] for one in messages).values()
            assert max(counts, default=0) <= rate.count
        if bounds.account_cap is not None:
            assert FEN * len(list(self.messages(account, 86400, now))) <= bounds.account_cap

    def _check_budgets(self):
        for account, cls, trigger, retries, now, _ in self.requests:
            if retries:
                assert sum(one[3] for one in self.within(account, 60, now)) <= BOUNDS[account].budgets.retries
            if trigger is Trigger.DOUBT:
                copies = [one for each in BOUNDS for one in self.within(each, 3600, now) if one[1:3] == (cls, trigger)]
                assert sum(bool(kept) for *_, kept in copies) <= 2

    def within(self, account, window_s, now):
        """Return the account's requests of the window that ends with `now`."""
        since = now - timedelta(seconds=window_s)
        return [one for one in self.requests if one[0] == account and since < one[4] <= now]

    def messages(self, account, window_s, now):
        return [(one[1], attempt) for one in self.within(account, window_s, now) for attempt in one[5].values()]


def intend(desk, ledger, asked):
    """Ask for several requests in one transaction; enter what went."""
    wanted = []
    for account, cls, to, trigger, retries in asked:
        deliveries = desk.accept(*to, cls=cls)
        details = {"trigger": trigger, "retries": retries, "cost": FEN, "bounds": BOUNDS[account]}
        wanted.append(desk.intents(*deliveries, account=account, cls=cls, **details))
    for one, attempts in zip(asked, desk.outbox.intend(wanted, desk.now), strict=True):
        if attempts:
            ledger.add(one, attempts, desk.now)


def settle(desk, ledger, outcome):
    """Settle the oldest message that is under way, twice."""
    if ledger.under_way:
        (attempt, kept), *ledger.under_way = ledger.under_way
        for _ in range(2):
            desk.outbox.settle((Settlement(attempt=attempt.id, epoch=1, outcome=outcome),), desk.now)
        if isinstance(outcome, NotSent | Refused):
            del kept[attempt.id]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(stories)
def test_no_window_ever_holds_more_than_its_bounds(open_desk, story):
    """After any story of requests, outcomes and time, no window of any limit, cap or budget holds too much."""
    with open_desk() as desk:
        ledger, to = Ledger(), {}
        for what, how in story:
            match what:
                case "intend":
                    intend(desk, ledger, how)
                case "settle":
                    settle(desk, ledger, how)
                case "wait":
                    desk.wait(seconds=how)
            to |= {one.delivery: desk.find(one.delivery).to for *_, kept in ledger.requests for one in kept.values()}
            ledger.check(to)
        counted = sum(len(kept) for *_, kept in ledger.requests)
        assert desk.outbox.accounts.spent(None, desk.now - LONG_AGO) == (counted, FEN * counted)
        states = [desk.attempts(one)[0].state for one in to]
        assert states.count(AttemptState.INTENT) == len(ledger.under_way)
