"""What a vendor posts to us unasked, and what a plugin makes of it."""

from __future__ import annotations

import enum

import attrs

from tocsin.model.report import Batch, InboundMessage, Report

Pairs = tuple[tuple[str, str], ...]


class Trust(enum.IntEnum):
    """How far a piece of evidence is trusted, lowest first. It is recorded with each report."""

    TOKEN = 1
    """A push with a token alone: never closes a delivery, brings the next poll forward."""

    TOKEN_AND_PEER = 2
    """A push with a token from an allowed address."""

    POLL = 3
    """Our own poll."""


@attrs.frozen(kw_only=True)
class PushRequest:
    """The raw request as it came. Nothing of it is in the repr but method and size.

    Args:
        method: as it came.
        path: behind the gateway's own prefix.
        headers: names in lower case.
        query: decoded pairs.
        body: raw bytes.
        peer: address of the sender.
    """

    method: str
    path: str = attrs.field(repr=False)
    headers: Pairs = attrs.field(repr=False)
    query: Pairs = attrs.field(repr=False)
    body: bytes = attrs.field(repr=lambda body: f"<{len(body)} bytes>")
    peer: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class PushReply:
    """The exact answer that the vendor expects."""

    status: int = 200
    content_type: str = "text/plain; charset=utf-8"
    body: bytes = b""


@attrs.frozen(kw_only=True)
class VerifiedPush:
    """A push that is the vendor's, read.

    Args:
        reports, inbound: what it held.
        when_stored: answer once it is durable.
        when_not_stored: answer when it could not be stored, so that the vendor tries again.
    """

    reports: Batch[Report] = attrs.field(factory=Batch[Report])
    inbound: Batch[InboundMessage] = attrs.field(factory=Batch[InboundMessage])
    when_stored: PushReply = attrs.field(factory=PushReply)
    when_not_stored: PushReply = attrs.field(factory=lambda: PushReply(status=503))


@attrs.frozen(kw_only=True)
class PushRefused:
    """A push that is not this account's, or not the vendor's form. `why` never quotes it."""

    why: str
