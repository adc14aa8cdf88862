"""The HTTP transport through TLS: what is trusted, and which failures prove that nothing was sent."""

from __future__ import annotations

import ssl

import pytest

from tocsin.errors import Reached, TransportError
from tocsin.testing import FakeClock
from tocsin.wire.http import HttpRequest
from tocsin.wire.pool import HttpTransport, Timeouts


def answer_ok(peer) -> None:
    """Answer every request on a connection that is kept alive."""
    while peer.read_request():
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def test_tls_server_is_verified(serve, open_transport, server_context, client_context):
    """A certificate that the context trusts is accepted, and TLS carries the call."""
    server = serve(answer_ok, server_context)

    assert open_transport(ssl_context=client_context).perform(HttpRequest(url=server.url)).body == b"ok"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"], ids=["untrusted", "other-name"])
def test_certificate_that_proves_nothing_stops_the_call(serve, open_transport, server_context, client_context, host):
    """An untrusted certificate, or a trusted one of another name, fails before a byte of the request."""
    server = serve(answer_ok, server_context)
    transport = open_transport(ssl_context=client_context if host == "localhost" else None)

    with pytest.raises(TransportError) as caught:
        transport.perform(HttpRequest(url=f"https://{host}:{server.port}"))

    assert (caught.value.cause, caught.value.reached) == ("tls", Reached.NO)


@pytest.mark.parametrize("end", ["close", "reset"])
def test_handshake_cut_by_the_peer_proves_that_nothing_left(serve, open_transport, end):
    """A connection that ends inside the handshake carried no request."""

    def script(peer) -> None:
        peer.sock.recv(65536)
        if end == "reset":
            peer.reset()

    server = serve(script)
    with pytest.raises(TransportError) as caught:
        open_transport().perform(HttpRequest(url=f"https://127.0.0.1:{server.port}"))

    assert (caught.value.cause, caught.value.reached) == ("tls", Reached.NO)


TLS_SCRIPTS = {
    "closed": lambda peer: None,
    "reset": lambda peer: peer.spoil(b"\x17\x03\x03\x00\x05junk!"),
    "first-byte-timeout": lambda peer: peer.wait_for_hang_up(),
    "bad-answer": lambda peer: peer.send(b"+OK ready\r\n"),
}


@pytest.mark.parametrize("cause", TLS_SCRIPTS)
def test_tls_failure_after_the_handshake_is_a_doubt(serve, open_transport, server_context, client_context, cause):
    """What urllib3 calls an SSL error or a read timeout may be a doubt: the request went out through TLS."""

    def script(peer) -> None:
        peer.read_request()
        TLS_SCRIPTS[cause](peer)

    transport = open_transport(
        ssl_context=client_context, timeouts=Timeouts(first_byte_s=0.3 if "timeout" in cause else 8.0)
    )
    with pytest.raises(TransportError) as caught:
        transport.perform(HttpRequest(url=serve(script, server_context).url, submits=True))

    assert (caught.value.cause, caught.value.reached) == (cause, Reached.MAYBE)


def test_stale_tls_connection_is_replaced(serve, open_transport, server_context, client_context):
    """The replacement of a stale connection shakes hands again."""
    clock = FakeClock()
    server = serve(answer_ok, server_context)
    transport = open_transport(ssl_context=client_context, monotonic=clock.monotonic)

    transport.perform(HttpRequest(url=server.url))
    clock.advance(2.1)

    assert transport.perform(HttpRequest(url=server.url)).body == b"ok"
    assert server.connections == 2


@pytest.mark.parametrize("over_tls", [False, True])
def test_write_that_the_peer_breaks_off_is_a_doubt(serve, open_transport, server_context, client_context, over_tls):
    """A connection that ends while the request is written leaves open what the peer did with the first part."""
    server = serve(lambda peer: peer.sock.recv(1), server_context if over_tls else None)
    transport = open_transport(ssl_context=client_context)

    with pytest.raises(TransportError) as caught:
        transport.perform(HttpRequest(url=server.url, body=bytes(32 * 1024 * 1024)))

    assert caught.value.cause in ("reset", "closed")
    assert caught.value.reached is Reached.MAYBE


def test_context_must_verify():
    """A transport that would trust anybody cannot be made."""
    context = ssl.create_default_context()
    context.check_hostname = False

    with pytest.raises(ValueError, match="verify"):
        HttpTransport(ssl_context=context)
