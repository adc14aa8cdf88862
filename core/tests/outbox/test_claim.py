"""T2 to T4: claims, their epoch, INTENT before the first byte, and settlement."""

import attrs
import pytest

from tocsin.model.ids import VendorId
from tocsin.model.outcome import Accepted, NotSent, Reason, Refused, Unknown
from tocsin.model.report import ReportState
from tocsin.outbox.record import Filter
from tocsin.outbox.state import AttemptState, Event, IllegalTransition, State

TAKEN = Accepted(VendorId("77"))
REFUSED = Refused(Reason.KEYWORD, "-6", "the word")


def test_a_claim_raises_the_epoch_and_gives_back_all_that_is_held(desk):
    """Each claim is under a new epoch; claiming again returns what the holder has, and claims nothing twice."""
    (delivery,) = desk.accept(holder=None)

    (claimed,) = desk.outbox.claim(delivery.message, desk.holder, desk.now)

    assert (claimed.state, claimed.epoch, claimed.holder) == (State.CLAIMED, 1, desk.holder)
    assert desk.outbox.claim(delivery.message, desk.holder, desk.now) == (claimed,)
    assert desk.outbox.claim(delivery.message, desk.other_holder, desk.now) == ()


def test_a_claim_takes_one_message_alone(desk):
    """What another message has queued, or what the holder has of it, is neither taken nor returned."""
    (mine,) = desk.accept()
    (other,) = desk.accept(holder=None)

    assert [one.id for one in desk.outbox.claim(mine.message, desk.holder, desk.now)] == [mine.id]
    assert desk.state(other.id) is State.QUEUED


def test_an_intent_is_there_before_its_outcome(desk):
    """After T3 and before T4 the store says SENDING, and shows the attempt as INTENT with its decision."""
    (delivery,) = desk.accept()

    (attempt,) = desk.intend(delivery)

    assert desk.attempts(delivery.id) == (attempt,)
    assert (attempt.state, attempt.number, attempt.account) == (AttemptState.INTENT, 1, desk.main)
    assert (desk.state(delivery.id), desk.find(delivery.id).account) == (State.SENDING, desk.main)
    (chapter,), _ = desk.outbox.story(delivery.id)
    assert (chapter.at, chapter.explanation) == (desk.now, {"decision": "submit"})


def test_a_stale_epoch_intends_nothing(desk):
    """An INTENT under an older epoch writes nothing: its claim is somebody else's by now."""
    (delivery,) = desk.accept()
    desk.outbox.release(desk.holder, desk.now)
    desk.outbox.claim(delivery.message, desk.other_holder, desk.now)
    before = desk.snapshot(delivery.id)

    assert desk.intend(delivery) == ()
    assert desk.snapshot(delivery.id) == before


def test_a_claim_that_is_gone_intends_nothing(desk):
    """An INTENT for a delivery that is claimed no more writes nothing, though its epoch is still the newest."""
    (delivery,) = desk.accept()
    desk.outbox.release(desk.holder, desk.now)

    assert desk.intend(delivery) == ()
    assert desk.state(delivery.id) is State.QUEUED


def test_of_a_group_those_are_intended_whose_claim_stands(desk):
    """A request holds those whose claim stands, and counts them alone."""
    first, second, third = desk.accept("13900000001", "13900000002", "13900000003")
    stale = attrs.evolve(second, epoch=0)

    attempts = desk.intend(first, stale, third)

    assert [one.delivery for one in attempts] == [first.id, third.id]
    assert {(one.group_size, one.submit) for one in attempts} == {(2, attempts[0].id)}


@pytest.mark.parametrize(
    ("outcome", "state", "attempt_state"),
    [
        (TAKEN, State.SUBMITTED, AttemptState.ACCEPTED),
        (Accepted(None), State.SUBMITTED, AttemptState.ACCEPTED),
        (Unknown("read-timeout"), State.IN_DOUBT, AttemptState.UNKNOWN),
        (REFUSED, State.QUEUED, AttemptState.REFUSED),
        (NotSent("connect-refused"), State.QUEUED, AttemptState.NOT_SENT),
    ],
    ids=["accepted", "uncorrelated", "unknown", "refused", "not sent"],
)
def test_an_outcome_moves_the_delivery(desk, outcome, state, attempt_state):
    """Each kind of outcome leads to its state, and the claim is over."""
    delivery = desk.submitted(outcome)

    found = desk.find(delivery)
    assert (found.state, found.holder, found.account) == (state, None, desk.main)
    assert [one.state for one in desk.attempts(delivery)] == [attempt_state]


def test_an_outcome_is_kept_word_for_word(desk):
    """Id, `partial`, reason, code, text and cause of outcomes are found again."""
    accepted = desk.submitted(Accepted(VendorId("77"), partial=True))
    refused = desk.submitted(REFUSED)
    unsent = desk.submitted(NotSent("dns"))

    (one,), (two,), (three,) = map(desk.attempts, (accepted, refused, unsent))
    assert (one.vendor_id, one.partial, one.settled_at) == ("77", True, desk.now)
    assert (two.reason, two.code, two.text) == (Reason.KEYWORD, "-6", "the word")
    assert three.cause == "dns"


@pytest.mark.parametrize("outcome", [NotSent("dns"), REFUSED], ids=["not sent", "refused"])
def test_a_holder_keeps_what_it_may_try_again(desk, outcome):
    """With `keep`, a delivery that may be tried again stays claimed by its holder, under the same epoch."""
    (delivery,) = desk.accept()
    desk.settle(outcome, *desk.intend(delivery), keep=True)

    found = desk.find(delivery.id)
    assert (found.state, found.holder, found.epoch) == (State.CLAIMED, desk.holder, delivery.epoch)
    assert [one.number for one in desk.intend(found)] == [2]


@pytest.mark.parametrize("outcome", [TAKEN, Unknown("reset")], ids=["accepted", "unknown"])
def test_nobody_keeps_what_is_out(desk, outcome):
    """`keep` holds nothing back that the vendor took, or may have taken."""
    (delivery,) = desk.accept()
    desk.settle(outcome, *desk.intend(delivery), keep=True)

    assert desk.find(delivery.id).holder is None


def lose_the_lease(desk):
    """Leave an attempt behind whose holder is taken for dead while it still waits for the vendor's answer."""
    (delivery,) = desk.accept()
    (attempt,) = desk.intend(delivery)
    desk.dead.add(desk.holder)
    assert desk.outbox.recover(desk.now) == 1
    assert desk.state(delivery.id) is State.IN_DOUBT
    return delivery, attempt


@pytest.mark.parametrize("outcome", [NotSent("dns"), REFUSED, Unknown("reset")], ids=["not sent", "refused", "unknown"])
def test_the_late_answer_of_a_lost_lease_changes_nothing(desk, outcome):
    """A settlement after T5 leaves delivery, attempt and story as they are."""
    delivery, attempt = lose_the_lease(desk)
    before = desk.snapshot(delivery.id)

    desk.settle(outcome, attempt)

    assert desk.snapshot(delivery.id) == before


@pytest.mark.parametrize("parked", [False, True], ids=["in doubt", "parked"])
def test_the_late_acceptance_of_a_lost_lease_is_evidence(desk, parked):
    """An Accepted that comes after T5 ends the doubt: the vendor had taken it."""
    delivery, attempt = lose_the_lease(desk)
    if parked:
        assert desk.close(delivery.id, Event.PARK)

    desk.settle(TAKEN, attempt)

    assert desk.state(delivery.id) is State.SUBMITTED
    assert [(one.state, one.vendor_id) for one in desk.attempts(delivery.id)] == [(AttemptState.ACCEPTED, "77")]


def test_a_late_acceptance_leaves_the_next_attempt_alone(desk):
    """An Accepted of a lost lease is written down while the next attempt is under way, which goes on undisturbed."""
    delivery, attempt = lose_the_lease(desk)
    desk.intend(desk.reclaimed(delivery.id, desk.other_holder), account=desk.backup)

    desk.settle(TAKEN, attempt)

    assert desk.state(delivery.id) is State.SENDING
    assert [one.state for one in desk.attempts(delivery.id)] == [AttemptState.ACCEPTED, AttemptState.INTENT]


def test_settling_twice_changes_nothing(desk):
    """The same settlement again, after the delivery has moved on, is no event."""
    (delivery,) = desk.accept()
    attempts = desk.intend(delivery)
    desk.settle(TAKEN, *attempts)
    before = desk.snapshot(delivery.id)

    desk.settle(TAKEN, *attempts)

    assert desk.snapshot(delivery.id) == before


def test_the_outcome_of_an_attempt_that_is_settled_leaves_the_next_alone(desk):
    """An outcome told again while the next attempt is under way, under the same epoch, changes nothing."""
    first, second = desk.accept("13900000001", "13900000002")
    (refused,) = desk.intend(first)
    desk.settle(REFUSED, refused, keep=True)
    desk.intend(first)
    (waiting,) = desk.intend(second)
    before = desk.snapshot(first.id)

    desk.settle(TAKEN, waiting, refused)

    assert desk.snapshot(first.id) == before
    assert (desk.state(first.id), desk.state(second.id)) == (State.SENDING, State.SUBMITTED)


def test_what_the_table_forbids_writes_nothing_at_all(desk):
    """An illegal step among several takes the whole transaction back."""
    doubtful = desk.find(desk.doubted())
    (claimed,) = desk.accept("13900000001")
    before = desk.snapshot(doubtful.id), desk.snapshot(claimed.id)

    with pytest.raises(IllegalTransition):
        desk.outbox.reopen((doubtful, claimed), desk.now)

    assert (desk.snapshot(doubtful.id), desk.snapshot(claimed.id)) == before


@pytest.mark.parametrize(
    ("event", "state"),
    [(Event.GIVE_UP, State.FAILED), (Event.PARK, State.PARKED), (Event.EXPIRE, State.EXPIRED),
     (Event.RELEASE, State.QUEUED)],
    ids=lambda value: value.value,
)  # fmt: skip
def test_a_verdict_closes_with_its_explanation(desk, event, state):
    """What the policy closes without a submit is closed, with the decision in its story."""
    (delivery,) = desk.accept()

    assert desk.close(delivery.id, event, explanation={"decision": "x", "why": "a test says so"})

    assert desk.state(delivery.id) is state
    (chapter,), transitions = desk.outbox.story(delivery.id)
    assert (chapter.at, chapter.explanation["why"]) == (desk.now, "a test says so")
    assert transitions[-1].event is event


def test_every_transition_leaves_an_audit_row(desk):
    """The audit tells each change of state with event and time, in order (I12)."""
    start = desk.now
    delivery = desk.taken()
    desk.wait(seconds=5)
    desk.report(ReportState.DELIVERED)

    _, transitions = desk.outbox.story(delivery)

    assert [(row.at, row.event, row.before, row.after) for row in transitions] == [
        (start, Event.CLAIM, State.QUEUED, State.CLAIMED),
        (start, Event.INTENT, State.CLAIMED, State.SENDING),
        (start, Event.ACCEPTED, State.SENDING, State.SUBMITTED),
        (desk.now, Event.REPORTED_DELIVERED, State.SUBMITTED, State.DELIVERED),
    ]
    assert {row.delivery for row in transitions} == {delivery}


def test_a_query_for_nothing_finds_nothing(desk):
    """What is not there is None or empty, never an error."""
    assert desk.outbox.message("no-such") is None
    assert desk.outbox.deliveries(Filter(message="no-such")) == ()
    assert desk.outbox.attempts(("no-such.1",)) == {"no-such.1": ()}
    assert desk.outbox.story("no-such.1") == ((), ())
