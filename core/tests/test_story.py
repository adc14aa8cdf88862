"""A delivery's story in sentences, and why it stands where it stands."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import attrs
import pytest

from tocsin.model.ids import AccountId, AttemptId, DeliveryId, MessageId, SubmitId, VendorId
from tocsin.model.message import Message, MessageClass
from tocsin.model.outcome import Accepted, NotSent, Reason, Refused, Unknown
from tocsin.model.phone import parse_number
from tocsin.model.report import ReportState
from tocsin.outbox.record import Attempt, Chapter, Delivery, Transition
from tocsin.outbox.state import AttemptState, Event, State
from tocsin.story import Story, outcome_in_words, reached_nobody, tell, why

START = datetime(2026, 1, 1, tzinfo=UTC)
NUMBER = parse_number("13900000000")
LOST = Unknown("read-timeout")
UNREACHED = NotSent("connect-refused")
REFUSED = Refused(Reason.KEYWORD, "-6", "the word is secret")


def later(seconds):
    return START + timedelta(seconds=seconds)


def attempt(number, account, outcome=None, report=None):
    name = f"m.1.{number}"
    begun = Attempt(
        id=AttemptId(name),
        delivery=DeliveryId("m.1"),
        number=number,
        submit=SubmitId(name),
        group_size=1,
        account=AccountId(account),
        state=AttemptState.INTENT,
        intended_at=later(10 * number),
    )
    settled = begun if outcome is None else begun.settled(outcome, later(10 * number + 1))
    return attrs.evolve(settled, report=report, report_code="WORD" if report else "")


def story(state, *attempts, chapters=(), transitions=(), send_at=None):
    message = Message(
        id=MessageId("m"),
        to=(NUMBER,),
        text="the code is 424242",
        cls=MessageClass.ALERT,
        accepted_at=START,
        source="cli",
        send_at=send_at,
    )
    delivery = Delivery(
        id=DeliveryId("m.1"),
        message=message.id,
        to=NUMBER,
        state=state,
        route="all",
        due_at=START,
        expires_at=later(3600),
        updated_at=START,
    )
    return Story(
        message=message, delivery=delivery, attempts=attempts, chapters=tuple(chapters), transitions=tuple(transitions)
    )


def decided(seconds, **explanation):
    return Chapter(at=later(seconds), explanation={"why": "so it is", **explanation})


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Accepted(VendorId("77")), "accepted as 77"),
        (Accepted(None), "accepted, without an id"),
        (Accepted(VendorId("77"), partial=True), "accepted as 77; it counted fewer recipients than were sent"),
        (REFUSED, "refused, keyword (-6)"),
        (Refused(Reason.BLOCKED), "refused, blocked"),
        (UNREACHED, "not sent, connect-refused"),
        (LOST, "outcome unknown, read-timeout"),
        (None, "on its way"),
    ],
)
def test_an_outcome_in_words(outcome, words):
    """Each outcome of an attempt is told in a few words, with the vendor's code and without its text."""
    assert outcome_in_words(attempt(1, "one", outcome)) == words


def test_a_doubt_that_evidence_ended_tells_both():
    """What was unknown first and accepted later is told as both."""
    proved = attrs.evolve(attempt(1, "one", LOST), state=AttemptState.ACCEPTED, vendor_id=VendorId("77"))

    assert outcome_in_words(proved) == "outcome unknown, read-timeout; by later evidence accepted as 77"


CLOSED = [
    {"account": "one", "verdict": "closed", "detail": "its breaker is open"},
    {"account": "two", "verdict": "closed", "detail": "an operator has taken it out of use"},
    {"account": "three", "verdict": "closed", "detail": "an operator has taken it out of use"},
]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (story(State.IN_DOUBT, attempt(1, "one", LOST)), "nobody knows whether one took it (read-timeout)"),
        (
            story(State.FAILED, attempt(1, "one", UNREACHED), attempt(2, "two", REFUSED)),
            "one: not sent, connect-refused, then two: refused, keyword (-6)",
        ),
        (story(State.PARKED, attempt(1, "one", LOST), chapters=[decided(1, decision="park")]), "so it is"),
        (story(State.EXPIRED, chapters=[decided(1, decision="expire")]), "so it is"),
        (
            story(
                State.FAILED,
                chapters=[
                    decided(
                        1,
                        decision="give_up",
                        candidates=[
                            {"account": "one", "verdict": "cannot_carry", "detail": "no signature"},
                            {"account": "two", "verdict": "already_tried"},
                        ],
                    )
                ],
            ),
            "so it is (one: no signature)",
        ),
        (
            story(
                State.FAILED,
                attempt(1, "one", UNREACHED),
                chapters=[decided(1, decision="give_up", candidates=CLOSED)],
            ),
            "one: not sent, connect-refused; two and three: an operator has taken it out of use",
        ),
        (
            story(State.QUEUED, chapters=[decided(1, decision="later", candidates=CLOSED)]),
            "so it is (one: its breaker is open; two and three: an operator has taken it out of use)",
        ),
        (story(State.QUEUED, chapters=[decided(1, decision="submit", candidates=CLOSED)]), ""),
        (story(State.SUBMITTED, attempt(1, "one", Accepted(None)), chapters=[decided(1, decision="submit")]), ""),
        (story(State.QUEUED), ""),
        (story(State.FAILED), ""),
    ],
    ids=[
        *("in doubt", "failed", "parked", "expired", "nobody could", "others closed", "put off", "to be submitted"),
        *("submitted", "queued", "nothing known"),
    ],
)
def test_why_it_stands_there(told, reason):
    """One sentence says why a delivery is in doubt, failed, parked, expired or put off; elsewhere nothing needs it."""
    assert why(told) == reason


@pytest.mark.parametrize(
    ("state", "outcomes", "nobody"),
    [
        (State.FAILED, [UNREACHED, UNREACHED], True),
        (State.FAILED, [UNREACHED, REFUSED], False),
        (State.FAILED, [], False),
        (State.EXPIRED, [UNREACHED, UNREACHED], True),
        (State.EXPIRED, [UNREACHED, REFUSED], False),
        (State.EXPIRED, [], False),
        (State.QUEUED, [UNREACHED], False),
        (State.PARKED, [LOST, UNREACHED], False),
    ],
)
def test_nobody_was_reached(state, outcomes, nobody):
    """That nobody was reached is said where it failed or expired, and every attempt proved that nothing left."""
    attempts = tuple(attempt(number, "one", outcome) for number, outcome in enumerate(outcomes, start=1))

    assert reached_nobody(story(state).delivery, attempts) == nobody


FULL = story(
    State.DELIVERED,
    attempt(1, "one", UNREACHED),
    attempt(2, "two", Accepted(VendorId("77")), report=ReportState.DELIVERED),
    send_at=later(5),
    chapters=[
        decided(10, decision="submit", account="one", candidates=[{"account": "one", "verdict": "chosen"}]),
        decided(
            20,
            decision="submit",
            account="two",
            candidates=[
                {"account": "one", "verdict": "already_tried"},
                {"account": "two", "verdict": "chosen"},
                {"account": "three", "verdict": "cannot_carry", "detail": "no signature"},
            ],
        ),
    ],
    transitions=[
        Transition(at=later(0), delivery="m.1", event=Event.CLAIM, before=State.QUEUED, after=State.CLAIMED),
        Transition(
            at=later(30), delivery="m.1", event=Event.REPORTED_DELIVERED, before=State.SUBMITTED, after=State.DELIVERED
        ),
    ],
)


def test_the_whole_story_in_order():
    """Acceptance, decisions with what was thought of the others, outcomes, reports and the end, in order of time."""
    assert tell(FULL) == (
        (later(0), "accepted as alert from cli, on route all"),
        (later(0), "to be sent at 2026-01-01T00:00:05+00:00"),
        (later(10), "decided to submit through one: so it is"),
        (later(11), "attempt 1, one: not sent, connect-refused"),
        (
            later(20),
            "decided to submit through two: so it is [one: already tried; three: cannot carry it, no signature]",
        ),
        (later(21), "attempt 2, two: accepted as 77"),
        (later(21), "report for attempt 2: delivered (WORD)"),
        (later(30), "now delivered"),
    )


def test_an_outcome_is_told_before_the_decision_that_it_led_to():
    """At one and the same time an outcome comes before the next decision, that before a report, and the end last."""
    told = story(
        State.IN_DOUBT,
        attrs.evolve(attempt(1, "one", UNREACHED), settled_at=later(9)),
        attrs.evolve(attempt(2, "two", LOST, report=ReportState.ENROUTE), settled_at=later(9)),
        chapters=[decided(9, decision="give_up")],
        transitions=[
            Transition(at=later(9), delivery="m.1", event=Event.LOST, before=State.SENDING, after=State.IN_DOUBT)
        ],
    )

    assert [sentence for _, sentence in tell(told)] == [
        "accepted as alert from cli, on route all",
        "attempt 1, one: not sent, connect-refused",
        "attempt 2, two: outcome unknown, read-timeout",
        "decided to give up: so it is",
        "report for attempt 2: on its way (WORD)",
        "now in doubt",
    ]


@pytest.mark.parametrize(
    ("explanation", "sentence"),
    [
        ({"decision": "submit", "account": "one", "copy": 1, "max_copies": 2}, "submit through one: so it is"),
        (
            {"decision": "submit", "account": "one", "copy": 2, "max_copies": 3},
            "submit through one, as copy 2 of 3: so it is",
        ),
        (
            {"decision": "submit", "account": "one", "candidates": CLOSED[:1]},
            "submit through one: so it is, although its breaker is open",
        ),
        (
            {"decision": "submit", "account": "four", "candidates": CLOSED},
            "submit through four: so it is"
            " [one: its breaker is open; two and three: an operator has taken it out of use]",
        ),
        (
            {"decision": "later", "until": "2026-01-01T03:12:10+00:00"},
            "ask again at 03:12:10 UTC: so it is",
        ),
        (
            {"decision": "later", "candidates": [{"account": "one", "verdict": "rests"}]},
            "ask again later: so it is [one: had its turn]",
        ),
        ({"decision": "await_report", "until": "2026-01-01T03:12:10+00:00"}, "wait for the report: so it is"),
        ({"decision": "undelivered"}, "leave it at that: so it is"),
        ({"decision": "close_window"}, "close window: so it is"),
    ],
    ids=lambda value: value["decision"] if isinstance(value, dict) else "",
)
def test_a_decision_is_told_as_a_person_would(explanation, sentence):
    """Which copy it is, until when it is put off, what was passed over, and what closed the others."""
    told = story(State.QUEUED, chapters=[decided(1, **explanation)])

    assert tell(told)[-1][1] == f"decided to {sentence}"


@pytest.mark.parametrize(
    ("outcome", "segments", "cost", "bill"),
    [
        (Accepted(VendorId("77")), 2, "0.10", "; 2 segments, 0.10"),
        (Accepted(VendorId("77")), 1, "0.045", "; 1 segment, 0.045"),
        (Accepted(VendorId("77")), 3, "0", "; 3 segments"),
        (Accepted(VendorId("77")), 1, "0", ""),
        (LOST, 1, "2", "; 1 segment, 2"),
        (REFUSED, 2, "0.10", ""),
        (UNREACHED, 2, "0.10", ""),
    ],
)
def test_an_attempt_tells_what_it_costs(outcome, segments, cost, bill):
    """What was taken, or may have been, is told with what its vendor bills; what was not costs nothing."""
    billed = attrs.evolve(attempt(1, "one", outcome), segments=segments, cost=Decimal(cost))

    assert tell(story(State.SUBMITTED, billed))[-1][1] == f"attempt 1, one: {outcome_in_words(billed)}{bill}"


def test_a_message_for_one_account_says_so():
    """A drill, or a broadcast's copy, is bound to an account from its beginning."""
    told = story(State.QUEUED)
    bound = attrs.evolve(told, delivery=attrs.evolve(told.delivery, only=AccountId("one")))

    assert tell(bound)[0][1] == "accepted as alert from cli, on route all, for one alone"


@pytest.mark.parametrize("reported", ReportState, ids=lambda state: state.name)
def test_every_report_has_a_word(reported):
    """Each state that a report can have is told."""
    told = story(State.SUBMITTED, attempt(1, "one", Accepted(None), report=reported))

    assert tell(told)[-1][1].startswith("report for attempt 1: ")


def test_a_story_is_nobodys_secret():
    """Neither text nor number nor the vendor's words stand in a story's sentences."""
    told = attrs.evolve(FULL, attempts=(*FULL.attempts, attempt(3, "one", REFUSED)))
    sentences = " ".join(sentence for _, sentence in tell(told)) + why(told)

    assert not [word for word in ("424242", "13900000000", "secret") if word in sentences]
