"""A transport that gives what it was told to give, and one that writes down what it carries."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from tocsin.wire.transport import Transport


class ScriptExhausted(BaseException):
    """A scripted transport was asked for more than it has.

    Not an `Exception`: it is the test's own fault, and no seam shall take it for a vendor's.
    """


class ScriptedTransport:
    """Gives scripted answers in turn, and records the requests. Thread-safe.

    Args:
        script: what to give: an answer to return, or an exception to raise.
    """

    def __init__(self, script: Iterable[Any] = ()) -> None:
        self._script = deque(script)
        self.requests: list[Any] = []
        self.closed = False

    def perform(self, request: Any, /) -> Any:
        """Record the request and give what is next.

        Raises:
            ScriptExhausted: nothing is left to give.
        """
        self.requests.append(request)
        try:
            step = self._script.popleft()
        except IndexError:
            raise ScriptExhausted(f"request {len(self.requests)} is one more than the script has answers") from None
        if isinstance(step, BaseException):
            raise step
        return step

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


class RecordingTransport:
    """Carries requests over another transport, and keeps them in order.

    Args:
        transport: the real one; it is closed with this one.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.requests: list[Any] = []

    def perform(self, request: Any, /) -> Any:
        """Keep the request, and carry it."""
        self.requests.append(request)
        return self._transport.perform(request)

    def close(self) -> None:
        """Close the transport beneath."""
        self._transport.close()
