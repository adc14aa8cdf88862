"""HTTP/1.1 as the sandboxes speak it: requests read whole and bounded, answers as values. Opens no socket.

Written apart from `tocsin.wire` on purpose: the two ends of a wire share no code.
"""

from __future__ import annotations

from email.message import Message
from http.client import HTTPException, parse_headers, responses
from typing import BinaryIO
from urllib.parse import unquote

import attrs

MAX_BODY = 8 * 1024 * 1024
"""Longest request body, in bytes."""

_MAX_LINE = 64 * 1024


class UnreadableRequest(Exception):
    """What arrived is no request that can be served. Holds the HTTP status to answer with; then hang up."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"unreadable request: HTTP {status}")


@attrs.frozen(kw_only=True)
class Request:
    """One request, read whole. Its repr shows neither query, headers nor body.

    Args:
        path: percent-decoded, without the query.
        headers: looked up ignoring case.
        keep_alive: the client wants the connection to stay.
    """

    method: str
    path: str
    query: str = attrs.field(default="", repr=False)
    headers: Message = attrs.field(factory=Message, repr=False)
    body: bytes = attrs.field(default=b"", repr=lambda body: f"<{len(body)} bytes>")
    keep_alive: bool = True


@attrs.frozen(kw_only=True)
class Answer:
    """One answer. `headers` come after Content-Type and Content-Length."""

    body: bytes = attrs.field(default=b"", repr=lambda body: f"<{len(body)} bytes>")
    status: int = 200
    content_type: str = "text/xml; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()

    def head(self, *, length: int | None) -> bytes:
        """Return status line and headers; without a length the body ends where the connection does."""
        framing = ("Connection", "close") if length is None else ("Content-Length", str(length))
        fields = (("Content-Type", self.content_type), framing, *self.headers)
        status_line = f"HTTP/1.1 {self.status} {responses.get(self.status, 'Unknown')}"
        return "\r\n".join([status_line, *(f"{name}: {value}" for name, value in fields), "", ""]).encode("latin-1")

    def render(self) -> bytes:
        """Return the answer as it goes over the wire."""
        return self.head(length=len(self.body)) + self.body


def read_request(stream: BinaryIO) -> Request | None:
    """Read one request; None where the client hung up before it was whole.

    Raises:
        UnreadableRequest: no HTTP/1.x, a body of unknown length, or one above `MAX_BODY`.
    """
    line = stream.readline(_MAX_LINE).decode("latin-1")
    if not line.endswith("\n"):
        return None
    method, target, version = _request_line(line)
    try:
        headers = parse_headers(stream)
    except HTTPException:
        raise UnreadableRequest(400) from None
    length = _body_length(headers)
    body = stream.read(length)
    if len(body) < length:
        return None
    path, _, query = target.partition("?")
    keep_alive = version != "HTTP/1.0" and headers.get("Connection", "").lower() != "close"
    return Request(method=method, path=unquote(path), query=query, headers=headers, body=body, keep_alive=keep_alive)


def _request_line(line: str) -> tuple[str, str, str]:
    words = line.split()
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise UnreadableRequest(400)
    return words[0], words[1], words[2]


def _body_length(headers: Message) -> int:
    if "Transfer-Encoding" in headers:
        raise UnreadableRequest(411)
    length = headers.get("Content-Length", "0")
    if not (length.isascii() and length.isdigit()):
        raise UnreadableRequest(400)
    if int(length) > MAX_BODY:
        raise UnreadableRequest(413)
    return int(length)
