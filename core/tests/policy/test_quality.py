"""How reports move weight from account to account, and how long a report is waited for."""

from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.model.ids import AccountId
from tocsin.model.quality import Cohort, Weight
from tocsin.policy.quality import p95, patience, reassess

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CARRIER, OTHER_CARRIER = "+86139", "+86188"


def cohort(account="one", late=0, submitted=100, prefix=CARRIER):
    """What was submitted through an account 5 to 15 minutes ago."""
    return Cohort(account=AccountId(account), prefix=prefix, submitted=submitted, late=late)


def weights(*known):
    """The weights that a store would hold."""
    return {(one.account, one.prefix): one for one in known}


def weight(points, moved_at=START, account="one", prefix=CARRIER):
    """A weight that was changed before."""
    return Weight(account=AccountId(account), prefix=prefix, points=points, moved_at=moved_at)


def afters(changes):
    """What the changes lead to, by account."""
    return {one.account: one.after for one in changes}


class Ledger:
    """Weights over time, asked about once a minute, as a worker does."""

    def __init__(self):
        self.now = START
        self.known = {}
        self.changes = []

    def live(self, minutes, *cohorts):
        """Ask at the beginning of each of these minutes."""
        for _ in range(minutes):
            for change in reassess(self.known, cohorts, self.now):
                key = change.account, change.prefix
                assert self.points(*key) == change.before
                self.known[key] = Weight(account=key[0], prefix=key[1], points=change.after, moved_at=change.at)
                self.changes.append(change)
            self.now += MINUTE

    def points(self, account="one", prefix=CARRIER):
        """What the account is worth now."""
        held = self.known.get((account, prefix))
        return 100 if held is None else held.points


@pytest.mark.parametrize(
    ("submitted", "late", "moves"),
    [(20, 3, True), (20, 2, False), (19, 19, False), (100, 15, True), (100, 14, False), (10_000, 1_499, False)],
)
def test_share_that_is_sick(submitted, late, moves):
    """From 20 messages on, 15 % or more of them late is sick; fewer messages are no verdict."""
    assert bool(reassess({}, [cohort(late=late, submitted=submitted)], START)) is moves


def test_change_says_why():
    """A change names account, prefix, both weights and the time, and its reason gives the figures."""
    (down,) = reassess({}, [cohort(late=31)], START)
    (up,) = reassess(weights(weight(95)), [], START + 15 * MINUTE)

    assert (down.account, down.prefix, down.before, down.after, down.at) == ("one", CARRIER, 100, 90, START)
    assert down.reason == (
        "31 of 100 messages submitted 5 to 15 minutes ago were not delivered within 5 minutes: 10 points of weight go"
    )
    assert (up.before, up.after, up.reason) == (95, 100, "15 quiet minutes: 5 points of weight come back")


def test_no_weight_below_nothing():
    """What is left goes, and not more; an account without weight is not changed again for being sick."""
    later = START + 60 * MINUTE

    (last,) = reassess(weights(weight(4)), [cohort(late=50)], later)

    assert (last.before, last.after) == (4, 0)
    assert last.reason.endswith(": 4 points of weight go")
    assert reassess(weights(weight(0)), [cohort(late=50)], later) == ()


@pytest.mark.parametrize(("minutes", "late", "after"), [(5, 50, 40), (15, 50, 40), (15, 0, 60), (60, 14, 60)])
def test_change_when_its_time_has_come(minutes, late, after):
    """10 points go 5 minutes after the last change, where the account is sick; 10 come back after 15, where not."""
    changes = reassess(weights(weight(50)), [cohort(late=late)], START + minutes * MINUTE)

    assert afters(changes) == {"one": after}


@pytest.mark.parametrize(("seconds", "late"), [(299, 50), (899, 0), (0, 50), (-3600, 0)])
def test_no_change_before_its_time(seconds, late):
    """Nothing goes within 5 minutes of the last change, nothing comes back within 15: it cannot flap."""
    assert reassess(weights(weight(50)), [cohort(late=late)], START + timedelta(seconds=seconds)) == ()


def test_silence_is_quiet():
    """An account that lost everything, and so carries nothing to judge, gets a step back in time."""
    for cohorts in ([], [cohort(late=19, submitted=19)]):
        assert afters(reassess(weights(weight(0)), cohorts, START + 15 * MINUTE)) == {"one": 10}


def test_full_weight_is_left_alone():
    """What has all its points gets none, however quiet it is."""
    assert reassess(weights(weight(100)), [cohort()], START + 60 * MINUTE) == ()


def test_single_judged_account_moves():
    """Where only one account is judged and it is sick, weight goes, so that others get evidence."""
    cohorts = [cohort("one", late=50), cohort("two", late=19, submitted=19)]

    assert afters(reassess({}, cohorts, START)) == {"one": 90}


def test_all_sick_moves_nothing_for_that_prefix():
    """Where every judged account is sick, nothing goes or comes back for that prefix; another prefix moves on."""
    cohorts = [
        cohort("one", late=50),
        cohort("two", late=15),
        cohort("one", late=50, prefix=OTHER_CARRIER),
        cohort("two", prefix=OTHER_CARRIER),
    ]
    quiet = weight(50, account="three")

    changes = reassess(weights(quiet), cohorts, START + 60 * MINUTE)

    assert [(one.account, one.prefix, one.after) for one in changes] == [("one", OTHER_CARRIER, 90)]


def test_one_healthy_account_lets_the_sick_move():
    """With one judged account that is well, each sick one loses weight."""
    cohorts = [cohort("three", late=50), cohort("two"), cohort("one", late=50)]

    changes = reassess({}, cohorts, START)

    assert [(one.account, one.after) for one in changes] == [("one", 90), ("three", 90)]


def test_vendor_that_accepts_and_never_delivers():
    """It loses all its weight within 50 minutes of verdicts, 5 minutes apart, and has it back 150 after it heals."""
    ledger = Ledger()

    ledger.live(50, cohort("one", late=100), cohort("two"))

    assert ledger.points("one") == 0
    assert [one.at for one in ledger.changes] == [START + step * 5 * MINUTE for step in range(10)]

    lost_at = ledger.changes[-1].at
    ledger.live(150, cohort("two"))

    gained = ledger.changes[10:]
    assert ledger.points("one") == 100
    assert [one.at - lost_at for one in gained] == [step * 15 * MINUTE for step in range(1, 11)]
    assert all(one.account == "one" and one.reason for one in ledger.changes)


def test_still_sick_when_tried_again():
    """A step that comes back to an account that is still sick goes again with the next verdict."""
    ledger = Ledger()
    ledger.live(50, cohort("one", late=100), cohort("two"))
    ledger.live(15)
    assert ledger.points("one") == 10

    ledger.live(10, cohort("one", late=100), cohort("two"))

    assert ledger.points("one") == 0


def test_all_slow_for_hours():
    """When every account is slow, nothing moves for hours, and no weight that was lost before comes back."""
    ledger = Ledger()
    ledger.live(6, cohort("one", late=40), cohort("two"))
    before = dict(ledger.known)
    assert ledger.points("one") == 80

    ledger.live(360, cohort("one", late=90), cohort("two", late=60))

    assert ledger.known == before


def cohorts_at_most_one_each():
    """Any counts for three accounts and two prefixes."""
    names = st.tuples(st.sampled_from(("one", "two", "three")), st.sampled_from((CARRIER, OTHER_CARRIER)))
    counts = st.integers(0, 60).flatmap(lambda total: st.tuples(st.just(total), st.integers(0, total)))
    return st.dictionaries(names, counts).map(
        lambda found: [cohort(name, late, total, prefix) for (name, prefix), (total, late) in found.items()]
    )


@given(st.lists(st.tuples(cohorts_at_most_one_each(), st.integers(0, 1200)), max_size=30))
def test_changes_keep_their_bounds(rounds):
    """Whatever is counted: weights stay within 0 and 100, a change moves 1 to 10 points and has a reason, and a weight
    changes again no sooner than 5 minutes later, upwards no sooner than 15."""
    known, now = {}, START
    for cohorts, seconds in rounds:
        now += timedelta(seconds=seconds)
        for change in reassess(known, cohorts, now):
            key = change.account, change.prefix
            last = known.get(key, Weight(account=key[0], prefix=key[1]))
            assert change.before == last.points
            assert 0 <= change.after <= 100
            assert 1 <= abs(change.after - change.before) <= 10
            assert change.reason
            if last.moved_at is not None:
                assert now - last.moved_at >= (15 if change.after > change.before else 5) * MINUTE
            known[key] = attrs.evolve(last, points=change.after, moved_at=now)


@given(cohorts_at_most_one_each(), st.randoms(use_true_random=False))
def test_order_of_cohorts_does_not_matter(cohorts, dice):
    """The same counts in any order lead to the same changes in the same order."""
    shuffled = list(cohorts)
    dice.shuffle(shuffled)

    assert reassess({}, shuffled, START) == reassess({}, cohorts, START)


def test_patience_follows_what_is_observed():
    """A report is waited for as long as the account needs, not less than the floor, not more than three times it."""
    floor = timedelta(seconds=45)

    assert patience(floor, None) == floor
    assert patience(floor, timedelta(seconds=10)) == floor
    assert patience(floor, timedelta(seconds=80)) == timedelta(seconds=80)
    assert patience(floor, timedelta(hours=2)) == timedelta(seconds=135)


@pytest.mark.parametrize(("count", "rank"), [(20, 19), (21, 20), (40, 38), (99, 95), (100, 95), (101, 96)])
def test_p95_is_the_nearest_rank(count, rank):
    """95 % of the delays or more do not exceed it, and it is one of them, in whatever order they come."""
    delays = [timedelta(seconds=second) for second in range(count, 0, -1)]

    assert p95(delays) == timedelta(seconds=rank)


def test_no_p95_of_few():
    """Fewer than 20 delays say nothing."""
    assert p95([timedelta(seconds=3)] * 19) is None
    assert p95([timedelta(seconds=3)] * 20) == timedelta(seconds=3)
