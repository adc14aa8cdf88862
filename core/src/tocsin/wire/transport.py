"""The seam that every transport fits: HTTP by default, anything that a plugin opens for itself otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import attrs

from tocsin.model.report import Batch, InboundMessage, Report


class Transport(Protocol):
    """Performs one request at a time, from any thread."""

    def perform(self, request: Any, /) -> Any:
        """Send the request and return its answer.

        The request says whether it `submits`; the answer offers its bytes as `body` and a `fault` (see
        `HttpResponse`).

        Raises:
            TransportError: with `reached=NO` only where it is proved that no byte left.
        """
        ...

    def close(self) -> None:
        """Release sockets and threads. Safe to call twice."""
        ...


@attrs.frozen(kw_only=True)
class Evidence:
    """What an unasked piece of input held."""

    reports: Batch[Report] = attrs.field(factory=Batch[Report])
    inbound: Batch[InboundMessage] = attrs.field(factory=Batch[InboundMessage])


class Sink(Protocol):
    """Where a transport puts what it receives unasked (an SMPP `deliver_sm`): raw first, then read."""

    def receive(self, raw: bytes, decode: Callable[[bytes], Evidence]) -> None:
        """Store `raw` durably, then decode and apply it. Returns when it may be acknowledged to the vendor."""
        ...
