"""Running a query: raw first, step by step, and nothing of an answer in an error."""

from __future__ import annotations

import traceback

import pytest

from tocsin.errors import AnswerError, PluginError, Reached, TransportError
from tocsin.testing import ScriptedTransport
from tocsin.wire.http import Exchange, HttpRequest, HttpResponse
from tocsin.wire.perform import MAX_STEPS, perform

FIRST, SECOND = HttpRequest(url="http://vendor.invalid/token"), HttpRequest(url="http://vendor.invalid/balance")
CANARY = "canary13900000000"


def answer(body: bytes = b"", fault: str | None = None) -> HttpResponse:
    return HttpResponse(status=200, body=body, fault=fault)


def body_of(response: HttpResponse) -> bytes:
    return response.body


def test_result_of_the_last_step_is_returned():
    """An exchange that decodes into another one goes on with that one's request."""
    transport = ScriptedTransport([answer(b"token"), answer(b"42")])
    exchange = Exchange(FIRST, lambda _: Exchange(SECOND, body_of))

    assert perform(exchange, transport) == b"42"
    assert transport.requests == [FIRST, SECOND]


def test_raw_answer_is_handed_over_before_it_is_decoded():
    """Each answer reaches on_answer first, those that no codec can read and those that are cut included."""
    events: list[object] = []

    def decode(response: HttpResponse) -> bytes:
        events.append("decode")
        raise AnswerError("not a report")

    cut = answer(b"half a ro", fault="cut-in-body")
    with pytest.raises(AnswerError, match="not a report"):
        perform(Exchange(FIRST, decode), ScriptedTransport([cut]), events.append)

    assert events == [cut, "decode"]


def test_answer_that_cannot_be_kept_is_not_decoded():
    """When on_answer fails, its error goes up as it is, and nothing was decoded."""

    def keep(_: HttpResponse) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        perform(Exchange(FIRST, lambda _: pytest.fail("decoded")), ScriptedTransport([answer()]), keep)


def test_transport_error_goes_up():
    """Without an answer there is nothing to hand over or to decode."""
    error = TransportError(reached=Reached.MAYBE, cause="closed")

    with pytest.raises(TransportError) as caught:
        perform(Exchange(FIRST, body_of), ScriptedTransport([error]), lambda _: pytest.fail("no answer came"))

    assert caught.value is error


def test_plugin_fault_shows_its_place_and_no_value():
    """An error of a codec becomes PluginError with type and traceback; the answer that it quotes is nowhere."""

    def decode_badly(response: HttpResponse) -> bytes:
        return bytes(int(response.body))

    with pytest.raises(PluginError, match="ValueError") as caught:
        perform(Exchange(FIRST, decode_badly), ScriptedTransport([answer(CANARY.encode())]))

    shown = "".join(traceback.format_exception(caught.value))
    assert "return bytes(int(response.body))" in shown
    assert CANARY not in shown
    assert caught.value.__context__ is None


def test_endless_exchange_is_stopped():
    """An exchange that always wants more ends after MAX_STEPS requests."""

    def again(_: HttpResponse) -> Exchange[bytes]:
        return Exchange(FIRST, again)

    transport = ScriptedTransport([answer()] * (MAX_STEPS + 1))
    with pytest.raises(PluginError, match="more than 8"):
        perform(Exchange(FIRST, again), transport)

    assert len(transport.requests) == MAX_STEPS
