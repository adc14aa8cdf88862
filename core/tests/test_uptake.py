"""What waits on the spool is taken in once, in order, as of when it was heard, and never against newer news."""

import logging
from datetime import UTC, datetime, timedelta
from itertools import count, permutations

import attrs
import pytest

from tocsin.alerting.front import Alerts
from tocsin.alerting.notification import gather, read_notice
from tocsin.alerting.posting import Desk
from tocsin.delivery.fleet import Fleet
from tocsin.errors import InvalidInput, StoreFailed
from tocsin.model.account import Account
from tocsin.model.ids import AccountId
from tocsin.model.message import MessageClass
from tocsin.model.phone import E164
from tocsin.model.source import Source
from tocsin.outbox.memory import MemoryRows
from tocsin.outbox.record import Filter
from tocsin.outbox.store import Outbox
from tocsin.policy.route import Route
from tocsin.registry import Registry, VendorPlugin
from tocsin.spool.directory import Spool
from tocsin.spool.slip import Slip, encode_slip
from tocsin.testing.clock import FakeClock
from tocsin.testing.vendor import ExampleVendor
from tocsin.uptake import MOST_ON_THE_WAY, Uptake

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
ALICE = E164("+8613900000001")


class Removing(Spool):
    """A spool from which nothing can be removed: as after a kill, whatever was taken in is still there."""

    def remove(self, name):
        pass


class House:
    """A store in memory and a spool in a directory.

    Args:
        directory: of the spool.
        kind: of the spool.
    """

    def __init__(self, directory, kind=Spool):
        account = Account(id=AccountId("one"), vendor="example", base_url="http://127.0.0.1", settings=None)
        registry = Registry(
            vendors={"example": VendorPlugin("example", ExampleVendor("example"), "1")}, middleware=(), unavailable=()
        )
        draws = count()
        self.clock = FakeClock(NOW)
        self.outbox = Outbox(MemoryRows(), lambda _: False)
        self.spool = kind(directory, own=True)
        desk = Desk(
            fleet=Fleet(
                registry=registry, accounts={account.id: account}, routes=(Route(name="all", accounts=(account.id,)),)
            ),
            groups={"ops": (ALICE,)},
            draw_bits=lambda _: next(draws),
        )
        sources = {name: Source(name=name, kind=name) for name in ("icinga", "nagios")}
        self.uptake = Uptake(self.spool, self.outbox, Alerts(sources=sources, desk=desk), self.clock)

    def slip(self, kind="PROBLEM", state="CRITICAL", *, after=0, host="db1", **more):
        """Return a slip, heard so many seconds after the beginning."""
        heard_at = NOW + timedelta(seconds=after)
        said = {"type": kind, "host": host, "state": state, "state_change": str(heard_at.timestamp())}
        notice = read_notice(gather(said, {}), heard_at)
        return Slip(**({"heard_at": heard_at, "source": "icinga", "to": (ALICE,), "notice": notice} | more))

    def put(self, *slips):
        for slip in slips:
            self.spool.put(encode_slip(slip), slip.heard_at)

    def texts(self):
        """Return the texts of all messages, the oldest first."""
        names = sorted({one.message for one in self.outbox.deliveries(Filter())})
        return [self.outbox.message(name).text for name in names]

    def waiting(self):
        return len(self.spool.waiting(999))


@pytest.fixture
def house(tmp_path):
    return House(tmp_path / "spool")


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.INFO, "tocsin")
    return caplog


def test_what_waits_is_taken_in_in_the_order_of_its_times(house):
    """The oldest is told first, whichever was put there first, and what is taken in is removed."""
    house.put(house.slip("RECOVERY", "OK", after=60), house.slip())
    house.clock.advance(90)
    assert house.uptake.take_up() == 2
    assert house.texts() == ["FIRING CRITICAL db1", "RESOLVED db1"]
    assert (house.waiting(), house.uptake.take_up()) == (0, 0)


def test_what_is_handed_in_comes_after_what_waits(house):
    """Who hands something in takes in what waits before it."""
    house.put(house.slip(state="WARNING"))
    house.clock.advance(30)
    taken = house.uptake.take_in(house.slip(after=30))
    assert house.texts() == ["FIRING WARNING db1", "FIRING CRITICAL db1"]
    assert (len(taken.messages), house.waiting()) == (1, 0)


def test_a_long_spool_is_before_whoever_is_in_a_hurry(house):
    """Where too much waits, some of it is taken in, and who is in a hurry has to wait behind the rest."""
    house.put(*(house.slip(host=f"db{number}", after=number) for number in range(MOST_ON_THE_WAY + 1)))
    house.clock.advance(60)
    with pytest.raises(StoreFailed, match="others wait"):
        house.uptake.take_in(house.slip(host="last", after=60))
    assert house.waiting() == 1
    assert not any("last" in text for text in house.texts())


def test_nobody_overtakes_while_another_takes_up(house):
    """While somebody else takes the spool up, what is handed in has to wait; where nothing waits, it need not."""
    house.put(house.slip())
    with house.spool.alone():
        with pytest.raises(StoreFailed, match="others wait"):
            house.uptake.take_in(house.slip("RECOVERY", "OK", after=1))
        assert house.uptake.take_up() == 0
    assert (house.texts(), house.waiting()) == ([], 1)
    house.uptake.take_up()
    with house.spool.alone():
        house.uptake.take_in(house.slip("RECOVERY", "OK", after=1))
    assert house.texts() == ["FIRING CRITICAL db1", "RESOLVED db1"]


@pytest.mark.parametrize("later_s", [0, 700, 20000])
def test_what_was_taken_in_is_not_told_again(tmp_path, later_s):
    """Files that outlive their commit change nothing, however late they are found: nothing is told twice."""
    house = House(tmp_path / "spool", Removing)
    story = [
        house.slip(state="WARNING"),
        house.slip(after=10),
        house.slip("ACKNOWLEDGEMENT", after=20),
        house.slip("RECOVERY", "OK", after=30),
        house.slip(state="WARNING", after=40),
        house.slip(after=1000),
    ]
    house.clock.advance(1000)
    house.put(*story)
    assert house.uptake.take_up() == len(story)
    told = house.texts()
    assert len(told) == len(story)
    for _ in range(3):
        house.clock.advance(later_s)
        assert house.uptake.take_up() == len(story)
    assert house.texts() == told


def test_old_news_is_not_told_against_newer_news(house):
    """What waited while newer news of its alert came straight in does not say what is no longer so."""
    house.clock.advance(60)
    house.uptake.take_in(house.slip("RECOVERY", "OK", after=60))
    house.put(house.slip(), house.slip(host="db2"))
    house.uptake.take_up()
    assert sorted(house.texts()) == ["FIRING CRITICAL db2", "RESOLVED db1", "came and went: db1"]


@pytest.mark.parametrize("order", list(permutations(range(4))))
@pytest.mark.parametrize("spooled", [False, True])
def test_whatever_order_a_busy_machine_chooses(house, order, spooled):
    """A problem, two reminders of it and its end, each by a process: whichever runs first, all is told, and once.

    The reminders have the time of the problem, and all are heard when their process runs.
    """
    story = [*[("PROBLEM", "CRITICAL", 0)] * 3, ("RECOVERY", "OK", 30)]
    for turn, number in enumerate(order):
        kind, state, at = story[number]
        said = {"type": kind, "host": "db1", "state": state, "state_change": str(int(NOW.timestamp()) + at)}
        heard_at = NOW + timedelta(seconds=60 + turn)
        slip = house.slip(after=60 + turn, notice=read_notice(gather(said, {}), heard_at))
        house.clock.advance((heard_at - house.clock.now()).total_seconds())
        if spooled:
            house.put(slip)
        else:
            house.uptake.take_in(slip)
    house.uptake.take_up()
    overtaken = order[0] == 3
    assert house.texts() == (
        ["RESOLVED db1", "came and went: db1"] if overtaken else ["FIRING CRITICAL db1", "RESOLVED db1"]
    )


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_level_is_not_told_after_the_one_that_followed_it(house, order):
    """A warning that became critical, and was over: however late the warning is heard, nobody takes it for the last."""
    story = [house.slip(state="WARNING"), house.slip(after=20), house.slip("RECOVERY", "OK", after=30)]
    for turn, number in enumerate(order):
        heard_at = NOW + timedelta(seconds=60 + turn)
        house.clock.advance((heard_at - house.clock.now()).total_seconds())
        house.uptake.take_in(attrs.evolve(story[number], heard_at=heard_at))
    told = house.texts()
    assert len([text for text in told if text.startswith("RESOLVED")]) == 1
    assert not any(text.startswith("FIRING") for text in told[told.index("RESOLVED db1") :])
    assert "FIRING WARNING db1" not in told[1:]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_whatever_order_files_are_taken_up_in(house, order):
    """Slips that reach the spool in another order than they were heard in are told all the same, and once."""
    slips = [house.slip(), house.slip(after=40, notice=house.slip().notice), house.slip("RECOVERY", "OK", after=30)]
    house.clock.advance(60)
    for number in order:
        house.put(slips[number])
        house.uptake.take_up()
    first, last = ("FIRING CRITICAL db1", "RESOLVED db1")
    assert sorted(house.texts()) == sorted([last, "came and went: db1" if order[0] == 2 else first])


def test_what_waits_too_long_has_expired(house, log):
    """It is taken in with the expiry that it had when it was heard, and the log counts it."""
    house.put(house.slip(), house.slip(after=3 * 3600))
    house.clock.advance(5 * 3600)
    house.uptake.take_up()
    left = sorted(one.expires_at - house.clock.now() for one in house.outbox.deliveries(Filter()))
    assert left == [timedelta(hours=-1), timedelta(hours=2)]
    assert [line for line in log.messages if "expired" in line] == ["event=tocsin.spool.expired count=1"]


def test_a_time_to_come_is_now(house):
    """A slip of a clock that is ahead is told at once."""
    house.put(house.slip(after=86400))
    house.uptake.take_up()
    (delivery,) = house.outbox.deliveries(Filter())
    assert delivery.due_at == NOW


def test_a_source_that_is_not_there_is_told_all_the_same(house):
    """Nobody hands it in again, so that a name that is gone costs nobody a page."""
    house.put(house.slip(source="gone", groups=("ops",), to=()))
    house.uptake.take_up()
    assert house.texts() == ["FIRING CRITICAL db1"]


def test_the_class_of_a_slip_is_that_of_its_message(house):
    """A class that is given stands, and the source's stands where none is."""
    house.put(house.slip(cls=MessageClass.CRITICAL), house.slip(host="db2", after=1))
    house.clock.advance(1)
    house.uptake.take_up()
    names = sorted({one.message for one in house.outbox.deliveries(Filter())})
    assert [house.outbox.message(name).cls for name in names] == [MessageClass.CRITICAL, MessageClass.ALERT]


def test_what_cannot_be_taken_in_holds_nothing_up(house, log):
    """A damaged file and one that nobody can be told of are set aside, each with one alarm; the others are taken in."""
    house.put(house.slip(groups=("gone",)), house.slip(after=1))
    house.spool.put(b"{", NOW - timedelta(seconds=1))
    house.clock.advance(1)
    for _ in range(2):
        house.uptake.take_up()
    assert house.texts() == ["FIRING CRITICAL db1"]
    assert [line.split("cause=")[0].strip() for line in log.messages] == [
        "event=tocsin.alarm reason=spool-damaged",
        "event=tocsin.alarm reason=spool-refused",
    ]
    assert house.waiting() == 0


def test_whoever_hands_in_what_nobody_can_be_told_is_told_so(house):
    """A group that is not there is an error, and what waits is taken in with the next."""
    with pytest.raises(InvalidInput):
        house.uptake.take_in(house.slip(groups=("gone",)))


def test_a_spool_that_cannot_be_read_is_alarmed_about_once(tmp_path, log):
    """It keeps nobody from handing in, and the alarm does not come every two seconds."""
    (tmp_path / "spool").write_text("in the way")
    house = House(tmp_path / "spool")
    for _ in range(3):
        assert house.uptake.take_up() == 0
    assert len(house.uptake.take_in(house.slip()).messages) == 1
    assert len([line for line in log.messages if "reason=spool-unreadable" in line]) == 1
