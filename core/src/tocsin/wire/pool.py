"""HTTP over the one urllib3 pool, and the table of what can go wrong there.

This is the only module that imports urllib3. Whether a byte of a request may have left is observed, never inferred
from an exception's type: urllib3 calls a TLS handshake that hangs a read timeout, and a broken record in an answer an
SSL error. Each connection notes the moment before it hands the first byte to a socket that is connected and, for
https, through its handshake. What fails before that note is proof that nothing was sent; what fails after it is not.

**Invariant:** `TransportError.reached` is `NO` only where that note is missing.

Texts of urllib3 and `http.client` quote URLs, headers and answers. So urllib3 is told a URL's path and never its query,
which the connection puts in when it writes the request line; and of their exceptions only those are chained to ours
that know a host and a port at most.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

import attrs
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    EmptyPoolError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
)
from urllib3.util import Url, parse_url

from tocsin.errors import Reached, TransportError
from tocsin.wire.deadline import Deadline, DeadlineResponse
from tocsin.wire.http import HttpRequest, HttpResponse

NOT_SENT: Mapping[str, str] = {
    "invalid-request": "the URL, the method or a header cannot be put into HTTP",
    "shut-down": "the transport was closed",
    "pool-timeout": "no connection became free within connect_s",
    "dns": "the host's name does not resolve",
    "connect-refused": "the host answers, and nothing listens on the port",
    "connect-timeout": "no connection within connect_s, for each address of the host",
    "unreachable": "the system knows no way to the host, or has no socket left",
    "tls": "the handshake failed: no TLS there, or a certificate that does not prove the host",
    "tls-timeout": "no handshake within tls_s",
    "too-late": "waiting and connecting used up total_s",
}
"""Causes of `TransportError` with `Reached.NO`, and how each arises."""

NO_ANSWER: Mapping[str, str] = {
    "send-timeout": "the peer did not take the whole request within total_s",
    "closed": "the peer closed the connection without a byte of an answer",
    "reset": "the connection broke before a byte of an answer",
    "first-byte-timeout": "no byte of an answer within first_byte_s, or within total_s",
    "bad-answer": "what came is not HTTP",
    "cut-in-headers": "the peer closed the connection inside the headers",
    "reset-in-headers": "the connection broke inside the headers",
    "total-timeout": "the headers were not whole within total_s",
}
"""Causes of `TransportError` with `Reached.MAYBE`, and how each arises."""

CUT_ANSWER: Mapping[str, str] = {
    "cut-in-body": "the peer closed the connection before the announced end of the body",
    "reset-in-body": "the connection broke inside the body",
    "timeout-in-body": "the body was not whole within total_s",
    "bad-chunking": "the chunks of the body cannot be read on",
    "bad-encoding": "the content encoding is unknown, broken or unfinished",
    "oversized": "the body is longer than max_bytes, as it came or decoded",
}
"""Faults of an `HttpResponse`, and how each arises. Its body is what came until then."""

_OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "accept-encoding"})
_ENCODINGS = ("gzip", "x-gzip", "deflate")
_PIECE_BYTES = 64 * 1024
_INFLATED_BYTES = 1024


@attrs.frozen(kw_only=True)
class Timeouts:
    """Limits of one call, in seconds.

    Args:
        connect_s: to get a free connection, and again to connect it. The look-up of a name is the system's to limit.
        tls_s: the handshake.
        first_byte_s: silence between the request and the first byte of its answer.
        total_s: the whole call.
    """

    connect_s: float = attrs.field(default=3.0, validator=attrs.validators.gt(0))
    tls_s: float = attrs.field(default=3.0, validator=attrs.validators.gt(0))
    first_byte_s: float = attrs.field(default=8.0, validator=attrs.validators.gt(0))
    total_s: float = attrs.field(default=15.0, validator=attrs.validators.gt(0))


@attrs.define
class _Call:
    """One call under way. `reached` is the note of the module's invariant."""

    timeouts: Timeouts
    deadline: Deadline
    fresh_s: float
    query: str = ""
    reached: Reached = Reached.NO

    def failed(self, cause: str) -> TransportError:
        return TransportError(reached=self.reached, cause=cause)


_CALL: ContextVar[_Call] = ContextVar("call")
"""The call that this thread makes: urllib3 has no way to hand anything of it to a connection."""


class _Connection(HTTPConnection):
    """A connection that watches itself on behalf of the call that uses it."""

    _answered_at = 0.0

    def _new_conn(self) -> socket.socket:
        call = _CALL.get()
        try:
            return super()._new_conn()
        except NameResolutionError as error:  # a kind of NewConnectionError, and that a kind of ConnectTimeoutError
            raise call.failed("dns") from error
        except NewConnectionError as error:
            refused = isinstance(error.__cause__, ConnectionRefusedError)
            raise call.failed("connect-refused" if refused else "unreachable") from error
        except ConnectTimeoutError as error:
            raise call.failed("connect-timeout") from error

    def request(self, *args: Any, **options: Any) -> None:
        """Write the request, on a new connection if this one has idled for too long."""
        call = _CALL.get()
        if self.sock is not None and call.deadline.monotonic() - self._answered_at > call.fresh_s:
            self.close()
        super().request(*args, **options)

    def putrequest(self, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False) -> None:
        """Put the query back, which urllib3 was not told."""
        super().putrequest(method, url + _CALL.get().query, skip_host, skip_accept_encoding)

    def send(self, data: Any) -> None:
        """Connect if need be, note that bytes may leave from here on, and hand them over."""
        call = _CALL.get()
        if self.sock is None:
            self.connect()
        try:
            self.sock.settimeout(call.deadline.left_s())
            call.reached = Reached.MAYBE
            super().send(data)
        except (BrokenPipeError, ConnectionResetError):
            raise  # urllib3 goes on to read: the peer may have answered before it closed
        except TimeoutError as error:
            raise call.failed("too-late" if call.reached is Reached.NO else "send-timeout") from error
        except OSError as error:
            raise call.failed("reset") from error

    def response_class(  # type: ignore[override]  # http.client calls it, that is all
        self, sock: socket.socket, method: str | None
    ) -> DeadlineResponse:
        """Make the answer that `getresponse` reads."""
        call = _CALL.get()
        return DeadlineResponse(sock, method, call.deadline, call.timeouts.first_byte_s)

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # as in urllib3
        """Read the head of the answer; the connection's idle time counts from there."""
        response = super().getresponse()
        self._answered_at = _CALL.get().deadline.monotonic()
        return response


class _TlsConnection(_Connection, HTTPSConnection):
    """The same through TLS."""

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        sock.settimeout(_CALL.get().timeouts.tls_s)
        return sock

    def connect(self) -> None:
        """Connect and shake hands; what `_new_conn` has not named is the handshake's."""
        try:
            super().connect()
        except TimeoutError as error:
            raise _CALL.get().failed("tls-timeout") from error
        except OSError as error:
            raise _CALL.get().failed("tls") from error


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class HttpTransport:
    """The default transport: HTTP and HTTPS through one pool, from any thread.

    It never retries, never follows a redirect, knows no proxy and always verifies TLS.

    Args:
        timeouts: limits of each call.
        fresh_s: a kept-alive connection that idled for longer is not used again, so that a stale one breeds no doubt.
        pool_size: connections to one host at a time.
        ssl_context: what to trust; the system's certificates by default.
        monotonic: the clock, in seconds.

    Raises:
        ValueError: the context does not verify certificates and names.
    """

    def __init__(
        self,
        timeouts: Timeouts = Timeouts(),
        *,
        fresh_s: float = 2.0,
        pool_size: int = 16,
        ssl_context: ssl.SSLContext | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        context = ssl_context or ssl.create_default_context()
        if context.verify_mode is not ssl.CERT_REQUIRED or not context.check_hostname:
            raise ValueError("the TLS context must verify certificates and host names")
        self._timeouts = timeouts
        self._fresh_s = fresh_s
        self._monotonic = monotonic
        self._closed = False
        self._pools = urllib3.PoolManager(
            maxsize=pool_size,
            block=True,
            timeout=urllib3.Timeout(connect=timeouts.connect_s, read=timeouts.total_s),
            ssl_context=context,
        )
        self._pools.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def perform(self, request: HttpRequest) -> HttpResponse:
        """Make one request and return its answer, as far as it came.

        Raises:
            TransportError: there is no answer; its cause stands in `NOT_SENT` or `NO_ANSWER`.
        """
        deadline = Deadline(self._monotonic() + self._timeouts.total_s, self._monotonic)
        call = _Call(self._timeouts, deadline, self._fresh_s)
        if self._closed:
            raise call.failed("shut-down")
        token = _CALL.set(call)
        try:
            return self._exchange(request, call)
        except EmptyPoolError:
            cause = "pool-timeout"
        except (HTTPError, http.client.HTTPException, ValueError):
            cause = "invalid-request" if call.reached is Reached.NO else "bad-answer"
        finally:
            _CALL.reset(token)
        raise call.failed(cause)

    def close(self) -> None:
        """Close every connection, and refuse whatever comes after. Safe to call twice."""
        self._closed = True
        self._pools.clear()

    def _exchange(self, request: HttpRequest, call: _Call) -> HttpResponse:
        url = _url(request)
        call.query = f"?{url.query}" if url.query is not None else ""
        response = self._pools.connection_from_host(url.host, url.port, url.scheme).urlopen(
            request.method,
            url.path or "/",
            body=request.body or None,
            headers=_headers(request),
            retries=False,
            redirect=False,
            pool_timeout=self._timeouts.connect_s,  # type: ignore[arg-type]  # annotated as int; any number will do
            preload_content=False,
            decode_content=False,
        )
        try:
            body, fault = _read(response, request.max_bytes)
        finally:
            response.close()
            response.release_conn()  # a closed response keeps its place in the pool
        body, undecoded = _decode(body, response.headers.get("content-encoding", "").lower(), request.max_bytes)
        headers = tuple((name.lower(), value) for name, value in response.headers.iteritems())
        return HttpResponse(status=response.status, headers=headers, body=body, fault=fault or undecoded)


def _url(request: HttpRequest) -> Url:
    url = parse_url(request.url)
    if url.scheme not in ("http", "https") or url.auth:
        raise ValueError("expected an absolute http or https URL without user and password")
    return url


def _headers(request: HttpRequest) -> urllib3.HTTPHeaderDict:
    """Return the headers that go out. A line break would let a value pass for a header of its own."""
    for name, value in request.headers:
        if name.lower() in _OWN_HEADERS or any(mark in name + value for mark in "\r\n\0"):
            raise ValueError("a header breaks its line, or is the transport's own")
    headers = urllib3.HTTPHeaderDict(request.headers)
    headers.setdefault("User-Agent", "tocsin")
    headers["Accept-Encoding"] = "identity"
    return headers


def _read(response: urllib3.BaseHTTPResponse, max_bytes: int) -> tuple[bytes, str | None]:
    """Read the body, at most `max_bytes` of it. What came before a fault is kept."""
    body = bytearray()
    try:
        while piece := response.read1(_PIECE_BYTES, decode_content=False):
            body += piece
            if len(body) > max_bytes:
                return bytes(body[:max_bytes]), "oversized"
    except TransportError as error:
        return bytes(body), error.cause
    return bytes(body), None


def _decode(body: bytes, encoding: str, max_bytes: int) -> tuple[bytes, str | None]:
    """Undo a content encoding that nobody asked for: as far as it goes, and no further than `max_bytes`."""
    if not body or encoding in ("", "identity"):
        return body, None
    if encoding not in _ENCODINGS:
        return body, "bad-encoding"
    inflater = zlib.decompressobj(_window_bits(encoding, body))
    plain = bytearray()
    try:
        for start in range(0, len(body), _INFLATED_BYTES):
            plain += inflater.decompress(body[start : start + _INFLATED_BYTES], max_bytes + 1 - len(plain))
            if len(plain) > max_bytes:
                return bytes(plain[:max_bytes]), "oversized"
    except zlib.error:
        return bytes(plain) or body, "bad-encoding"
    whole = inflater.eof and not inflater.unused_data
    return bytes(plain), None if whole else "bad-encoding"


def _window_bits(encoding: str, body: bytes) -> int:
    """Tell zlib the format. Some servers call a bare stream `deflate`, without the header that RFC 9110 asks for."""
    if encoding != "deflate":
        return 16 + zlib.MAX_WBITS
    has_header = body[0] & 0x0F == zlib.DEFLATED
    return zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS
