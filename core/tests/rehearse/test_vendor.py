"""The vendor on the stage: reports handed out once and in time, and an understudy that judges as the real plugin."""

from decimal import Decimal

import attrs
import pytest

from tocsin.errors import Reached, TransportError
from tocsin.model.balance import Unit
from tocsin.model.ids import DeliveryId
from tocsin.model.outcome import Accepted, Reason, Refused
from tocsin.model.phone import E164
from tocsin.model.report import ReportState
from tocsin.model.submission import Submission
from tocsin.policy.decision import Trigger
from tocsin.registry import VendorPlugin
from tocsin.rehearse.acting import Acting
from tocsin.rehearse.ledger import Ledger, Parcel
from tocsin.rehearse.scenario import Kind, Trouble
from tocsin.rehearse.understudy import Prompts, stand_in
from tocsin.rehearse.vendor import ENDLESS, PAGE, Vendor
from tocsin.testing import FakeClock
from tocsin.testing.vendor import ExampleVendor


def parcels(count=1, segments=1):
    return tuple(
        Parcel(
            delivery=DeliveryId(f"m.{place}"),
            to=E164(f"+86139{place:08}"),
            number=1,
            trigger=Trigger.FIRST,
            segments=segments,
        )
        for place in range(1, count + 1)
    )


@pytest.fixture
def account(configured):
    return next(iter(configured("main", prices=(Decimal("0.10"),)).accounts.values()))


@pytest.fixture
def vendor(account, always):
    """Return a function that makes a vendor, with its clock and its ledger."""

    def make(*kinds, balance=None):
        clock, ledger = FakeClock(), Ledger()
        troubles = tuple(Trouble(account="all", kind=kind) for kind in kinds)
        return Vendor(account, Acting(always, troubles, "vendor"), ledger, clock, balance), clock, ledger

    return make


def test_a_report_is_handed_out_once_and_not_before_its_time(vendor):
    """The phone rings after two seconds, and the report is there after three: once."""
    one, clock, ledger = vendor()
    result = one.submit(parcels(2))
    assert {type(outcome) for outcome in result.outcomes.values()} == {Accepted}
    assert [copy.rings_s - clock.monotonic() for copy in ledger.copies] == [2, 2]

    assert one.reports().rows == ()
    clock.advance(3.0)
    rows = one.reports().rows
    assert [(row.to, row.state) for row in rows] == [(parcel.to, ReportState.DELIVERED) for parcel in parcels(2)]
    assert {row.vendor_id for row in rows} == {outcome.vendor_id for outcome in result.outcomes.values()}
    assert one.reports().rows == ()


def test_a_full_page_says_that_there_is_more(vendor):
    """Who asks until a page is not full has them all."""
    one, clock, _ = vendor()
    one.submit(parcels(PAGE + 1))
    clock.advance(60.0)
    first, second = one.reports(), one.reports()

    assert (len(first.rows), first.more) == (PAGE, True)
    assert (len(second.rows), second.more) == (1, False)


def test_a_lost_answer_leaves_the_truth_in_the_ledger(vendor):
    """We learn nothing, and the phone rings all the same."""
    one, _, ledger = vendor(Kind.SILENT)
    with pytest.raises(TransportError) as caught:
        one.submit(parcels())

    assert caught.value.reached is Reached.MAYBE
    assert len(ledger.copies) == 1


def test_the_dark_take_nothing(vendor):
    """Neither requests nor questions: with proof that nothing left."""
    one, _, ledger = vendor(Kind.DARK)
    for ask in (lambda: one.submit(parcels()), one.reports, one.query_balance):
        with pytest.raises(TransportError) as caught:
            ask()
        assert caught.value.reached is Reached.NO
    assert not ledger.copies


def test_a_balance_pays_by_segment_and_refuses_what_it_cannot_pay(vendor):
    """Price times segments of all recipients; a request that costs more is refused whole, and costs nothing."""
    one, _, ledger = vendor(balance=Decimal("0.50"))
    one.submit(parcels(2, segments=2))
    assert one.query_balance().amount == Decimal("0.10")
    refused = one.submit(parcels(1, segments=2))

    assert set(refused.outcomes.values()) == {Refused(Reason.BALANCE)}
    assert (one.query_balance().amount, len(ledger.copies)) == (Decimal("0.10"), 2)


def test_a_balance_without_end_is_shown_as_a_large_one(vendor, account, always):
    """In money where the account has a price, else in messages."""
    one, clock, ledger = vendor()
    free = Vendor(attrs.evolve(account, price=None), Acting(always, (), "x"), ledger, clock, None)

    assert (one.query_balance().amount, one.query_balance().unit) == (ENDLESS, Unit.CNY)
    assert free.query_balance().unit is Unit.MESSAGES


def test_an_understudy_judges_as_the_real_plugin_does(account):
    """What fits and what can be carried is the real plugin's word; a request never reaches it."""

    def sent(_):
        raise AssertionError("the real plugin was asked for a request")

    real = VendorPlugin("example", ExampleVendor(unfit="too long", on_send=sent), "1")
    prompts = Prompts(submit=lambda _: "submitted", reports=lambda _: "reports", balance=lambda _: "balance")
    understudy = stand_in(real, prompts)
    submission = Submission(to=(E164("+8613900000001"),), texts=("hello",))
    exchange = understudy.send(account, submission, FakeClock().now())

    assert understudy.fits(account, submission) == "too long"
    assert understudy.capabilities(account) == real.capabilities(account)
    assert understudy.vendor == real.vendor
    assert (exchange.request.submits, exchange.request.meet()) == (True, "submitted")
    assert not understudy.implements("fetch_mo")
