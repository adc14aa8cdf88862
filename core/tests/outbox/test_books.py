"""The books: whatever was written, each question gets the same answer from every store, and survives its file."""

import shutil
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tocsin.model.balance import Balance, Unit
from tocsin.model.ids import AccountId, DeliveryId, HolderId, SubmitId, VendorId
from tocsin.model.message import MessageClass
from tocsin.model.optout import OptedOut
from tocsin.model.outcome import Accepted, NotSent, Reason, Refused, Unknown
from tocsin.model.phone import parse_number, parse_vendor_number
from tocsin.model.quality import Change
from tocsin.model.report import ReportState
from tocsin.outbox.books import Books
from tocsin.outbox.health import Answer, Sample
from tocsin.outbox.record import Settlement, Trigger
from tocsin.outbox.spending import Spending

MAIN, BACKUP = AccountId("main"), AccountId("backup")
ACCOUNTS = (MAIN, BACKUP)
NUMBERS = ("13900000001", "13900000002", "13700000003", "+12025550123")
CODE = parse_vendor_number("10086")
LONG_AGO = timedelta(days=400)

with_stores = settings(
    max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

accounts = st.sampled_from(ACCOUNTS)
spans = st.sampled_from([timedelta(0), timedelta(seconds=1), timedelta(seconds=60), timedelta(minutes=7), LONG_AGO])
moments = st.sampled_from([timedelta(seconds=1), timedelta(seconds=59), timedelta(minutes=5)])
amounts = st.sampled_from([Decimal(0), Decimal("0.045"), Decimal("1.000001")])
TAKEN = Accepted(VendorId("77"))
outcomes = st.sampled_from([TAKEN, Accepted(None), Unknown("reset"), NotSent("dns"), Refused(Reason.THROTTLED)])


# What is written. Each step does the same at every desk; it returns nothing that a store could answer otherwise.


def send(desk, numbers, **details):
    """Let a group leave."""
    desk.intend(*desk.accept(*numbers, cls=details["cls"]), **details)


def settle(desk, outcome, most):
    """Let some of what is under way come back."""
    under_way = [one for one in everything(desk) if one.settled_at is None]
    desk.settle(outcome, *under_way[:most])


def hear(desk, number, state, later):
    """Let a report come, with a time of the vendor's own or none."""
    at = None if later is None else desk.now - later
    desk.report(state, number=number, at=at)


def deliver(desk, number, account, outcome, state, took):
    """Take one message to its outcome and, after a while, to a report where one comes, with its time or without."""
    desk.submitted(outcome, number=number, account=account)
    desk.wait(seconds=1)
    at = None if took is None else desk.now + took
    if state is not None:
        desk.report(state, number=number, account=account, at=at)


def observe(desk, account, answer):
    sample = Sample(account=account, at=desk.now, began_at=desk.now - timedelta(seconds=1), answer=answer)
    with desk.rows.transaction("observe"):
        desk.outbox.accounts.observe([sample])


def hear_balance(desk, account, amount, unit):
    balance = Balance(amount=amount, unit=unit, as_of=desk.now, postpaid=False)
    desk.outbox.accounts.hear_balance(account, balance, Decimal(1), desk.now)


def switch(desk, account, what):
    getattr(desk.outbox.accounts, what)(account, desk.now)


def weigh(desk, account, prefix, points):
    change = Change(account=account, prefix=prefix, before=100, after=points, reason=f"to {points}", at=desk.now)
    desk.outbox.accounts.save_changes((change, change))


def opt_out(desk, number, account):
    one = OptedOut(number=parse_vendor_number(number), at=desk.now, account=account, word="TD" if account else "")
    desk.outbox.accounts.opt_out(one)


def opt_in(desk, number):
    desk.outbox.accounts.opt_in(parse_vendor_number(number))


def take_turns(desk, route, number):
    with desk.rows.transaction("turns"):
        desk.rows.books.take_turns(route, number)


def keep_up(desk, account, words):
    desk.outbox.save_keywords(account, words, desk.now)
    desk.outbox.reserve_balance(account, 5, desk.now)


def fail(desk, account):
    """Begin to change everything, and fail."""
    with suppress(ZeroDivisionError), desk.rows.transaction("fails"):
        _change_everything(desk.rows.books, account, desk.now)
        raise ZeroDivisionError


def _change_everything(books, account, now):
    debit = {"account": account, "at": now, "cls": MessageClass.ALERT, "messages": 9, "cost": Decimal(9)}
    books.save_spending((Spending(submit=SubmitId("never"), **debit),))
    books.save_changes((Change(account=account, prefix="+86139", before=1, after=0, reason="no", at=now),))
    books.save_opt_out(OptedOut(number=parse_number(NUMBERS[3]), at=now))
    books.take_turns("all", 7)
    books.save_keywords(account, ("never",), now)
    books.save_balance_asked_at(account, now)


def wait(desk, time):
    desk.now += time


numbers = st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=3, unique=True)
steps = st.lists(
    st.one_of(
        st.builds(
            partial,
            st.just(send),
            account=accounts,
            numbers=numbers,
            cls=st.sampled_from(MessageClass),
            trigger=st.sampled_from(Trigger),
            retries=st.booleans(),
            cost=amounts,
        ),
        st.builds(partial, st.just(settle), outcome=outcomes, most=st.integers(1, 3)),
        st.builds(
            partial,
            st.just(hear),
            number=st.sampled_from(NUMBERS),
            state=st.sampled_from(ReportState),
            later=st.none() | moments,
        ),
        st.builds(
            partial,
            st.just(deliver),
            number=st.sampled_from(NUMBERS),
            account=accounts,
            outcome=st.just(TAKEN) | outcomes,
            state=st.sampled_from([ReportState.DELIVERED, ReportState.FAILED, None]),
            took=st.none() | moments,
        ),
        st.builds(partial, st.just(observe), account=accounts, answer=st.sampled_from(Answer)),
        st.builds(partial, st.just(hear_balance), account=accounts, amount=amounts, unit=st.sampled_from(Unit)),
        st.builds(partial, st.just(switch), account=accounts, what=st.sampled_from(["disable", "resume"])),
        st.builds(
            partial,
            st.just(weigh),
            account=accounts,
            prefix=st.sampled_from(["+86139", "+120"]),
            points=st.integers(0, 100),
        ),
        st.builds(partial, st.just(opt_out), number=st.sampled_from((*NUMBERS, "10086")), account=st.none() | accounts),
        st.builds(partial, st.just(opt_in), number=st.sampled_from((*NUMBERS, "10086"))),
        st.builds(partial, st.just(take_turns), route=st.sampled_from(["all", "other"]), number=st.integers(1, 9)),
        st.builds(
            partial, st.just(keep_up), account=accounts, words=st.lists(st.sampled_from(["贷款", "x"])).map(tuple)
        ),
        st.builds(partial, st.just(fail), account=accounts),
        st.builds(partial, st.just(wait), time=moments),
    ),
    max_size=25,
)


# What is asked. An answer whose order is promised is compared in order; where times are equal, no order is.


def everything(desk):
    """Return all attempts, by id."""
    ids = tuple(one.id for one in desk.outbox.dossiers(DeliveryId(""), 10_000) for one in (one.delivery,))
    found = (one for each in desk.outbox.attempts(ids).values() for one in each)
    return sorted(found, key=lambda one: one.id)


def submits(desk):
    return sorted({one.submit for one in everything(desk)} | {SubmitId("never")})


def newest_first(sent):
    """Return what was sent, and check that it was told in order."""
    times = [one.at for one in sent]
    assert times == sorted(times, reverse=True)
    return Counter(sent)


def questions(desk, span):
    """Return every question to the books, by name, with its answer's meaning."""
    books, since = desk.rows.books, desk.now - span
    to = [*map(parse_number, NUMBERS), CODE]
    whole = (*ACCOUNTS, AccountId("nobody"))
    return {
        "get_spending": lambda: books.get_spending(submits(desk)),
        "spent": lambda: [books.spent(one, since) for one in (*whole, None)],
        "count_retries": lambda: [books.count_retries(one, since) for one in whole],
        "count_resends": lambda: [books.count_resends(one, since) for one in MessageClass],
        "count_submits": lambda: [books.count_submits(one, since) for one in whole],
        "nth_submit_at": lambda: [books.nth_submit_at(one, number) for one in whole for number in (1, 2, 5)],
        "messages_since": lambda: [books.messages_since(one, since) for one in whole],
        "sent_to": lambda: [newest_first(books.sent_to(some, since)) for some in (to, to[:1], [])],
        "health": books.health,
        "weights": books.weights,
        "changes": lambda: [books.changes(limit) for limit in (0, 1, 3, 100)],
        "cohorts": lambda: [books.cohorts(since, desk.now - less, timedelta(seconds=60)) for less in SHORTER],
        "delays": lambda: [books.delays(one, since) for one in whole],
        "proved": lambda: books.proved(since),
        "opted_out": lambda: [dict(books.opted_out(some)) for some in (to, to[:2], [])],
        "all_opted_out": books.all_opted_out,
        "keywords": lambda: [books.keywords(one) for one in whole],
        "balance_asked_at": lambda: [books.balance_asked_at(one) for one in whole],
    }


SHORTER = (timedelta(0), timedelta(seconds=1), timedelta(minutes=1))
WRITES = {
    "save_spending", "save_health", "save_changes", "save_opt_out", "remove_opt_out", "take_turns", "save_keywords",
    "save_balance_asked_at",
}  # fmt: skip


def answers(desk):
    """Return what the books answer to every question, over several spans of time."""
    spanned = (timedelta(0), timedelta(seconds=60), timedelta(minutes=7), LONG_AGO)
    return {(name, span): ask() for span in spanned for name, ask in questions(desk, span).items()}


def test_every_method_is_asked_here(desk):
    """Whatever the books are given to answer later is compared here, too."""
    methods = {name for name in dir(Books) if not name.startswith("_")}

    assert set(questions(desk, LONG_AGO)) | WRITES == methods


@with_stores
@given(steps)
def test_stores_answer_alike(open_kind, written):
    """Any story, told to a store in memory and to one in a file: every question gets the same answer from both."""
    with open_kind("memory") as memory, open_kind("sqlite") as sqlite:
        for step in written:
            step(memory)
            step(sqlite)

        assert answers(memory) == answers(sqlite)
        assert last_words(memory) == last_words(sqlite)


def last_words(desk):
    """Return what those methods answer that change something themselves."""
    books = desk.rows.books
    with desk.rows.transaction("last words"):
        turns = [books.take_turns(route, 2) for route in ("all", "new", "all")]
        return turns, [books.remove_opt_out(parse_vendor_number(one)) for one in (*NUMBERS, NUMBERS[0])]


@with_stores
@given(steps)
def test_what_is_written_is_in_the_file(open_file, empty_file, tmp_path, written):
    """Any story: a store that is closed and opened again answers as it did."""
    path = Path(shutil.copy(empty_file, tmp_path / "tocsin.db"))
    for name in ("tocsin.db-wal", "tocsin.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    with open_file(path) as desk:
        for step in written:
            step(desk)
        before, now = answers(desk), desk.now

    with open_file(path) as again:
        again.now = now
        assert answers(again) == before


def test_a_delivery_whose_report_has_no_time_is_not_late(desk):
    """What was reported delivered without saying when counts as in time, and the cohort is counted all the same."""
    desk.taken()
    desk.wait(minutes=6)
    desk.report(ReportState.DELIVERED)

    (cohort,) = desk.rows.books.cohorts(desk.now - LONG_AGO, desk.now, timedelta(minutes=5))

    assert (cohort.account, cohort.prefix, cohort.submitted, cohort.late) == (MAIN, "+86139", 1, 0)


def test_a_lost_holders_request_stays_debited(desk):
    """What a process left under way when it died is spent: nobody knows whether it was sent."""
    (delivery,) = desk.accept()
    desk.intend(delivery, cost=Decimal("0.05"))
    desk.wait(seconds=61)

    assert desk.outbox.recover(desk.now) == 1

    assert desk.outbox.accounts.spent(MAIN, desk.now - LONG_AGO) == (1, Decimal("0.05"))
    assert desk.outbox.held(HolderId("first-holder")) == ()


@pytest.mark.parametrize("outcome", [NotSent("connect-refused"), Refused(Reason.THROTTLED)], ids=["unsent", "refused"])
def test_a_retry_counts_whatever_came_of_it(desk, outcome):
    """A retry that is refused, or reaches nobody, is one all the same: it is those that the budget is against."""
    desk.settle(outcome, *desk.intend(*desk.accept(), retries=True))
    desk.settle(outcome, *desk.intend(*desk.accept()))

    assert desk.rows.books.count_retries(MAIN, desk.now - LONG_AGO) == (1, 1)
    assert desk.rows.books.spent(MAIN, desk.now - LONG_AGO) == (0, 0)


def test_an_outcome_that_is_told_twice_is_heard_once(desk):
    """A settlement that stood already, told again after a commit of unknown outcome, changes no health once more."""
    (delivery,) = desk.accept()
    (attempt,) = desk.intend(delivery)
    desk.wait(seconds=1)
    settlement = Settlement(attempt=attempt.id, epoch=1, outcome=Unknown("read-timeout"))
    sample = Sample(
        account=MAIN, at=desk.now, began_at=attempt.intended_at, answer=Answer.FAILED, submit=attempt.submit
    )

    desk.outbox.settle((settlement,), desk.now, (sample,))
    once = desk.outbox.accounts.health()
    desk.outbox.settle((settlement,), desk.now, (sample,))

    assert len(once[MAIN].failures) == 1
    assert desk.outbox.accounts.health() == once


def test_an_answer_that_comes_after_its_holder_is_heard(desk):
    """What a holder that was given up for lost hears in the end is news of the account: nobody told it before."""
    (delivery,) = desk.accept()
    (attempt,) = desk.intend(delivery)
    desk.outbox.release(desk.holder, desk.now)
    settlement = Settlement(attempt=attempt.id, epoch=1, outcome=Unknown("read-timeout"))
    sample = Sample(
        account=MAIN, at=desk.now, began_at=attempt.intended_at, answer=Answer.FAILED, submit=attempt.submit
    )

    desk.outbox.settle((settlement,), desk.now, (sample,))

    assert len(desk.outbox.accounts.health()[MAIN].failures) == 1
