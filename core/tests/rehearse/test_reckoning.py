"""The count itself: what is lost, late, and sent twice unasked is seen where it happens."""

import attrs
import pytest

from tocsin.model.ids import AccountId, DeliveryId
from tocsin.policy.decision import Trigger
from tocsin.rehearse.reckoning import _percentile, reckon
from tocsin.rehearse.rehearsal import play_out
from tocsin.rehearse.stage import Stage
from tocsin.rehearse.staging import as_scripted


@pytest.fixture
def stage(configured, registry, tmp_path, scenario_of):
    """A rehearsal that has come to its end, of ten messages through one account."""
    stage = Stage(as_scripted(configured("main"), registry, scenario_of(count=10), 1), tmp_path)
    play_out(stage)
    yield stage
    stage.close()


def test_a_message_that_the_store_does_not_know_is_lost(stage):
    """It was promised, no phone rang, and the store has no word of it."""
    stage.ledger.promises[DeliveryId("gone.1")] = next(iter(stage.ledger.promises.values()))

    assert (reckon(stage).total.lost, reckon(stage).sound) == (1, False)


def test_a_phone_that_never_rang_was_not_delivered(stage):
    """The store says delivered, and the vendor's ledger has nothing: that is lost, whoever is wrong."""
    copy = stage.ledger.copies.pop()
    result = reckon(stage)

    assert (result.total.lost, result.total.delivered, result.sound) == (1, 9, False)
    assert result.accounts[copy.account].lost == 1


@pytest.mark.parametrize(
    ("trigger", "asked", "unasked"),
    [
        (Trigger.FIRST, 0, 1),
        (Trigger.NOT_TAKEN, 0, 1),
        (Trigger.DOUBT, 1, 0),
        (Trigger.SILENCE, 1, 0),
        (Trigger.UNDELIVERED, 1, 0),
    ],
)
def test_a_second_ring_is_asked_for_by_what_it_follows_from(stage, trigger, asked, unasked):
    """Doubt, silence and a failed report ask for copies; a plain retry never does."""
    copy = stage.ledger.copies[3]
    again = attrs.evolve(copy, parcel=attrs.evolve(copy.parcel, number=2, trigger=trigger), rings_s=copy.rings_s + 60)
    stage.ledger.copies.append(again)
    result = reckon(stage)

    assert (result.total.asked_copies, result.total.unasked_copies) == (asked, unasked)
    assert result.accounts[AccountId("main")].unasked_copies == unasked
    assert result.sound is (unasked == 0)


def test_more_copies_than_the_class_allows_are_unasked(stage):
    """An alert may have two copies: a third is nobody's wish, whatever it follows from."""
    copy = stage.ledger.copies[3]
    for number in (2, 3):
        parcel = attrs.evolve(copy.parcel, number=number, trigger=Trigger.DOUBT)
        stage.ledger.copies.append(attrs.evolve(copy, parcel=parcel, rings_s=copy.rings_s + number))
    total = reckon(stage).total

    assert (total.asked_copies, total.unasked_copies) == (1, 1)


def test_late_is_after_the_report_timeout(stage):
    """On time up to the timeout of its class, late a moment after it."""
    copy = stage.ledger.copies[3]
    promise = stage.ledger.promises[copy.parcel.delivery]
    assert promise.late_s == promise.due_s + 300
    for rings_s, late in ((promise.late_s, 0), (promise.late_s + 0.1, 1)):
        stage.ledger.copies[3] = attrs.evolve(copy, rings_s=rings_s)
        assert reckon(stage).total.late == late


@pytest.mark.parametrize(("share", "expected"), [(0.5, 3), (0.95, 5), (0.2, 1), (0.21, 2), (1.0, 5)])
def test_a_percentile_is_one_of_the_values(share, expected):
    """The smallest that so many are not above."""
    assert _percentile([1, 2, 3, 4, 5], share) == expected
    assert _percentile([], share) is None
