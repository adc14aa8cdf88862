"""The table of causes, row by row, against sockets that do the very thing."""

from __future__ import annotations

import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any

import attrs
import pytest

from tocsin.errors import Reached, TransportError
from tocsin.testing import FakeClock
from tocsin.wire.http import HttpRequest, HttpResponse
from tocsin.wire.pool import CUT_ANSWER, NO_ANSWER, NOT_SENT, HttpTransport, Timeouts

CANARY = "canary13900000000"
SECRET_URL = f"/api/send?password={CANARY}"
HEAD = b"HTTP/1.1 200 OK\r\nX-Echo: " + CANARY.encode() + b"\r\n"
SHORT_S = 0.3
TOTAL_S = 1.0  # leaves a busy machine the time to get as far as the test means
DEADLINE_S = 10.0


@attrs.define
class Lab:
    """Servers, and calls that carry a canary wherever a secret may stand."""

    serve: Callable[..., Any]
    _open: ExitStack

    def transport(self, *, pool_size: int = 16, still: bool = False, **timeouts: float) -> HttpTransport:
        """Open a transport whose limits are out of the way unless a test names them.

        On a clock that stands still total_s does not run while a request is prepared, yet bounds each wait.
        """
        limits = {
            "connect_s": DEADLINE_S,
            "tls_s": DEADLINE_S,
            "first_byte_s": DEADLINE_S,
            "total_s": 2 * DEADLINE_S,
        } | timeouts
        monotonic = FakeClock().monotonic if still else time.monotonic
        transport = HttpTransport(Timeouts(**limits), pool_size=pool_size, monotonic=monotonic)
        self._open.callback(transport.close)
        return transport

    def call(self, origin: str, request: HttpRequest | None = None, **timeouts: float) -> HttpResponse:
        return self.transport(**timeouts).perform(request or secret_request(origin))


def secret_request(origin: str, **changes: Any) -> HttpRequest:
    request = HttpRequest(
        url=origin + SECRET_URL, headers=(("X-Secret", CANARY),), body=CANARY.encode(), submits=True, max_bytes=1000
    )
    return attrs.evolve(request, **changes)


@pytest.fixture
def lab(serve) -> Iterator[Lab]:
    with ExitStack() as opened:
        yield Lab(serve, opened)


def after_request(act: Callable[[Any], None], *said: bytes) -> Callable[[Any], None]:
    """Make a script: read the request, say something, then act."""

    def script(peer) -> None:
        peer.read_request()
        for data in said:
            peer.send(data)
        act(peer)

    return script


def close(_) -> None:
    """Let the server close the connection: FIN."""


def reset(peer) -> None:
    peer.reset()


def keep_silent(peer) -> None:
    peer.wait_for_hang_up()


def drip_for_ever(peer) -> None:
    peer.drip(b"x" * 10_000)


def invalid_request(lab: Lab) -> HttpResponse:
    return lab.call("", secret_request("http://127.0.0.1:99999"))


def shut_down(lab: Lab) -> HttpResponse:
    transport = lab.transport()
    transport.close()
    return transport.perform(secret_request(lab.serve(close).url))


def pool_timeout(lab: Lab) -> HttpResponse:
    taken, done = threading.Event(), threading.Event()

    def answer_when_done(peer) -> None:
        peer.read_request()
        taken.set()
        done.wait(DEADLINE_S)

    transport = lab.transport(pool_size=1, connect_s=SHORT_S)
    request = secret_request(lab.serve(answer_when_done).url)
    with ThreadPoolExecutor(1) as other:
        holder = other.submit(transport.perform, request)
        try:
            assert taken.wait(DEADLINE_S)
            return transport.perform(request)
        finally:
            done.set()
            assert isinstance(holder.exception(), TransportError)


def dns(lab: Lab) -> HttpResponse:
    return lab.call("http://no-such-host.invalid")


def connect_refused(lab: Lab) -> HttpResponse:
    with closing(socket.socket()) as bound_but_deaf:
        bound_but_deaf.bind(("127.0.0.1", 0))
        return lab.call(f"http://127.0.0.1:{bound_but_deaf.getsockname()[1]}")


def connect_timeout(lab: Lab) -> HttpResponse:
    with ExitStack() as sockets:
        listener = sockets.enter_context(closing(socket.socket()))
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        sockets.enter_context(socket.create_connection(listener.getsockname()))  # fills the backlog
        return lab.call(f"http://127.0.0.1:{listener.getsockname()[1]}", connect_s=SHORT_S)


def unreachable(lab: Lab) -> HttpResponse:
    return lab.call("http://255.255.255.255")  # no TCP to a broadcast address


def tls(lab: Lab) -> HttpResponse:
    server = lab.serve(lambda peer: peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    return lab.call(f"https://127.0.0.1:{server.port}")


def tls_timeout(lab: Lab) -> HttpResponse:
    return lab.call(f"https://127.0.0.1:{lab.serve(keep_silent).port}", tls_s=SHORT_S)


def too_late(lab: Lab) -> HttpResponse:
    return lab.call(lab.serve(keep_silent).url, total_s=1e-9)


def send_timeout(lab: Lab) -> HttpResponse:
    request = secret_request(lab.serve(lambda peer: peer.stay()).url, body=bytes(32 * 1024 * 1024))
    return lab.transport(still=True, total_s=SHORT_S).perform(request)


def scripted(script: Callable[[Any], None], **timeouts: float) -> Callable[[Lab], HttpResponse]:
    """Make a scenario of a server's script and the limits of the call."""
    return lambda lab: lab.call(lab.serve(script).url, **timeouts)


SCENARIOS: dict[str, Callable[[Lab], HttpResponse]] = {
    "invalid-request": invalid_request,
    "shut-down": shut_down,
    "pool-timeout": pool_timeout,
    "dns": dns,
    "connect-refused": connect_refused,
    "connect-timeout": connect_timeout,
    "unreachable": unreachable,
    "tls": tls,
    "tls-timeout": tls_timeout,
    "too-late": too_late,
    "send-timeout": send_timeout,
    "closed": scripted(after_request(close)),
    "reset": scripted(after_request(reset)),
    "first-byte-timeout": scripted(after_request(keep_silent), first_byte_s=SHORT_S),
    "bad-answer": scripted(after_request(close, f"SSH-2.0-{CANARY}\r\n".encode())),
    "cut-in-headers": scripted(after_request(close, HEAD)),
    "reset-in-headers": scripted(after_request(reset, HEAD)),
    "total-timeout": scripted(after_request(drip_for_ever, HEAD, b"X-Drip: "), total_s=TOTAL_S),
    "cut-in-body": scripted(after_request(close, HEAD, b"Content-Length: 99\r\n\r\npart")),
    "reset-in-body": scripted(after_request(reset, HEAD, b"Content-Length: 99\r\n\r\npart")),
    "timeout-in-body": scripted(after_request(drip_for_ever, HEAD, b"\r\npart"), total_s=TOTAL_S),
    "bad-chunking": scripted(
        after_request(keep_silent, HEAD, b"Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\nzz\r\n")
    ),
    "bad-encoding": scripted(after_request(close, HEAD, b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\npart")),
    "oversized": scripted(after_request(keep_silent, HEAD, b"Content-Length: 1001\r\n\r\npart" + bytes(997))),
}


def test_every_row_has_its_scenario():
    """The module's table and the scenarios have the same rows, and no cause stands twice."""
    rows = [*NOT_SENT, *NO_ANSWER, *CUT_ANSWER]

    assert sorted(rows) == sorted(SCENARIOS)


def what_became_of(transport: HttpTransport, request: HttpRequest) -> str | None:
    """Return the cause of a failure, the fault of an answer, or None for a whole one."""
    try:
        return transport.perform(request).fault
    except TransportError as error:
        return error.cause


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error and everything that hangs on it, shown or not."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("cause", [*NOT_SENT, *NO_ANSWER])
def test_failure_says_what_was_observed(lab, cause, caplog):
    """Each failure has its row's cause, is NO only before the first byte, and shows nobody a secret."""
    caplog.set_level("DEBUG")
    with pytest.raises(TransportError) as caught:
        SCENARIOS[cause](lab)

    error = caught.value
    assert (error.cause, error.reached) == (cause, Reached.NO if cause in NOT_SENT else Reached.MAYBE)
    assert CANARY not in "".join(traceback.format_exception(error)) + "".join(map(repr, chain(error)))
    assert CANARY not in caplog.text


@pytest.mark.parametrize("cause", CUT_ANSWER)
def test_cut_answer_keeps_what_came(lab, cause, caplog):
    """Each fault in the body is told of an answer that keeps status, headers and the bytes that came."""
    caplog.set_level("DEBUG")
    response = SCENARIOS[cause](lab)

    assert (response.status, response.fault) == (200, cause)
    assert response.header("x-echo") == CANARY
    assert response.body.startswith(b"part")
    assert CANARY not in repr(response) + caplog.text


@pytest.mark.parametrize(
    "changes",
    [
        {"url": f"ftp://127.0.0.1/?{CANARY}"},
        {"url": f"//127.0.0.1/?{CANARY}"},
        {"url": f"http:///?{CANARY}"},
        {"url": f"http://user:{CANARY}@127.0.0.1/"},
        {"url": f"http://[::1/?{CANARY}"},
        {"url": f"http://{'a' * 64}.invalid/?{CANARY}"},
        {"headers": (("X-Secret", f"{CANARY}\r\nX-Other: 1"),)},
        {"headers": (("X-Secret", f"{CANARY}\n folded"),)},
        {"headers": ((f"X-Secret: {CANARY}\r\nX-Other", "1"),)},
        {"headers": (("X-Secret", f"{CANARY} 告警"),)},
        {"headers": (("Content-Length", "1"),)},
        {"headers": (("Host", "elsewhere.invalid"),)},
        {"method": f"GET /?{CANARY} HTTP/1.1\r\n\r\n"},
    ],
)
def test_invalid_request_never_leaves(lab, changes):
    """What cannot be put into HTTP is refused as not sent, and the refusal does not quote it."""
    server = lab.serve(keep_silent)

    with pytest.raises(TransportError) as caught:
        lab.transport().perform(secret_request(server.url, **changes))

    error = caught.value
    assert (error.cause, error.reached) == ("invalid-request", Reached.NO)
    assert CANARY not in "".join(traceback.format_exception(error)) + "".join(map(repr, chain(error)))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
    ],
    ids=["length", "interim", "chunked", "no-content", "until-close"],
)
@pytest.mark.parametrize("end", [close, reset], ids=["FIN", "RST"])
def test_no_prefix_passes_for_the_whole(lab, answer, end):
    """However an answer is cut, at every byte, it is a failure after the first byte or a fault, and never whole."""
    cuts = iter(range(len(answer)))

    def script(peer) -> None:
        peer.read_request()
        peer.send(answer[: next(cuts)])
        end(peer)

    transport, request = lab.transport(), secret_request(lab.serve(script).url)

    assert {what_became_of(transport, request) for _ in answer} <= {*NO_ANSWER, *CUT_ANSWER}


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nno header at all\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 101 + b"\r\n",
        b"X" * 70_000,
        b"<html>" + CANARY.encode() + b"</html>\r\n\r\n",
    ],
)
def test_what_is_not_http_is_no_answer(lab, head, caplog):
    """A head that cannot be read for certain is `bad-answer`, after the first byte, and nothing of it is logged."""
    caplog.set_level("DEBUG")

    with pytest.raises(TransportError) as caught:
        lab.call(lab.serve(after_request(keep_silent, head)).url)

    assert (caught.value.cause, caught.value.reached) == ("bad-answer", Reached.MAYBE)
    assert CANARY not in caplog.text + "".join(map(repr, chain(caught.value)))


def test_first_write_that_is_not_taken_whole_is_a_doubt(lab):
    """The note is made before the first byte is handed over, not after: a part of the headers may have left."""
    endless = (("X-Secret", "x" * 32 * 1024 * 1024),)
    request = secret_request(lab.serve(lambda peer: peer.stay()).url, headers=endless)

    with pytest.raises(TransportError) as caught:
        lab.transport(still=True, total_s=SHORT_S).perform(request)

    assert (caught.value.cause, caught.value.reached) == ("send-timeout", Reached.MAYBE)


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (b"", "first-byte-timeout"),
        (HEAD, "total-timeout"),
        (HEAD + b"Content-Length: 99\r\n\r\npart", "timeout-in-body"),
    ],
)
def test_silence_ends_with_the_call(lab, said, cause):
    """However generous the other limits are, a silent peer keeps nobody longer than total_s."""
    transport = lab.transport(total_s=TOTAL_S, first_byte_s=DEADLINE_S)
    request = secret_request(lab.serve(after_request(keep_silent, said)).url)
    began = time.monotonic()

    assert what_became_of(transport, request) == cause
    assert time.monotonic() - began < DEADLINE_S / 2


def test_places_are_given_back(lab):
    """Whatever becomes of a call, its place in the pool is free for the next one."""
    scripts = iter(
        [
            after_request(keep_silent, HEAD, b"Content-Length: 9999\r\n\r\n" + bytes(2000)),
            after_request(close, HEAD, b"Content-Length: 99\r\n\r\npart"),
            after_request(close, HEAD),
            after_request(reset),
            after_request(keep_silent, HEAD, b"Content-Length: 2\r\n\r\nok"),
        ]
    )

    def script(peer) -> None:
        next(scripts)(peer)

    transport, request = lab.transport(pool_size=1, connect_s=2.0), secret_request(lab.serve(script).url)
    seen = [what_became_of(transport, request) for _ in range(5)]

    assert seen == ["oversized", "cut-in-body", "cut-in-headers", "reset", None]
