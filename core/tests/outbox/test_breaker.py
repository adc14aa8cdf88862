"""The breaker: what one request says of a vendor, what trips it, how long it is open, and how it closes."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.model.ids import VendorId
from tocsin.model.outcome import Accepted, NotSent, Reason, Refused, Scope, Sticky, Unknown
from tocsin.outbox.breaker import Mode, disable, mode, observe, probe, sample_of, shut_until
from tocsin.outbox.health import Answer

from .health_samples import BAD, DULL, GOOD, NEW, at, is_open, live, sample


def opened(openings=1):
    """A breaker that opened at second 100, for the `openings`th time in a row."""
    health = attrs.evolve(NEW, openings=openings - 1)
    return live(health, *(sample(BAD, second) for second in (98, 99, 100)))


def stuck(sticky):
    """An account that a refusal put into a sticky state at second 100."""
    return live(NEW, sample(DULL, 100, sticky=sticky))


# What one request says.


@pytest.mark.parametrize("reason", Reason)
def test_refusal_speaks_of_its_scope(reason):
    """Only a refusal of vendor scope is a failure; what is about message, recipient or template proves a vendor that
    answers, what is about the account or its rate proves nothing."""
    expected = {
        Scope.VENDOR: BAD,
        Scope.MESSAGE: GOOD,
        Scope.RECIPIENT: GOOD,
        Scope.TEMPLATE: GOOD,
        Scope.ACCOUNT: DULL,
        Scope.THROTTLE: DULL,
    }

    assert sample_of([Refused(reason)]) == (expected[reason.scope], reason.sticky)


@pytest.mark.parametrize(
    ("outcome", "answer"),
    [
        (Accepted(VendorId("1")), GOOD),
        (Accepted(None, partial=True), GOOD),
        (NotSent("connect-refused"), BAD),
        (NotSent("lease-short"), DULL),
        (NotSent("plugin-fault"), DULL),
        (NotSent("commit-unknown"), DULL),
        (Unknown("read-timeout"), BAD),
        (Unknown("plugin-fault"), BAD),
        (Unknown("holder-lost"), DULL),
    ],
)
def test_outcome_speaks_of_the_vendor(outcome, answer):
    """What never reached the vendor and what it never answered are failures, unless the trouble was our own."""
    assert sample_of([outcome]) == (answer, None)


def test_new_kind_of_outcome_is_an_error():
    """An outcome that nobody has judged is an error, and neither healthy nor failed."""
    with pytest.raises(AssertionError):
        sample_of([object()])


def test_request_counts_once():
    """One healthy outcome proves that the vendor answers, whatever became of the others; none at all says nothing."""
    failed, healthy, dull = Unknown("no-outcome"), Refused(Reason.BLOCKED), Refused(Reason.THROTTLED)

    assert sample_of(iter([failed, healthy, failed])) == (GOOD, None)
    assert sample_of([dull, failed]) == (BAD, None)
    assert sample_of([]) == (DULL, None)


def test_worse_sticky_state_is_taken():
    """Of several sticky refusals in one answer, the one that somebody must mend counts; no accepted one hides it."""
    drained, rejected = Refused(Reason.BALANCE), Refused(Reason.AUTHENTICATION)

    assert sample_of([drained, rejected]) == (DULL, Sticky.FORCED_OPEN)
    assert sample_of(iter([Accepted(None), drained])) == (GOOD, Sticky.DRAINED)


HARMLESS = [reason for reason in Reason if reason.scope in (Scope.MESSAGE, Scope.RECIPIENT, Scope.TEMPLATE)]
WITHOUT_STATE = [reason for reason in Reason if reason.scope is not Scope.VENDOR and reason.sticky is None]


@given(st.lists(st.sampled_from(WITHOUT_STATE), min_size=1, max_size=60), st.integers(0, 5))
def test_no_refusal_poisons(reasons, gap):
    """However many messages, recipients, templates, extensions or rates are refused in a row, the account stays in."""
    health = NEW
    for number, reason in enumerate(reasons):
        answer, sticky = sample_of([Refused(reason)])
        health = observe(health, sample(answer, number * gap, sticky=sticky))

    assert mode(health, at(len(reasons) * gap)) is Mode.CLOSED


@given(st.lists(st.sampled_from([*HARMLESS, None]), max_size=60))
def test_refused_message_is_as_good_as_accepted(reasons):
    """Replace any answers by refusals of message, recipient or template: the health is exactly the same."""
    kinds = [(GOOD, sample_of([Accepted(None) if one is None else Refused(one)])[0]) for one in reasons]
    mixed = live(NEW, *(sample(BAD if n % 3 == 0 else said, n) for n, (_, said) in enumerate(kinds)))
    plain = live(NEW, *(sample(BAD if n % 3 == 0 else good, n) for n, (good, _) in enumerate(kinds)))

    assert mixed == plain


# What trips it.


def test_five_in_a_row_within_the_minute():
    """With traffic, five failures in a row within 60 s open the breaker, four do not."""
    busy = [sample(GOOD, second / 10) for second in range(20)]
    failures = [sample(BAD, second) for second in (10, 20, 30, 40, 61)]

    assert not is_open(live(NEW, *busy, *failures[:4]))
    assert is_open(live(NEW, *busy, *failures[:4], sample(BAD, 50)))


def test_success_breaks_the_row():
    """A healthy answer between them, and they are not in a row; a neutral one does not count either way."""
    failures = [sample(BAD, second) for second in range(10, 14)]
    busy = [sample(GOOD, second) for second in range(10)]

    assert not is_open(live(NEW, *busy, *failures, sample(GOOD, 14), sample(BAD, 15)))
    assert is_open(live(NEW, *busy, *failures, sample(DULL, 14), sample(BAD, 15)))


def test_failures_far_apart():
    """However many failures come in a row, without three within 10 minutes they do not open it."""
    assert not is_open(live(NEW, *(sample(BAD, 301 * number) for number in range(20))))


@pytest.mark.parametrize(("times", "opens"), [((0, 300, 600), True), ((0, 300, 600.001), False), ((0, 300), False)])
def test_three_in_a_row_with_little_traffic(times, opens):
    """With fewer than five samples in the minute, three failures in a row within 10 minutes open it."""
    assert is_open(live(NEW, *(sample(BAD, second) for second in times))) is opens


def test_what_little_traffic_is():
    """A third failure in a row opens it as the fourth sample of its minute, and not as the fifth."""
    row = [sample(BAD, second) for second in (10, 11, 12)]

    assert is_open(live(NEW, sample(GOOD, 5), *row))
    assert not is_open(live(NEW, sample(GOOD, 5), sample(GOOD, 6), *row))
    assert is_open(live(NEW, sample(GOOD, -50), sample(GOOD, 6), *row))


def alternating(count, second=0):
    """Failures, each followed by a success: half of an even number fails, never two in a row."""
    return [sample(BAD if number % 2 == 0 else GOOD, second + number / 100) for number in range(count)]


def test_half_of_twenty():
    """20 samples in the minute of which half failed open it; 19 do not, and neither do any of which less than half."""
    assert is_open(live(NEW, *alternating(20)))
    assert not is_open(live(NEW, *alternating(19)))
    assert not is_open(live(NEW, sample(GOOD, 0), sample(GOOD, 0), *alternating(398)))
    assert not is_open(live(NEW, sample(GOOD, 0), *alternating(18), sample(GOOD, 1)))


def test_slow_answers():
    """10 samples in the minute of which 80 % were slow open it, healthy as they are; 9 or 7 of 10 do not."""
    slow, quick = sample(GOOD, 1, slow=True), sample(GOOD, 1)

    assert is_open(live(NEW, *[quick] * 2, *[slow] * 8))
    assert not is_open(live(NEW, *[slow] * 9))
    assert not is_open(live(NEW, *[quick] * 3, *[slow] * 7))
    assert not is_open(live(NEW, *[quick] * 41, *[slow] * 159))


def test_window_forgets():
    """What lies a minute back counts no more: the same samples, half before and half after, do not open it."""
    assert not is_open(live(NEW, *alternating(18), *alternating(2, second=60)))
    assert is_open(live(NEW, *alternating(18), *alternating(2, second=59)))


def test_late_sample_counts_with_the_newest():
    """A sample that is told late is counted, and makes the window no older."""
    health = live(NEW, sample(GOOD, 40), sample(GOOD, 50), sample(GOOD, 20))

    assert [one.total for one in health.window] == [1, 2]
    assert health.window[-1].second == int(at(50).timestamp())


# How long it is open.


@pytest.mark.parametrize(
    ("openings", "seconds"), [(1, 30), (2, 60), (3, 90), (9, 270), (10, 300), (11, 300), (50, 300)]
)
def test_open_longer_each_time(openings, seconds):
    """It opens for 30 s times the consecutive openings, 300 s at most."""
    health = opened(openings)

    assert (health.openings, health.ejected_at) == (openings, at(100))
    assert shut_until(health, at(100)) == at(100 + seconds)
    assert mode(health, at(99.9 + seconds)) is Mode.OPEN
    assert mode(health, at(100 + seconds)) is Mode.HALF_OPEN
    assert shut_until(health, at(100 + seconds)) is None


@pytest.mark.parametrize(("dice", "seconds"), [(0.0, 24), (0.25, 27), (0.5, 30), (1.0, 36)])
def test_dice_spread_the_opening(dice, seconds):
    """The dice of the sample that opens it move the end by up to a fifth either way."""
    health = live(NEW, sample(BAD, 98, dice=0.9), sample(BAD, 99, dice=0.1), sample(BAD, 100, dice=dice))

    assert shut_until(health, at(100)) == at(100 + seconds)


@pytest.mark.parametrize("dice", [-0.1, 1.1])
def test_dice_have_bounds(dice):
    """Dice beyond 0 and 1 are a defect of the caller."""
    with pytest.raises(ValueError, match="dice"):
        sample(GOOD, 0, dice=dice)


# How it closes.


def probed(health, second, answer, took=1, **said):
    """Send the one probe and hear its answer."""
    assert mode(health, at(second)) is Mode.HALF_OPEN
    health = probe(health, at(second))
    assert mode(health, at(second)) is Mode.PROBING
    return observe(health, sample(answer, second + took, began=second, **said))


def test_three_successes_close_it():
    """Three probes in turn that succeed close it, two do not; then it is as new, and opens for 30 s next time."""
    health = opened(openings=4)
    for second in (300, 310):
        health = probed(health, second, GOOD)
        assert mode(health, at(second + 1)) is Mode.HALF_OPEN

    health = probed(health, 320, GOOD)

    assert health == attrs.evolve(NEW, changed_at=at(321))
    assert mode(health, at(321)) is Mode.CLOSED
    again = live(health, *(sample(BAD, second) for second in (330, 331, 332)))
    assert shut_until(again, at(332)) == at(362)


def test_failed_probe_opens_it_again():
    """One probe that fails opens it for longer, and its successes are counted anew."""
    health = probed(probed(opened(), 130, GOOD), 135, GOOD)

    health = probed(health, 140, BAD, dice=1)

    assert (health.openings, health.ejected_at, health.successes) == (2, at(141), 0)
    assert shut_until(health, at(141)) == at(141 + 72)
    assert is_open(probed(health, 220, GOOD))


def test_straggler_changes_nothing():
    """What began before the opening, or with it, neither closes it nor keeps it open."""
    health = opened()

    for answer in Answer:
        for known in (105, 135):
            told = [sample(answer, known, began=began) for began in (50, 99, 100)]
            assert live(health, *told, *told) == health


def test_what_goes_all_the_same_is_evidence():
    """What is let through an open breaker closes it with three successes; its failure makes the opening newer, no
    longer, so that the next that cannot wait tries another account first."""
    let_through = [sample(GOOD, second, began=second - 1) for second in (105, 106, 107)]
    assert mode(live(opened(), *let_through), at(107)) is Mode.CLOSED

    health = live(opened(), *let_through[:2], sample(BAD, 110))
    assert (health.ejected_at, health.successes, health.openings) == (at(110), 0, 1)
    assert shut_until(health, at(110)) == at(130)
    assert is_open(live(health, *(sample(GOOD, second, began=109) for second in (111, 112, 113))))


def test_neutral_probe_says_nothing():
    """A probe that is throttled frees the slot, and that is all."""
    health = opened()

    assert probed(health, 130, DULL) == health


def test_lost_probe_frees_its_slot():
    """A probe that never answers frees its slot after a minute; its answer after all frees no other's slot."""
    health = probe(opened(), at(130))
    assert shut_until(health, at(189)) == at(190)
    assert mode(health, at(190)) is Mode.HALF_OPEN

    health = probe(health, at(200))
    health = observe(health, sample(GOOD, 201, began=130))

    assert mode(health, at(201)) is Mode.PROBING
    assert health.successes == 1


@pytest.mark.parametrize(("answer", "standing"), [(GOOD, Mode.CLOSED), (BAD, Mode.OPEN)])
def test_change_needs_no_probe_any_more(answer, standing):
    """What was let through before the probe may close the breaker or open it again: then no slot is taken any more."""
    health = probe(attrs.evolve(opened(), successes=2), at(130))

    health = observe(health, sample(answer, 131, began=120))

    assert (mode(health, at(131)), health.probe_until) == (standing, None)


@pytest.mark.parametrize(
    "health", [NEW, disable(NEW, at(0)), opened(), stuck(Sticky.DRAINED), probe(opened(), at(130))]
)
def test_no_probe_where_none_may_go(health):
    """A probe is taken only where one may go and is needed; elsewhere nothing changes."""
    now = at(131) if health.probe_until else at(101)

    assert probe(health, now) == health
