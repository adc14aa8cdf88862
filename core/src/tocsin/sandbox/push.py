"""A vendor's own requests: it posts reports and replies to its customer, reads the answer, and may try again."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping
from contextlib import closing
from urllib.parse import urlsplit

import attrs

from tocsin.sandbox.carrier import DeliveryReport, PhoneReply

_TIMEOUT_S = 10.0
_MAX_ANSWER = 64 * 1024


@attrs.frozen(kw_only=True)
class Push:
    """What the vendor posts."""

    body: bytes = attrs.field(repr=lambda body: f"<{len(body)} bytes>")
    content_type: str


@attrs.frozen(kw_only=True)
class Post:
    """One try of a push, and what the customer made of it.

    Args:
        status: HTTP status; None where nobody answered.
        answer: the answer's body, as far as the vendor reads it.
    """

    push: Push
    status: int | None
    answer: bytes = b""


@attrs.frozen(kw_only=True)
class Pushing:
    """How a vendor pushes.

    Args:
        reports: writers by the name of the form, since documents leave forms open; the usual one first.
        replies: the same for replies.
        is_received: whether a try needs no other.
        tries: how often the vendor posts one push at most.
    """

    reports: Mapping[str, Callable[[tuple[DeliveryReport, ...]], Push]]
    replies: Mapping[str, Callable[[tuple[PhoneReply, ...]], Push]]
    is_received: Callable[[Post], bool]
    tries: int


@attrs.frozen
class Target:
    """Where a customer wants its pushes.

    Raises:
        ValueError: no `http://` URL; the text does not repeat it, since it may hold a token.
    """

    url: str = attrs.field(repr=False)

    def __attrs_post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError("expected an http:// URL to push to")

    def post(self, push: Push) -> Post:
        """Post once."""
        parts = urlsplit(self.url)
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
        with closing(connection):
            try:
                connection.request("POST", path, push.body, {"Content-Type": push.content_type})
                answer = connection.getresponse()
                return Post(push=push, status=answer.status, answer=answer.read(_MAX_ANSWER))
            except (OSError, http.client.HTTPException):
                return Post(push=push, status=None)

    def deliver(self, push: Push, pushing: Pushing) -> tuple[Post, ...]:
        """Post until the vendor is content or gives up; return every try."""
        posts: list[Post] = []
        while len(posts) < pushing.tries and not (posts and pushing.is_received(posts[-1])):
            posts.append(self.post(push))
        return tuple(posts)
