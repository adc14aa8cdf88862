"""A transport that is not HTTP: requests and answers of its own over a real socket, through the same two functions."""

from __future__ import annotations

import socket

import attrs
import pytest

from tocsin.errors import Reached, TransportError
from tocsin.model.ids import VendorId
from tocsin.model.outcome import Accepted, NotSent, SendResult, Unknown
from tocsin.model.phone import E164
from tocsin.wire.http import Exchange
from tocsin.wire.perform import perform, perform_send

TO = (E164("+8613900000000"),)


@attrs.frozen
class Line:
    """One command of the protocol."""

    text: str
    submits: bool = False


class LineTransport:
    """Speaks a protocol of lines: one command, one answer, one connection for each."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address

    def perform(self, request: Line, /) -> str:
        try:
            sock = socket.create_connection(self._address, 5)
        except OSError as error:
            raise TransportError(reached=Reached.NO, cause="connect") from error
        with sock, sock.makefile("rw", encoding="ascii", newline="\n") as lines:
            lines.write(f"{request.text}\n")
            lines.flush()
            answer = lines.readline()
        if not answer.endswith("\n"):
            raise TransportError(reached=Reached.MAYBE, cause="closed")
        return answer.strip()

    def close(self) -> None:
        """Nothing stays open."""


@pytest.fixture
def open_line(serve):
    """Start a server with a table of answers; commands that are not in it are left unanswered."""

    def start(answers: dict[str, str]) -> tuple[LineTransport, list[str]]:
        seen: list[str] = []

        def script(peer) -> None:
            with peer.sock.makefile("r", encoding="ascii") as lines:
                seen.append(lines.readline().strip())
            if seen[-1] in answers:
                peer.send(answers[seen[-1]].encode() + b"\n")

        return LineTransport(("127.0.0.1", serve(script).port)), seen

    return start


def submit(token: str) -> Exchange[SendResult]:
    return Exchange(Line(f"SEND {token}", submits=True), lambda answer: accepted(answer.removeprefix("ID ")))


def accepted(vendor_id: str) -> SendResult:
    return SendResult.all(TO, Accepted(VendorId(vendor_id)))


LOGIN = Exchange(Line("HELLO"), lambda salt: Exchange(Line(f"TOKEN {salt}"), submit))


def test_three_steps_to_a_submit(open_line):
    """A greeting, a token and then the submit: three requests, one outcome."""
    transport, seen = open_line({"HELLO": "salt", "TOKEN salt": "pepper", "SEND pepper": "ID 7"})

    assert perform_send(LOGIN, transport, TO) == accepted("7")
    assert seen == ["HELLO", "TOKEN salt", "SEND pepper"]


def test_silence_before_the_submit_is_not_sent(open_line):
    """A token that never comes proves that nothing was submitted."""
    transport, seen = open_line({"HELLO": "salt"})

    assert perform_send(LOGIN, transport, TO) == SendResult.all(TO, NotSent("closed"))
    assert seen == ["HELLO", "TOKEN salt"]


def test_silence_after_the_submit_is_unknown(open_line):
    """A submit that is not answered may have been taken."""
    transport, seen = open_line({"HELLO": "salt", "TOKEN salt": "pepper"})

    assert perform_send(LOGIN, transport, TO) == SendResult.all(TO, Unknown("closed"))
    assert seen[-1] == "SEND pepper"


def test_query_speaks_the_same_protocol(open_line):
    """`perform` hands over whatever the transport returns, raw first."""
    transport, _ = open_line({"BALANCE": "12"})
    raw: list[str] = []

    assert perform(Exchange(Line("BALANCE"), int), transport, raw.append) == 12
    assert raw == ["12"]
