"""What the HTTP transport does when nothing goes wrong, and how it keeps and drops connections."""

from __future__ import annotations

import gzip
import itertools
import threading
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tocsin.testing import FakeClock
from tocsin.wire.http import HttpRequest
from tocsin.wire.pool import Timeouts

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def answering(*answers: bytes):
    """Make a script: give these answers in turn, then the last one again, on a connection that is kept alive."""
    rest = list(answers)

    def script(peer) -> None:
        while peer.read_request():
            peer.send(rest.pop(0) if len(rest) > 1 else rest[0])

    return script


def with_encoding(encoding: str, content: bytes) -> bytes:
    return (
        f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content
    )


def test_request_goes_out_as_it_was_made(serve, open_transport):
    """Method, target with its query, headers and body reach the server unchanged; identity is asked for."""
    seen: list[bytes] = []

    def script(peer) -> None:
        seen.append(peer.read_request())
        peer.send(OK)

    server = serve(script)
    request = HttpRequest(
        url=f"{server.url}/api/msgsend.asmx/SendMsg?text=%C4%E3+%E5%A5%BD&empty=",
        headers=(("SOAPAction", '"http://tempuri.org/SendMsg"'), ("Content-Type", "text/xml; charset=utf-8")),
        body=b"\x00<a/>\xff",
    )
    open_transport().perform(request)

    head, _, body = seen[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /api/msgsend.asmx/SendMsg?text=%C4%E3+%E5%A5%BD&empty= HTTP/1.1"
    assert sorted(lines[1:]) == sorted(
        [
            b"Host: 127.0.0.1:%d" % server.port,
            b"Accept-Encoding: identity",
            b"User-Agent: tocsin",
            b"Content-Length: 6",
            b'SOAPAction: "http://tempuri.org/SendMsg"',
            b"Content-Type: text/xml; charset=utf-8",
        ]
    )
    assert body == b"\x00<a/>\xff"


def test_header_names_come_in_lower_case(serve, open_transport):
    """Names are lower-cased, values and repetitions are kept."""
    server = serve(answering(b"HTTP/1.1 200 OK\r\nX-A: One\r\nX-a: Two\r\nContent-Length: 0\r\n\r\n"))

    response = open_transport().perform(HttpRequest(url=server.url))

    assert response.headers == (("x-a", "One"), ("x-a", "Two"), ("content-length", "0"))


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (OK, 200, b"ok"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK, 200, b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere.invalid/\r\nContent-Length: 0\r\n\r\n", 302, b""),
        (b"HTTP/1.1 503 Unavailable\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\nno", 503, b"no"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", 200, b"ok"),
    ],
    ids=["length", "interim", "no-content", "redirect", "unavailable", "chunked"],
)
def test_whole_answer_is_returned_as_it_came(serve, open_transport, answer, status, body):
    """Every whole answer is an answer: nothing is followed, retried or raised, and the connection stays in use."""
    server = serve(answering(answer))
    transport = open_transport()

    responses = [transport.perform(HttpRequest(url=server.url)) for _ in range(2)]

    assert [(each.status, each.body, each.fault) for each in responses] == [(status, body, None)] * 2
    assert server.connections == 1


def test_answer_until_close_is_whole(serve, open_transport):
    """An answer without a length ends where the connection ends; the next call makes a new one."""

    def script(peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.0 200 OK\r\n\r\nok")

    server, transport = serve(script), open_transport()

    responses = [transport.perform(HttpRequest(url=server.url)) for _ in range(2)]

    assert [(each.body, each.fault) for each in responses] == [(b"ok", None)] * 2
    assert server.connections == 2


@pytest.mark.parametrize(("idle_s", "connections"), [(1.9, 1), (2.1, 2)], ids=["fresh", "stale"])
def test_connection_is_reused_only_while_fresh(serve, open_transport, idle_s, connections):
    """A kept-alive connection serves again within fresh_s, and never later."""
    clock = FakeClock()
    server, transport = serve(answering(OK)), open_transport(fresh_s=2.0, monotonic=clock.monotonic)

    transport.perform(HttpRequest(url=server.url))
    clock.advance(idle_s)
    transport.perform(HttpRequest(url=server.url))

    assert server.connections == connections


def test_connection_that_the_server_dropped_is_replaced(serve, open_transport):
    """A kept-alive connection that the server has closed meanwhile breeds no doubt: a new one is made."""
    closed = threading.Event()

    def script(peer) -> None:
        peer.read_request()
        peer.send(OK)
        peer.sock.close()
        closed.set()

    server, transport = serve(script), open_transport()

    transport.perform(HttpRequest(url=server.url))
    assert closed.wait(10)
    assert transport.perform(HttpRequest(url=server.url)).body == b"ok"
    assert server.connections == 2


def test_close_closes_idle_connections(serve, open_transport):
    """Closing the transport, twice even, lets the server see the end of its kept-alive connection."""
    ended = threading.Event()

    def script(peer) -> None:
        answering(OK)(peer)
        ended.set()

    transport = open_transport()
    transport.perform(HttpRequest(url=serve(script).url))
    transport.close()
    transport.close()

    assert ended.wait(10)


def test_threads_share_the_pool(serve, open_transport):
    """Calls from many threads get each its own answer, over no more connections than the pool has places."""

    def echo(peer) -> None:
        while request := peer.read_request():
            body = request.partition(b"\r\n\r\n")[2]
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    server, transport = serve(echo), open_transport(pool_size=4)
    bodies = [b"message %d" % number for number in range(200)]
    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda body: transport.perform(HttpRequest(url=server.url, body=body)), bodies))

    assert [each.body for each in answers] == bodies
    assert server.connections <= 4


def test_proxy_of_the_environment_is_ignored(serve, open_transport, monkeypatch):
    """Requests go to the host of the URL whatever the environment says."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    assert open_transport().perform(HttpRequest(url=serve(answering(OK)).url)).body == b"ok"


def raw_deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("X-GZIP", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("identity", bytes),
    ],
)
def test_unasked_encoding_is_undone(serve, open_transport, encoding, pack):
    """An answer that is compressed all the same is decoded; an empty one stays empty."""
    content = bytes(range(256)) * 64
    server = serve(answering(with_encoding(encoding, pack(content)), with_encoding(encoding, b"")))
    transport = open_transport()

    first, second = (transport.perform(HttpRequest(url=server.url)) for _ in range(2))

    assert (first.body, first.fault) == (content, None)
    assert (second.body, second.fault) == (b"", None)


@pytest.mark.parametrize(
    ("encoding", "packed", "kept"),
    [
        ("gzip", gzip.compress(bytes(range(256)) * 64, 0)[:8000], (bytes(range(256)) * 64)[:7000]),
        ("gzip", gzip.compress(b"whole")[:-1], b"whole"),
        ("gzip", gzip.compress(b"one") + gzip.compress(b"two"), b"one"),
        ("gzip", b"not packed", b"not packed"),
        ("deflate", b"not packed", b"not packed"),
        ("br", b"not known", b"not known"),
    ],
    ids=["cut", "cut-checksum", "two-members", "not-gzip", "not-deflate", "unknown"],
)
def test_broken_encoding_is_a_fault(serve, open_transport, encoding, packed, kept):
    """What cannot be decoded to its end is told, and what there is of it is kept."""
    server = serve(answering(with_encoding(encoding, packed)))

    response = open_transport().perform(HttpRequest(url=server.url))

    assert response.fault == "bad-encoding"
    assert response.body.startswith(kept)


def test_bomb_costs_no_more_than_the_limit(serve, open_transport):
    """A compressed answer a thousand times max_bytes ends at max_bytes, in its body and in memory."""
    bomb = with_encoding("gzip", gzip.compress(bytes(64 * 1024 * 1024)))
    server, transport = serve(answering(bomb)), open_transport()
    tracemalloc.start()
    try:
        response = transport.perform(HttpRequest(url=server.url, max_bytes=64 * 1024))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (response.fault, len(response.body)) == ("oversized", 64 * 1024)
    assert peak < 1024 * 1024


@pytest.mark.parametrize(("length", "fault"), [(1000, None), (1001, "oversized")])
def test_limit_is_exact(serve, open_transport, length, fault):
    """max_bytes bytes are whole, one more is too many."""
    server = serve(answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length + bytes(length)))

    response = open_transport().perform(HttpRequest(url=server.url, max_bytes=1000))

    assert (response.fault, response.body) == (fault, bytes(1000))


# One server serves every example: each sets the answer before it asks.
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=3000), cuts=st.lists(st.integers(0, 3000), max_size=8), packed=st.booleans())
def test_framing_does_not_show(serve_forever, body, cuts, packed):
    """However a body is cut into chunks, packed or plain, the same bytes arrive."""
    answer, server, transport = serve_forever
    content = gzip.compress(body) if packed else body
    marks = sorted({0, *(min(cut, len(content)) for cut in cuts), len(content)})
    chunks = [content[start:end] for start, end in itertools.pairwise(marks)]
    framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    encoding = b"Content-Encoding: gzip\r\n" if packed else b""
    answer[:] = [b"HTTP/1.1 200 OK\r\n%bTransfer-Encoding: chunked\r\n\r\n%b0\r\n\r\n" % (encoding, framed)]

    response = transport.perform(HttpRequest(url=server.url))

    assert (response.body, response.fault) == (body, None)


@pytest.fixture
def serve_forever(serve, open_transport):
    """A server whose next answer can be set, and a transport to ask it."""
    answer: list[bytes] = [b""]

    def script(peer) -> None:
        while peer.read_request():
            peer.send(answer[0])

    return answer, serve(script), open_transport()


def test_answer_before_the_body_is_read_is_an_answer(serve, open_transport):
    """A server may refuse a body that it has not read: the write fails, and the answer counts all the same."""

    def script(peer) -> None:
        peer.sock.recv(1)
        peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")

    response = open_transport().perform(HttpRequest(url=serve(script).url, body=bytes(32 * 1024 * 1024)))

    assert (response.status, response.body, response.fault) == (413, b"no", None)


@pytest.mark.parametrize("name", ["connect_s", "tls_s", "first_byte_s", "total_s"])
def test_limits_are_positive(name):
    """There is no call without a limit."""
    with pytest.raises(ValueError, match=name):
        Timeouts(**{name: 0})
