"""Running a send: what may be said of each recipient, whoever is at fault."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.errors import AnswerError, Reached, TransportError
from tocsin.model.balance import Balance, Unit
from tocsin.model.ids import VendorId
from tocsin.model.outcome import Accepted, NotSent, Reason, Refused, SendResult, Unknown
from tocsin.model.phone import E164
from tocsin.testing import ScriptedTransport, ScriptExhausted
from tocsin.wire.http import Exchange, HttpRequest, HttpResponse
from tocsin.wire.perform import MAX_STEPS, perform_send

A, B, STRANGER = E164("+8613900000000"), E164("+8613900000001"), E164("+8613900000002")
TOKEN = HttpRequest(url="http://vendor.invalid/token")
SUBMIT = HttpRequest(url="http://vendor.invalid/send", submits=True)
ANSWER = HttpResponse(status=200, body=b"2114355899380234221")
CUT = HttpResponse(status=200, body=b"211435", fault="cut-in-body")
NO, MAYBE = Reached.NO, Reached.MAYBE
ACCEPTED = Accepted(VendorId("2114355899380234221"))


def accept(_: HttpResponse) -> SendResult:
    return SendResult.all((A, B), ACCEPTED)


def unreadable(_: HttpResponse) -> SendResult:
    raise AnswerError("neither id nor code")


def broken(_: HttpResponse) -> SendResult:
    raise KeyError("13900000000")


def submitting(decode=accept) -> Exchange[SendResult]:
    return Exchange(SUBMIT, decode)


def with_token(decode=lambda _: submitting()) -> Exchange[SendResult]:
    return Exchange(TOKEN, decode)


def failed(reached: Reached) -> TransportError:
    return TransportError(reached=reached, cause="reset")


def send(exchange, *script: object) -> dict:
    return dict(perform_send(exchange, ScriptedTransport(script), (A, B)).outcomes)


def all_of(outcome: object) -> dict:
    return {A: outcome, B: outcome}


def test_readable_answer_is_believed():
    """The plugin's outcomes for the recipients, and a balance that came along, are the result."""
    balance = Balance(amount=Decimal("-4"), unit=Unit.MESSAGES, as_of=datetime(2026, 1, 1, tzinfo=UTC))
    said = SendResult({A: ACCEPTED, B: Refused(Reason.INVALID_NUMBER, "-16")}, balance)

    assert perform_send(submitting(lambda _: said), ScriptedTransport([ANSWER]), (A, B)) == said


@pytest.mark.parametrize(
    ("exchange", "script", "outcome"),
    [
        (submitting(), [failed(NO)], NotSent("reset")),
        (submitting(), [failed(MAYBE)], Unknown("reset")),
        (submitting(), [CUT], Unknown("cut-in-body")),
        (submitting(), [RuntimeError("foreign")], Unknown("transport-fault")),
        (submitting(unreadable), [ANSWER], Unknown("undecodable: neither id nor code")),
        (submitting(broken), [ANSWER], Unknown("plugin-fault")),
        (submitting(lambda _: None), [ANSWER], Unknown("plugin-fault")),
        (submitting(lambda _: submitting()), [ANSWER, ANSWER], Unknown("second-submit")),
        (submitting(lambda _: Exchange(TOKEN, accept)), [ANSWER, ANSWER], ACCEPTED),
        (submitting(lambda _: Exchange(TOKEN, accept)), [ANSWER, failed(NO)], Unknown("reset")),
        (submitting(lambda _: Exchange(TOKEN, accept)), [ANSWER, CUT], Unknown("cut-in-body")),
        (with_token(), [ANSWER, ANSWER], ACCEPTED),
        (with_token(), [ANSWER, failed(NO)], NotSent("reset")),
        (with_token(), [ANSWER, failed(MAYBE)], Unknown("reset")),
        (with_token(), [failed(MAYBE)], NotSent("reset")),
        (with_token(), [CUT], NotSent("cut-in-body")),
        (with_token(), [RuntimeError("foreign")], NotSent("transport-fault")),
        (with_token(unreadable), [ANSWER], NotSent("undecodable: neither id nor code")),
        (with_token(broken), [ANSWER], NotSent("plugin-fault")),
        (with_token(lambda _: None), [ANSWER], NotSent("plugin-fault")),
        (None, [], NotSent("plugin-fault")),
    ],
)
def test_fault_says_no_more_than_is_known(exchange, script, outcome):
    """A fault is NotSent until the submit may have left, and Unknown from then on, for every recipient."""
    assert send(exchange, *script) == all_of(outcome)


def test_cut_answer_of_a_submit_is_not_decoded():
    """Half an answer never reaches a codec, which might take it for a whole one."""
    assert send(submitting(lambda _: pytest.fail("decoded")), CUT) == all_of(Unknown("cut-in-body"))


def test_second_submit_is_never_performed():
    """A plugin that wants to submit twice in one exchange gets one request out."""
    transport = ScriptedTransport([ANSWER])
    perform_send(submitting(lambda _: submitting()), transport, (A, B))

    assert transport.requests == [SUBMIT]


@pytest.mark.parametrize(("first", "outcome"), [(TOKEN, NotSent), (SUBMIT, Unknown)])
def test_endless_exchange_is_stopped(first, outcome):
    """An exchange that always wants more ends after MAX_STEPS requests, with what is known then."""

    def again(_: HttpResponse) -> Exchange[SendResult]:
        return Exchange(TOKEN, again)

    assert send(Exchange(first, again), *[ANSWER] * MAX_STEPS) == all_of(outcome("too-many-steps"))


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({}, Unknown("no-outcome")),
        ({A: NotSent("connect-refused")}, Unknown("plugin-said-not-sent")),
        ({A: True}, Unknown("not-an-outcome")),
        ([A], Unknown("no-outcome")),
    ],
)
def test_plugin_may_not_say_everything(said, outcome):
    """What is missing, is no outcome or is the core's alone to say is Unknown for that recipient."""
    assert send(submitting(lambda _: SendResult(said)), ANSWER)[A] == outcome


def test_strangers_and_strange_balances_are_dropped():
    """The result speaks of the recipients, and of nobody else; a balance is a Balance."""
    said = SendResult({A: ACCEPTED, STRANGER: ACCEPTED}, balance=42)  # type: ignore[arg-type]

    result = perform_send(submitting(lambda _: said), ScriptedTransport([ANSWER]), (A,))

    assert result == SendResult({A: ACCEPTED})


def test_cause_is_bounded():
    """A codec's long story is cut: a cause is read in a table."""
    outcome = send(submitting(lambda _: (_ for _ in ()).throw(AnswerError("x" * 1000))), ANSWER)[A]

    assert len(outcome.cause) == 100


def test_the_tests_own_fault_is_not_swallowed():
    """A script that is too short fails its test, and is not taken for a fault of the transport."""
    with pytest.raises(ScriptExhausted):
        send(submitting())


OUTCOMES = st.sampled_from([ACCEPTED, Refused(Reason.BALANCE), Unknown("x"), NotSent("x"), None, 7])
ANSWERS = st.sampled_from([ANSWER, CUT, "NO", "MAYBE", "FOREIGN"])
STEPS = st.lists(st.tuples(st.booleans(), ANSWERS), min_size=1, max_size=10)


@given(steps=STEPS, said=st.dictionaries(st.sampled_from([A, B, STRANGER]), OUTCOMES))
def test_not_sent_is_proof(steps, said):
    """In any exchange: NotSent only where no submit may have left, at most one submit, one outcome each, no error."""

    def chain(position: int) -> Exchange[SendResult]:
        last = position + 1 == len(steps)
        request = SUBMIT if steps[position][0] else TOKEN
        return Exchange(request, lambda _: SendResult(said) if last else chain(position + 1))

    errors = {"NO": failed(NO), "MAYBE": failed(MAYBE), "FOREIGN": RuntimeError()}
    transport = ScriptedTransport([errors.get(answer, answer) for _, answer in steps])
    outcomes = perform_send(chain(0), transport, (A, B)).outcomes

    submits = [answer for request, (_, answer) in zip(transport.requests, steps, strict=False) if request.submits]
    assert list(outcomes) == [A, B]
    assert len(submits) <= 1
    if any(isinstance(outcome, NotSent) for outcome in outcomes.values()):
        assert submits in ([], ["NO"])


def test_acceptance_needs_a_submit():
    """A plugin that forgot to mark its submit is not believed: nothing else would keep a timeout from a copy."""
    assert send(Exchange(TOKEN, accept), ANSWER) == all_of(Unknown("accepted-without-submit"))


def test_request_that_does_not_say_submits():
    """A request type of a plugin's own that has no `submits` counts as the submit."""
    assert send(Exchange(object(), accept), failed(MAYBE)) == all_of(Unknown("reset"))
