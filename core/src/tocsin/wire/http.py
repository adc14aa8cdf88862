"""Requests, answers and exchanges as values. They can be inspected, wrapped and tested without being driven."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import attrs

T_co = TypeVar("T_co", covariant=True)

Headers = tuple[tuple[str, str], ...]


def _without_query(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"


@attrs.frozen(kw_only=True)
class HttpRequest:
    """One HTTP request. Its repr shows neither query, headers nor body.

    Args:
        url: absolute.
        method: `POST` by default; a vendor's GET puts secrets into URLs and is opt-in.
        headers: pairs; Host, Content-Length and Accept-Encoding are the transport's.
        body: bytes as they go out.
        submits: after the first byte of this request the outcome may be unknown. At most one in an exchange.
        max_bytes: longest answer body that is read.
    """

    url: str = attrs.field(repr=_without_query)
    method: str = "POST"
    headers: Headers = attrs.field(default=(), repr=False)
    body: bytes = attrs.field(default=b"", repr=lambda body: f"<{len(body)} bytes>")
    submits: bool = False
    max_bytes: int = 256 * 1024

    @property
    def shown_url(self) -> str:
        """The URL as it may be logged: without user, password and query."""
        return _without_query(self.url)


@attrs.frozen(kw_only=True)
class HttpResponse:
    """An answer, as far as it came.

    Args:
        status: HTTP status.
        headers: names in lower case.
        body: at most the request's `max_bytes`.
        fault: None for a whole answer; else why it is cut (`oversized`, `reset-in-body` …). A submit's cut answer
            never reaches a codec; a poll's does, so that whole rows are saved.
    """

    status: int
    headers: Headers = attrs.field(default=(), repr=False)
    body: bytes = attrs.field(default=b"", repr=lambda body: f"<{len(body)} bytes>")
    fault: str | None = None

    def header(self, name: str) -> str:
        """Return the first header of that (lower case) name; empty where there is none."""
        return next((value for key, value in self.headers if key == name), "")


@attrs.frozen
class Exchange(Generic[T_co]):
    """A request and the pure function that decodes its answer, into the result or into the next exchange.

    `request` is an `HttpRequest` for the default transport; a plugin that opens its own uses its own type.
    `decode` raises `AnswerError`, and nothing else, for an answer outside the vendor's grammar.
    """

    request: Any
    decode: Callable[[Any], T_co | Exchange[T_co]] = attrs.field(repr=False)
