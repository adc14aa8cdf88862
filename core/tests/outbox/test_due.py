"""What is due: who claims it and in which order, what waits for evidence, and when anybody has to look again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from tocsin.model.ids import HolderId, VendorId
from tocsin.model.message import MessageClass
from tocsin.model.outcome import Accepted, NotSent, Reason, Refused, Unknown
from tocsin.model.report import ReportState
from tocsin.outbox.claims import LEASE
from tocsin.outbox.memory import MemoryRows
from tocsin.outbox.record import Filter, Settlement
from tocsin.outbox.sqlite import open_rows
from tocsin.outbox.state import Event, IllegalTransition, State
from tocsin.outbox.store import Outbox

MOMENT = timedelta(microseconds=1)
TAKEN = Accepted(VendorId("77"))
LOST = Unknown("reset")
EVERYTHING = 1000


def names(deliveries):
    return [one.id for one in deliveries]


def settle_until(desk, outcome, delivery, due_at, **settling):
    """Send a delivery, with an outcome after which the policy is to be asked at that time."""
    (attempt,) = desk.intend(delivery)
    settlement = Settlement(attempt=attempt.id, epoch=delivery.epoch, outcome=outcome, due_at=due_at, **settling)
    desk.outbox.settle((settlement,), desk.now)
    return desk.find(delivery.id)


# claims across messages


def test_the_most_urgent_is_claimed_first_then_the_longest_due(desk):
    """Of all that is due, over all messages: by urgency, then by due time, then in the order of acceptance."""
    accepted = {}
    for cls, due_s in (("bulk", 0), ("alert", 9), ("critical", 8), ("alert", 7), ("notice", 0), ("otp", 6), ("otp", 8)):
        given = {"cls": MessageClass(cls), "due_in": timedelta(seconds=due_s), "holder": None}
        accepted[cls, due_s] = names(desk.accept("13900000001", "13900000002", **given))
    desk.wait(seconds=9)

    claimed = names(desk.outbox.claim_due(desk.holder, EVERYTHING, desk.now))

    order = [("otp", 6), ("critical", 8), ("otp", 8), ("alert", 7), ("alert", 9), ("notice", 0), ("bulk", 0)]
    assert claimed == [name for key in order for name in accepted[key]]


def test_a_claim_has_a_limit_and_the_next_goes_on_where_it_ended(desk):
    """Claims of so many each take everything, in the same order, and nothing twice."""
    for number in range(4):
        desk.accept("13900000001", "13900000002", holder=None, cls=[*MessageClass][-1 - number])
    by_urgency = sorted(desk.outbox.deliveries(Filter()), key=lambda one: (one.urgency, one.message, one.id))

    holders = [desk.holder, desk.other_holder, desk.holder, desk.other_holder]
    claims = [desk.outbox.claim_due(holder, 3, desk.now) for holder in holders]

    assert [len(claim) for claim in claims] == [3, 3, 2, 0]
    assert [name for claim in claims for name in names(claim)] == names(by_urgency)
    for claim, holder in zip(claims, holders, strict=True):
        assert {(one.state, one.holder, one.epoch) for one in claim} <= {(State.CLAIMED, holder, 1)}


def test_what_is_not_due_or_not_queued_is_not_claimed(desk):
    """Neither what is for later, nor what is claimed, taken, in doubt or closed, is claimed."""
    (later,) = desk.accept(holder=None, due_in=timedelta(minutes=1))
    desk.accept("13900000001")
    desk.taken(number="13900000002")
    desk.doubted(number="13900000003")
    (cancelled,) = desk.accept("13900000004", holder=None)
    desk.outbox.cancel((cancelled.id,), desk.now)

    assert desk.outbox.claim_due(desk.other_holder, EVERYTHING, desk.now) == ()
    desk.now += timedelta(minutes=1) - MOMENT
    assert desk.outbox.claim_due(desk.other_holder, EVERYTHING, desk.now) == ()
    desk.now += MOMENT
    assert names(desk.outbox.claim_due(desk.other_holder, EVERYTHING, desk.now)) == [later.id]


def test_a_claim_starts_the_holders_lease(desk):
    """What a holder claims is recovered when its lease is over, and not before."""
    (delivery,) = desk.accept(holder=None)
    desk.outbox.claim_due(desk.holder, EVERYTHING, desk.now)

    desk.now += LEASE
    assert desk.outbox.recover(desk.now) == 0
    desk.now += MOMENT
    assert desk.outbox.recover(desk.now) == 1
    assert desk.state(delivery.id) is State.QUEUED


def test_threads_that_claim_all_that_is_due_claim_each_once(desk):
    """Of many holders that claim at once, each delivery goes to one, and none is left."""
    for number in range(30):
        desk.accept(f"139000000{number:02}", holder=None)

    def claim(number):
        claimed = []
        while found := desk.outbox.claim_due(HolderId(f"h{number}"), 4, desk.now):
            claimed += names(found)
        return claimed

    with ThreadPoolExecutor(4) as threads:
        claims = list(threads.map(claim, range(4)))

    every = [name for claim in claims for name in claim]
    assert sorted(every) == sorted(names(desk.outbox.deliveries(Filter())))
    assert len(set(every)) == len(every)


class Commits(list):
    """A boundary that writes down the names of commits."""

    def __call__(self, boundary):
        name, place = boundary.split(": ")
        if place == "after commit":
            self.append(name)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_to_find_nothing_costs_no_commit(tmp_path, kind):
    """A look for work that is not there, which an idle worker takes again and again, writes nothing."""
    commits = Commits()
    rows = MemoryRows(commits) if kind == "memory" else open_rows(tmp_path / "tocsin.db", commits)
    outbox, now = Outbox(rows, lambda _: False), datetime(2026, 1, 1, tzinfo=UTC)
    try:
        assert outbox.claim_due(HolderId("a"), 10, now) == ()
        assert outbox.awaiting(10, now) == ()
        assert outbox.next_due() is None
        assert outbox.recover(now) == 0
        assert outbox.listenings() == ()
        assert commits == []
        outbox.renew(HolderId("a"), now)
        assert commits == ["renew"]
    finally:
        outbox.close()


# leases


def test_a_sign_of_life_renews_the_lease(desk):
    """A holder that renews keeps its claims for as long as it does, and one that does not loses them."""
    (mine,) = desk.accept("13900000001")
    (theirs,) = desk.accept("13900000002", holder=desk.other_holder)
    for _ in range(3):
        desk.now += LEASE / 2
        desk.outbox.renew(desk.holder, desk.now)

    assert desk.outbox.recover(desk.now) == 1

    assert (desk.state(mine.id), desk.state(theirs.id)) == (State.CLAIMED, State.QUEUED)
    desk.now += LEASE
    assert desk.outbox.recover(desk.now) == 0
    desk.now += MOMENT
    assert desk.outbox.recover(desk.now) == 1


def test_what_a_holder_has_is_told(desk):
    """`held` gives what a holder has claimed or is sending, of all messages, and nothing else."""
    claimed, sending, taken = desk.accept("13900000001", "13900000002", "13900000003")
    (other,) = desk.accept("13900000004")
    desk.accept("13900000005", holder=desk.other_holder)
    desk.intend(sending)
    desk.settle(TAKEN, *desk.intend(taken))

    assert names(desk.outbox.held(desk.holder)) == [claimed.id, sending.id, other.id]
    assert [one.state for one in desk.outbox.held(desk.holder)] == [State.CLAIMED, State.SENDING, State.CLAIMED]
    assert desk.outbox.held(HolderId("nobody")) == ()


def test_many_are_asked_for_by_name(desk):
    """`get` and `messages` give those that exist, each once, and leave out the others."""
    one, two = desk.accept("13900000001", "13900000002")
    (three,) = desk.accept("13900000003")

    found = desk.outbox.get((three.id, "nobody.1", one.id))
    assert sorted(names(found)) == sorted([one.id, three.id])
    assert {desk.find(name.id) for name in found} == set(found)
    messages = desk.outbox.messages([one.message, two.message, "nobody", three.message])
    assert messages == {name: desk.outbox.message(name) for name in (one.message, three.message)}


# requests


def test_many_requests_are_intended_in_one_transaction(desk):
    """Each request has its own name and size; whose claim stands no more is left out, if need be all."""
    one, two, three, four = desk.accept(*(f"1390000000{number}" for number in range(4)))
    gone = attrs.evolve(two, epoch=9)

    requests = [desk.intents(one, three), desk.intents(gone, account=desk.backup), desk.intents(four, gone)]
    first, second, third = desk.outbox.intend(requests, desk.now)

    assert (names(first), second, names(third)) == ([f"{one.id}.1", f"{three.id}.1"], (), [f"{four.id}.1"])
    assert [(one.submit, one.group_size) for one in (*first, *third)] == [
        (first[0].id, 2), (first[0].id, 2), (third[0].id, 1)]  # fmt: skip
    assert desk.state(two.id) is State.CLAIMED
    assert desk.outbox.intend([], desk.now) == ()


# when the policy is asked


@pytest.mark.parametrize(
    ("outcome", "state"), [(TAKEN, State.SUBMITTED), (LOST, State.IN_DOUBT)], ids=["taken", "in doubt"]
)
def test_what_waits_for_evidence_is_due_when_the_settlement_says(desk, outcome, state):
    """After an outcome that is waited on, the policy is asked when it wanted to be, and not before."""
    (delivery,) = desk.accept()

    found = settle_until(desk, outcome, delivery, desk.now + timedelta(minutes=5))

    assert (found.state, found.due_at, desk.outbox.next_due()) == (state, desk.now + timedelta(minutes=5), found.due_at)
    assert desk.outbox.awaiting(EVERYTHING, found.due_at - MOMENT) == ()
    assert desk.outbox.awaiting(EVERYTHING, found.due_at) == (found,)


@pytest.mark.parametrize("outcome", [NotSent("dns"), Refused(Reason.KEYWORD)], ids=["not sent", "refused"])
@pytest.mark.parametrize("keep", [False, True], ids=["queued", "kept"])
def test_what_no_vendor_took_is_due_at_once(desk, outcome, keep):
    """After proof that no phone rings, the policy is asked at once, whatever time was named."""
    (delivery,) = desk.accept()

    found = settle_until(desk, outcome, delivery, desk.now + timedelta(minutes=5), keep=keep)

    assert (found.due_at, found.state) == (desk.now, State.CLAIMED if keep else State.QUEUED)


def test_a_failed_report_is_due_at_once(desk):
    """The policy is asked at once about what was reported undelivered; the store says nothing of its own (T7)."""
    (delivery,) = desk.accept()
    before = settle_until(desk, TAKEN, delivery, desk.now + timedelta(minutes=5))
    desk.wait(seconds=10)

    desk.report(ReportState.FAILED)

    found = desk.find(delivery.id)
    assert (found.state, found.due_at, found.revision) == (State.SUBMITTED, desk.now, before.revision + 1)
    assert [row.event for row in desk.outbox.story(delivery.id)[1]][-1] is Event.ACCEPTED


@pytest.mark.parametrize("reported", [ReportState.UNKNOWN, ReportState.ENROUTE], ids=lambda state: state.name)
def test_a_report_that_settles_nothing_changes_no_time(desk, reported):
    """What is on its way stays due when it was, and as it was seen."""
    (delivery,) = desk.accept()
    before = settle_until(desk, TAKEN, delivery, desk.now + timedelta(minutes=5))
    desk.wait(seconds=10)

    desk.report(reported)

    assert desk.find(delivery.id) == before


def test_evidence_that_ends_a_doubt_asks_the_policy_at_once(desk):
    """A report that proves a doubtful copy taken makes it submitted, and due: the policy says how long to wait."""
    (delivery,) = desk.accept()
    settle_until(desk, LOST, delivery, desk.now + timedelta(minutes=5))
    desk.wait(seconds=10)

    desk.report(ReportState.ENROUTE)

    found = desk.find(delivery.id)
    assert (found.state, found.due_at) == (State.SUBMITTED, desk.now)


def test_doubts_are_asked_about_before_silence(desk):
    """What is in doubt comes first, then what is submitted, each by urgency and due time, up to the limit."""
    order = []
    for number, (outcome, cls) in enumerate(
        [(TAKEN, MessageClass.OTP), (LOST, MessageClass.BULK), (TAKEN, MessageClass.ALERT), (LOST, MessageClass.OTP)]
    ):
        (delivery,) = desk.accept(f"1390000000{number}", cls=cls)
        order.append(settle_until(desk, outcome, delivery, desk.now + timedelta(seconds=60)))
    desk.accept("13900000009", holder=None)
    desk.wait(seconds=60)
    expected = [order[3], order[1], order[0], order[2]]

    for limit in (4, 3, 2, 1, 0):
        assert desk.outbox.awaiting(limit, desk.now) == tuple(expected[:limit])


def test_the_next_look_is_at_what_is_due_first(desk):
    """Of all that is queued, in doubt or submitted, the earliest due time; of what is held or closed, none."""
    assert desk.outbox.next_due() is None
    desk.accept("13900000009")
    assert desk.outbox.next_due() is None

    start = desk.now
    for minutes, outcome in ((9, TAKEN), (7, LOST)):
        (delivery,) = desk.accept(f"1390000000{minutes}")
        settle_until(desk, outcome, delivery, start + timedelta(minutes=minutes))
        assert desk.outbox.next_due() == start + timedelta(minutes=minutes)
    (queued,) = desk.accept(holder=None, due_in=timedelta(minutes=5), cls=MessageClass.BULK)
    assert desk.outbox.next_due() == start + timedelta(minutes=5)

    desk.outbox.cancel((queued.id,), desk.now)
    assert desk.outbox.next_due() == start + timedelta(minutes=7)


# to queue for another submit


@pytest.mark.parametrize("kind", ["in doubt", "submitted", "parked"])
def test_what_stood_as_seen_is_queued_again(desk, kind):
    """Doubtful, submitted and parked deliveries are queued for another submit, due at once and overdue no more."""
    delivery = desk.taken() if kind == "submitted" else desk.doubted()
    if kind == "parked":
        assert desk.close(delivery, Event.PARK)
    if kind == "submitted":
        assert desk.close(delivery, due_at=desk.now + timedelta(days=1), report_overdue=True)
        assert desk.find(delivery).report_overdue
    seen = desk.find(delivery)
    desk.wait(seconds=5)

    assert desk.outbox.reopen((seen,), desk.now) == (delivery,)

    found = desk.find(delivery)
    assert (found.state, found.due_at, found.report_overdue) == (State.QUEUED, desk.now, False)
    assert (found.epoch, found.holder, found.revision) == (seen.epoch, None, seen.revision + 1)
    assert desk.outbox.story(delivery)[1][-1].event is Event.RESEND


def test_what_has_changed_since_it_was_seen_is_not_queued_again(desk):
    """Evidence that came after the policy was asked stops the second copy; others of the same order go on."""
    first, second = desk.doubted(number="13900000001"), desk.doubted(number="13900000002")
    seen = desk.find(first), desk.find(second)
    desk.report(ReportState.ENROUTE, number="13900000001")

    assert desk.outbox.reopen(seen, desk.now) == (second,)
    assert (desk.state(first), desk.state(second)) == (State.SUBMITTED, State.QUEUED)


def test_what_is_queued_again_is_queued_once(desk):
    """The same order twice, or of two workers, queues once, whatever happened in between."""
    delivery = desk.doubted()
    seen = desk.find(delivery)
    assert desk.outbox.reopen((seen,), desk.now) == (delivery,)
    assert desk.outbox.reopen((seen,), desk.now) == ()

    (claimed,) = desk.outbox.claim_due(desk.holder, 1, desk.now)
    desk.settle(LOST, *desk.intend(claimed, account=desk.backup), epoch=claimed.epoch)
    assert desk.outbox.reopen((seen,), desk.now) == ()
    assert desk.outbox.reopen((), desk.now) == ()
    assert desk.state(delivery) is State.IN_DOUBT


def test_only_what_waits_for_evidence_is_queued_again(desk):
    """To ask it of what is queued, claimed or closed is a defect, and writes nothing."""
    (claimed,) = desk.accept()
    before = desk.snapshot(claimed.id)

    with pytest.raises(IllegalTransition, match="claimed cannot meet resend"):
        desk.outbox.reopen((claimed,), desk.now)

    assert desk.snapshot(claimed.id) == before


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize(("place", "stands"), [("before", False), ("after", True)])
def test_a_plug_pulled_at_a_commit_leaves_it_whole_or_not_at_all(tmp_path, desk_over, kind, place, stands):
    """What dies before its commit has changed nothing; what dies after it stands."""

    class Pulled(BaseException):
        pass

    def boundary(name):
        if name == f"accept: {place} commit":
            raise Pulled

    path = tmp_path / "tocsin.db"
    rows = MemoryRows(boundary) if kind == "memory" else open_rows(path, boundary)
    desk = desk_over(rows)
    with pytest.raises(Pulled):
        desk.accept(key="k")
    if kind == "sqlite":
        desk.outbox.close()
        rows = open_rows(path)

    assert bool(Outbox(rows, lambda _: False).deliveries(Filter())) == stands
    rows.close()
