"""Whole rehearsals: the production desk before vendors in trouble, and what is counted of it."""

import socket
from contextlib import closing
from datetime import timedelta
from decimal import Decimal

import attrs
import pytest

from tocsin.model.account import Drill
from tocsin.model.message import MessageClass
from tocsin.model.phone import E164
from tocsin.policy.route import InDoubt, RuleChanges, Strategy
from tocsin.rehearse.rehearsal import play_out
from tocsin.rehearse.scenario import Kind, Rhythm, Trouble
from tocsin.rehearse.stage import Stage
from tocsin.rehearse.staging import as_scripted
from tocsin.verify import check_store


def test_on_a_quiet_day_everything_arrives(configured, rehearsed, scenario_of):
    """One request each through the first account, a phone that rings two seconds later, and its price."""
    result = rehearsed(configured("main", "backup", prices=(Decimal("0.05"),)), scenario_of())
    total = result.total

    assert (total.messages, total.requests, total.attempts, total.accepted, total.delivered) == (30, 30, 30, 30, 30)
    assert (total.late, total.asked_copies, total.unasked_copies, total.lost, total.open) == (0, 0, 0, 0, 0)
    assert (total.segments, total.cost) == (30, Decimal("1.50"))
    assert 2.0 <= total.median_s <= 2.2
    assert 2.0 <= total.longest_s <= 2.2
    assert result.accounts["main"] == total
    assert (result.accounts["backup"].messages, result.accounts["backup"].cost) == (0, Decimal(0))
    assert result.sound


def test_a_drill_is_not_rehearsed(configured, rehearsed, scenario_of):
    """Accounts with a fire drill come to the same as without: what a scenario sends is all that is sent."""
    drill = Drill(to=E164("+8613900000009"), every=timedelta(minutes=1))
    scenario = scenario_of()

    assert rehearsed(configured("main", drill=drill), scenario) == rehearsed(configured("main"), scenario)


def test_the_same_seed_comes_to_the_same_result(configured, rehearsed, scenario_of):
    """Every figure and every moment; another seed comes to other moments."""
    scenario = scenario_of(Trouble(account="first", kind=Kind.SILENT, share=0.3), vendors={})
    config = configured("main", "backup")

    assert rehearsed(config, scenario, 7) == rehearsed(config, scenario, 7)
    assert rehearsed(config, scenario, 7).curve != rehearsed(config, scenario, 8).curve


def test_a_dark_vendor_is_stepped_over(configured, rehearsed, scenario_of):
    """While the first account is dark the second takes what comes, at once; nothing is late, and nothing is doubled."""
    dark = Trouble(account="first", kind=Kind.DARK, from_s=600, until_s=1200)
    result = rehearsed(configured("main", "backup"), scenario_of(dark))
    main, backup = result.accounts["main"], result.accounts["backup"]

    assert result.total.delivered == 30
    assert (result.total.late, result.total.asked_copies, result.total.lost) == (0, 0, 0)
    assert backup.delivered == backup.accepted >= 10
    assert main.not_sent > 0
    assert main.delivered + backup.delivered == 30


def test_with_nobody_else_a_dark_vendor_makes_them_late(configured, rehearsed, scenario_of):
    """With one account alone what comes in the outage waits for its end: late, and still only once."""
    dark = Trouble(account="all", kind=Kind.DARK, from_s=600, until_s=1800)
    total = rehearsed(configured("main"), scenario_of(dark)).total

    assert (total.delivered, total.asked_copies, total.unasked_copies, total.lost) == (30, 0, 0, 0)
    assert total.late > 0
    assert total.longest_s > 600


def test_what_cannot_be_sent_in_time_expires(configured, rehearsed, scenario_of):
    """Nothing is submitted after its expiry: it is counted as expired, and as nothing else."""
    dark = Trouble(account="all", kind=Kind.DARK)
    total = rehearsed(configured("main"), scenario_of(dark, cls=MessageClass.OTP)).total

    assert (total.delivered, total.accepted, total.lost, total.open) == (0, 0, 0, 0)
    assert total.expired + total.failed == 30


def test_a_silent_vendor_s_copies_are_asked_for(configured, rehearsed, scenario_of):
    """Where answers and reports are lost the class asks for a copy: both ring, and that is counted as asked for."""
    silent = Trouble(account="first", kind=Kind.SILENT, from_s=0, until_s=900)
    mute = Trouble(account="first", kind=Kind.NO_REPORTS, from_s=0, until_s=900)
    total = rehearsed(configured("main", "backup"), scenario_of(silent, mute)).total

    assert total.unknown > 5
    assert total.asked_copies == total.unknown
    assert (total.delivered, total.unasked_copies, total.lost) == (30, 0, 0)


def test_a_class_that_holds_its_doubts_sends_no_copy(configured, rehearsed, scenario_of):
    """The same silence with a route that holds: no copy, and parked instead."""
    silent = Trouble(account="first", kind=Kind.SILENT, from_s=0, until_s=900)
    mute = Trouble(account="first", kind=Kind.NO_REPORTS, from_s=0, until_s=900)
    held = configured("main", "backup", changes=RuleChanges(when_in_doubt=InDoubt.HOLD))
    total = rehearsed(held, scenario_of(silent, mute)).total

    assert total.asked_copies == 0
    assert total.delivered == 30, "they rang all the same: nobody told us"
    assert total.lost == 0


def test_late_reports_make_copies_and_no_lateness(configured, rehearsed, scenario_of):
    """Phones ring as ever; only who watches reports is misled into a second copy."""
    slow = Trouble(account="first", kind=Kind.SLOW_REPORTS, delay_s=1200)
    total = rehearsed(configured("main", "backup"), scenario_of(slow)).total

    assert (total.delivered, total.late, total.unasked_copies) == (30, 0, 0)
    assert total.asked_copies == 30


def test_what_never_rings_is_not_delivered(configured, rehearsed, scenario_of):
    """A vendor that reports honestly that no phone rang: the next account makes good for it."""
    never = Trouble(account="first", kind=Kind.NEVER_DELIVERS)
    result = rehearsed(configured("main", "backup"), scenario_of(never))

    assert (result.accounts["main"].delivered, result.accounts["backup"].delivered) == (0, 30)
    assert (result.total.asked_copies, result.total.lost) == (0, 0)


def test_an_empty_account_is_left_for_the_next(configured, rehearsed, scenario_of, always):
    """While nothing is left it takes nothing; once there is money again it does."""
    empty = Trouble(account="first", kind=Kind.BALANCE, amount=Decimal(0), from_s=600, until_s=1200)
    vendors = {"all": always, "first": attrs.evolve(always, balance=Decimal(100))}
    result = rehearsed(
        configured("main", "backup", prices=(Decimal(1), Decimal(1))), scenario_of(empty, vendors=vendors)
    )

    assert result.total.delivered == 30
    assert result.accounts["backup"].delivered >= 9
    assert result.accounts["main"].delivered > 10


def test_money_runs_out(configured, rehearsed, scenario_of, always):
    """A balance pays for so many segments, and not for one more."""
    vendors = {"all": attrs.evolve(always, balance=Decimal("0.50"))}
    total = rehearsed(configured("main", prices=(Decimal("0.10"),)), scenario_of(vendors=vendors)).total

    assert (total.segments, total.cost, total.delivered) == (5, Decimal("0.50"), 5)


def test_a_vendor_s_rate_is_its_own(configured, rehearsed, scenario_of, always):
    """What a vendor throttles comes later, or by another account, and is not lost."""
    vendors = {"all": always, "first": attrs.evolve(always, rate=Rhythm(1, 60))}
    result = rehearsed(configured("main", "backup"), scenario_of(count=120, vendors=vendors))

    assert result.accounts["main"].accepted <= 31
    assert (result.total.delivered, result.total.lost) == (120, 0)


def test_nobody_is_called(configured, rehearsed, monkeypatch, tmp_path, scenario_of):
    """No socket is made, and the configured store is not there afterwards."""

    def no_socket(*_, **__):
        raise AssertionError("a rehearsal made a socket")

    monkeypatch.setattr(socket, "socket", no_socket)
    config = configured("main")

    assert rehearsed(config, scenario_of(count=3)).total.delivered == 3
    assert not list(tmp_path.iterdir())


def test_what_no_route_takes_is_turned_away(configured, rehearsed, scenario_of):
    """It was never accepted, so it is neither lost nor counted as a message."""
    config = attrs.evolve(configured("main"), routes=())
    result = rehearsed(config, scenario_of(count=5))

    assert (result.turned_away, result.total.messages, result.sound) == (5, 0, True)


def test_an_account_without_a_price_has_no_cost(configured, rehearsed, scenario_of):
    """A sum of what is known would look like the whole."""
    result = rehearsed(
        configured("main", "backup", prices=(Decimal(1),)),
        scenario_of(Trouble(account="first", kind=Kind.DARK, until_s=900)),
    )

    assert result.accounts["main"].cost is not None
    assert result.accounts["backup"].cost is None
    assert result.total.cost is None


def test_a_broadcast_is_asked_for(configured, rehearsed, scenario_of):
    """Through both accounts on purpose: two deliveries to each phone, and the second ring is no surprise."""
    config = configured("main", "backup", strategy=Strategy.BROADCAST)
    total = rehearsed(config, scenario_of(count=5)).total

    assert (total.messages, total.delivered, total.asked_copies, total.unasked_copies) == (10, 10, 5, 0)


def test_what_a_rehearsal_stored_keeps_every_invariant(configured, registry, scenario_of, tmp_path):
    """The store of a rehearsal in trouble passes the checks that a real one has to pass: its code is the real one's."""
    troubles = (
        Trouble(account="first", kind=Kind.SILENT, share=0.3),
        Trouble(account="second", kind=Kind.DARK, from_s=300, until_s=900),
        Trouble(account="all", kind=Kind.SLOW_REPORTS, delay_s=400, share=0.3),
    )
    with closing(
        Stage(as_scripted(configured("main", "backup"), registry, scenario_of(*troubles), 1), tmp_path)
    ) as stage:
        total = play_out(stage).total
        assert (total.unknown > 0, total.not_sent > 0, total.asked_copies > 0) == (True, True, True)
        assert list(check_store(stage.parts.store)) == []


def test_two_configurations_meet_the_same(configured, rehearsed, scenario_of):
    """What a message meets with an account does not hang on what else was sent, or by whom."""
    troubles = (Trouble(account="main", kind=Kind.SILENT, share=0.3),)
    alone = rehearsed(configured("main"), scenario_of(*troubles, vendors={}))
    helped = rehearsed(configured("main", "backup"), scenario_of(*troubles, vendors={}))

    assert alone.curve.due_s == helped.curve.due_s
    both = set(alone.curve.rang_s["main"]) & set(helped.curve.rang_s["main"])
    assert len(both) >= 15, "most of what went the same way rang at the same moment"


@pytest.mark.parametrize("settles_s", [0.0, 60.0])
def test_what_is_not_over_at_the_end_is_open(configured, rehearsed, settles_s, scenario_of):
    """A rehearsal ends when its time is over; what more would have come is not counted."""
    slow = Trouble(account="all", kind=Kind.DARK, from_s=900)
    result = rehearsed(configured("main"), scenario_of(slow, settles_s=settles_s))

    assert result.ended_s <= 1800 + settles_s
    assert result.total.open > 0
    assert (result.total.delivered + result.total.open, result.total.lost) == (30, 0)
