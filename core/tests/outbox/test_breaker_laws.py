"""Laws of an account's health over any story of samples, probes, balances and operators."""

import json
from datetime import timedelta
from decimal import Decimal

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.model.balance import Balance, Unit
from tocsin.model.outcome import Sticky
from tocsin.outbox.breaker import FOREVER, LEASE, Mode, disable, hear, mode, observe, probe, resume, shut_until
from tocsin.outbox.health import Answer, Sample, from_plain, to_plain

from .health_samples import ACCOUNT, BAD, DULL, GOOD, NEW, START, is_open

USABLE = (Mode.CLOSED, Mode.HALF_OPEN)


DICE = st.floats(0, 1)
TIMES = st.sampled_from((0, 0.001, 0.3, 1, 7, 30, 61, 130, 400))
TOOK = st.sampled_from((0, 0.5, 4, 70))
SAMPLES = st.tuples(
    st.just("sample"), st.sampled_from(Answer), st.booleans(), st.sampled_from([None, None, None, *Sticky]), DICE
)
HEARD = st.tuples(st.just("hear"), st.integers(-5, 50), st.booleans())
SAID = st.sampled_from([("send",), ("disable",), ("resume",)])
ANYTHING = st.tuples(st.one_of(SAMPLES, HEARD, SAID), TIMES, TOOK).map(lambda step: [step])


def row_of(answer, count, pause, dice, took):
    """The same answer several times, each that long after the one before."""
    return [(("sample", answer, False, None, dice), pause, took)] * count


def probes_of(answers, wait, took):
    """A probe and its answer, several times, the first after a wait; where it took longer than a minute, it is lost."""
    answered = [[(("send",), 0, 0), (("sample", answer, False, None, 0.5), took, took)] for answer in answers]
    return [(("send",), wait, 0), *(step for pair in answered for step in pair)]


ROWS = st.builds(
    row_of, st.sampled_from((GOOD, BAD, BAD)), st.integers(3, 7), st.sampled_from((0, 1, 7, 61)), DICE, TOOK
)
PROBES = st.builds(
    probes_of,
    st.lists(st.sampled_from((GOOD, GOOD, GOOD, BAD, DULL)), min_size=1, max_size=4),
    st.sampled_from((1, 30, 130, 400)),
    st.sampled_from((0.5, 4, 70)),
)
STORIES = st.lists(st.one_of(ROWS, PROBES, ROWS, PROBES, ANYTHING), max_size=16).map(
    lambda parts: [step for part in parts for step in part]
)
"""Steps, each with the time since the one before, and how long before it a sample's request began."""


def told(story, keep=lambda health: health):
    """Yield each step of a story: its name, what it was given, the health before and after, and the time."""
    now, health = START, NEW
    for (name, *said), pause, took in story:
        now += timedelta(seconds=pause)
        before, given_ = keep(health), None
        match name:
            case "sample":
                answer, slow, sticky, dice = said
                given_ = Sample(
                    account=ACCOUNT,
                    at=now,
                    began_at=now - timedelta(seconds=took),
                    answer=answer,
                    slow=slow,
                    sticky=sticky,
                    dice=dice,
                )
                health = observe(before, given_)
            case "send":
                health = probe(before, now)
            case "hear":
                amount, postpaid = said
                given_ = Balance(amount=Decimal(amount), unit=Unit.CNY, as_of=now, postpaid=postpaid)
                health = hear(before, given_, Decimal(20), now)
            case "disable":
                health = disable(before, now)
            case _:
                health = resume(before, now)
        yield name, given_, before, health, now


@given(STORIES)
def test_any_story_is_bounded_and_kept(story):
    """Whatever happens, the value stays small, and a store keeps it exactly."""
    for *_, health, _ in told(story):
        assert len(health.window) <= 60
        assert len(health.failures) <= 5
        seconds = [one.second for one in health.window]
        assert seconds == sorted(set(seconds))
        assert not seconds or seconds[-1] - seconds[0] < 60
        assert from_plain(json.loads(json.dumps(to_plain(health)))) == health


@given(STORIES)
def test_any_story_has_one_end(story):
    """The same story leads to the same health, whether or not a store kept it between the steps."""
    health = [health for *_, health, _ in told(story)]
    kept = [health for *_, health, _ in told(story, keep=lambda health: from_plain(to_plain(health)))]

    assert kept == health


@given(STORIES)
def test_mode_and_time_agree(story):
    """An account may be used exactly where it is not shut; when it was said to ask again, it may be, or be disabled."""
    for *_, health, now in told(story):
        until = shut_until(health, now)
        assert (until is None) is (mode(health, now) in USABLE)
        if until is not None:
            assert until > now
            assert until == FOREVER or mode(health, until) in USABLE
            assert (until == FOREVER) is (mode(health, now) is Mode.DISABLED)
            assert until == FOREVER or until <= now + timedelta(minutes=10)


@settings(max_examples=300)
@given(STORIES)
def test_closes_only_on_three_successes(story):
    """But for the operator, a breaker closes only with the third healthy answer to requests that began after it
    opened, none having failed since."""
    opened_at, successes = None, 0
    for name, said, before, health, now in told(story):
        if name == "resume":
            assert not is_open(health)
        elif is_open(before):
            counts = name == "sample" and said.began_at > opened_at
            successes += counts and said.answer is GOOD
            if not is_open(health):
                assert counts
                assert said.answer is GOOD
                assert successes >= 3
        if is_open(health) and health.ejected_at != before.ejected_at:
            opened_at, successes = now, 0


@settings(max_examples=300)
@given(STORIES)
def test_one_probe_at_a_time(story):
    """While a probe is under way, no second may go, unless the first is answered, a minute old, or needed no more."""
    sent_at = None
    for name, said, before, health, now in told(story):
        if sent_at is not None and now < sent_at + timedelta(minutes=1):
            assert mode(before, now) is not Mode.HALF_OPEN
        if name == "sample" and sent_at is not None and said.began_at >= sent_at:
            sent_at = None
        if name == "send" and mode(before, now) is Mode.HALF_OPEN:
            sent_at = now
            assert mode(health, now) is Mode.PROBING
        if health.opened_at is None and health.sticky is None:
            sent_at = None


@given(STORIES, st.sampled_from(Answer))
def test_neutral_answer_moves_nothing(story, answer):
    """At any point a neutral answer and a straggler's change nothing but the probe's slot.

    And not the slot either, where the straggler left before the probe did.
    """
    for *_, health, now in told(story):
        neutral = Sample(account=ACCOUNT, at=now, began_at=now, answer=DULL)
        assert attrs.evolve(observe(health, neutral), probe_until=health.probe_until) == health
        if health.changed_at is not None:
            began_at = min(health.changed_at, now - timedelta(minutes=2))
            straggler = Sample(account=ACCOUNT, at=now, began_at=began_at, answer=answer, sticky=Sticky.DRAINED)
            seen = observe(health, straggler)
            assert attrs.evolve(seen, probe_until=health.probe_until) == health
            if health.probe_until is not None and began_at < health.probe_until - LEASE:
                assert seen == health


@given(STORIES)
def test_only_failures_and_slowness_open_it(story):
    """A breaker that was closed opens only on a sample that failed, or of which many were slow or failed before."""
    for name, said, before, health, _ in told(story):
        if is_open(health) and not is_open(before):
            assert name == "sample"
            assert said.answer is not DULL
            failed = sum(one.failed for one in before.window)
            slow = sum(one.slow for one in before.window)
            assert said.answer is BAD or failed >= 10 or slow >= 7
