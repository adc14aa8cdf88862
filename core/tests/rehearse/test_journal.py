"""A recorded journal: replayed under its own policy it comes to the same, under another to what that would do."""

import pytest

from tocsin.errors import InvalidInput
from tocsin.model.ids import AccountId
from tocsin.model.outcome import Reason
from tocsin.outbox.state import AttemptState
from tocsin.rehearse.journal import read_journal
from tocsin.rehearse.rehearsal import play_out, rehearse
from tocsin.rehearse.scenario import Kind, Trouble
from tocsin.rehearse.stage import Stage, open_stage_store
from tocsin.rehearse.staging import as_recorded, as_scripted


@pytest.fixture
def recorded(configured, registry, tmp_path):
    """Return a function that lives a scenario, and returns its journal with what came of it."""

    def record(config, scenario):
        stage = Stage(as_scripted(config, registry, scenario, 1), tmp_path)
        result = play_out(stage)
        journal = read_journal(stage.parts.store)
        stage.close()
        return journal, result

    return record


def test_a_journal_holds_every_message_and_attempt(configured, recorded, scenario_of):
    """The messages with their times, and of each attempt its answer and its report."""
    dark = Trouble(account="first", kind=Kind.DARK, from_s=600, until_s=1200)
    journal, result = recorded(configured("main", "backup"), scenario_of(dark))

    assert len(journal.offers) == 30
    assert [offer.at_s for offer in journal.offers] == sorted(offer.at_s for offer in journal.offers)
    assert journal.offers[0].at_s == 0
    attempts = [one for records in journal.records.values() for one in records]
    assert len(attempts) == result.total.attempts
    taken = [one for one in attempts if one.attempt.state is AttemptState.ACCEPTED]
    assert len(taken) == 30
    assert all(one.rang_after_s is not None and one.heard_after_s >= one.rang_after_s for one in taken)
    assert all(one.delay_s == pytest.approx(0.2, abs=0.02) for one in taken)


def test_the_same_policy_comes_to_the_same(configured, registry, recorded, scenario_of):
    """Replayed as it was recorded, every message takes the way that it took."""
    config = configured("main", "backup")
    silent = Trouble(account="first", kind=Kind.SILENT, from_s=300, until_s=600)
    refusing = Trouble(account="first", kind=Kind.REFUSING, reason=Reason.UNAVAILABLE, from_s=900, until_s=1200)
    journal, result = recorded(config, scenario_of(silent, refusing))
    again = rehearse(as_recorded(config, registry, journal, 1)).total

    for figure in ("messages", "attempts", "accepted", "refused", "delivered", "unasked_copies", "lost"):
        assert getattr(again, figure) == getattr(result.total, figure), figure


def test_another_policy_meets_the_same_vendors(configured, registry, recorded, scenario_of):
    """Recorded with one account that went dark, replayed with two: the second is as on a quiet day."""
    dark = Trouble(account="first", kind=Kind.DARK, from_s=600, until_s=1800)
    journal, alone = recorded(configured("main"), scenario_of(dark))
    assert alone.total.late > 0
    both = rehearse(as_recorded(configured("main", "backup"), registry, journal, 1))

    assert both.total.messages == 30
    assert both.total.late < alone.total.late / 5
    assert both.accounts["backup"].accepted > 10
    assert both.accounts["main"].not_sent > 0, "what was dark then is dark again"


def test_a_dark_vendor_is_dark_for_whoever_comes(configured, registry, recorded, scenario_of):
    """A policy that now begins with the account that was second finds it as it was at that time."""
    dark = Trouble(account="second", kind=Kind.DARK, from_s=0, until_s=1200)
    never = Trouble(account="first", kind=Kind.NEVER_DELIVERS)
    journal, _ = recorded(configured("main", "backup"), scenario_of(dark, never))
    turned = rehearse(as_recorded(configured("backup", "main"), registry, journal, 1))

    assert turned.accounts["backup"].not_sent > 0
    assert turned.total.lost == 0


def test_a_refusal_of_one_message_is_not_another_s(configured, registry, recorded, scenario_of):
    """What a vendor said of one message, it says of that one again, and of no other."""
    keyword = Trouble(account="first", kind=Kind.REFUSING, reason=Reason.KEYWORD, from_s=600, until_s=900)
    config = configured("main")
    journal, result = recorded(config, scenario_of(keyword))
    again = rehearse(as_recorded(config, registry, journal, 1)).total

    assert 0 < result.total.failed < 30
    assert (again.failed, again.delivered) == (result.total.failed, result.total.delivered)


def test_a_scenario_may_say_what_the_vendors_do_instead(configured, registry, recorded, scenario_of):
    """The recorded messages before scripted vendors: last week's traffic, tomorrow's outage."""
    config = configured("main", "backup")
    journal, _ = recorded(config, scenario_of())
    dark = scenario_of(Trouble(account="first", kind=Kind.DARK), minutes=1, count=1)
    result = rehearse(as_recorded(config, registry, journal, 1, dark))

    assert (result.total.messages, result.accounts["main"].accepted) == (30, 0)
    assert result.accounts["backup"].delivered == 30


def test_an_empty_store_has_nothing_to_replay(tmp_path):
    """One sentence, and no rehearsal of nothing."""
    store = open_stage_store(tmp_path)
    with pytest.raises(InvalidInput, match="no message"):
        read_journal(store)
    store.close()


def test_recorded_times_are_the_clock_s(configured, registry, recorded, scenario_of):
    """A replay begins at the moment of the first recorded message, so that hours of routes and accounts hold."""
    config = configured("main")
    journal, _ = recorded(config, scenario_of())
    play = as_recorded(config, registry, journal, 1)

    assert play.begins == journal.begins
    assert journal.records[AccountId("main")][0].at_s < 1
