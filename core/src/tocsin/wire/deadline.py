"""The answer's side of one call: it ends on time, and says how far the answer had come when it broke off.

Bytes may drip for ever, each of them within a socket's timeout. So before every read the socket is given what is left
of the whole call, and a read that fails is named after the stage that the answer had reached. Nothing here connects or
sends; `tocsin.wire.pool` alone uses it.
"""

from __future__ import annotations

import enum
import http.client
import io
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from tocsin.errors import Reached, TransportError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


@attrs.frozen
class Deadline:
    """The moment by which a call ends, come what may.

    Args:
        ends_at: in seconds of `monotonic`.
        monotonic: the clock.
    """

    ends_at: float
    monotonic: Callable[[], float]

    def left_s(self) -> float:
        """Return the seconds left, always more than none.

        Raises:
            TimeoutError: the time is up; what a socket would say.
        """
        left_s = self.ends_at - self.monotonic()
        if left_s <= 0:
            raise TimeoutError("the call's time is up")
        return left_s


class Stage(enum.Enum):
    """How far an answer has come, and what each way of breaking off there is called."""

    NOTHING = ("first-byte-timeout", "reset", "closed", "bad-answer")
    HEAD = ("total-timeout", "reset-in-headers", "cut-in-headers", "bad-answer")
    BODY = ("timeout-in-body", "reset-in-body", "cut-in-body", "bad-chunking")

    def __init__(self, late: str, reset: str, ended: str, garbled: str) -> None:
        self.late = late
        self.reset = reset
        self.ended = ended
        self.garbled = garbled


class _Wire(io.RawIOBase):
    """Reads a socket within the deadline, and keeps in mind what it has seen."""

    def __init__(self, sock: socket.socket, file: io.RawIOBase, deadline: Deadline, first_byte_s: float) -> None:
        self._sock = sock
        self._file = file
        self._deadline = deadline
        self._first_byte_s = first_byte_s
        self._at_end = False
        self.stage = Stage.NOTHING

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        try:
            left_s = self._deadline.left_s()
            self._sock.settimeout(min(left_s, self._first_byte_s) if self.stage is Stage.NOTHING else left_s)
            count = self._file.readinto(buffer) or 0
        except TimeoutError as error:
            raise _broken_off(self.stage.late) from error
        except OSError as error:
            raise _broken_off(self.stage.reset) from error
        self._at_end = not count
        if count and self.stage is Stage.NOTHING:
            self.stage = Stage.HEAD
        return count

    def close(self) -> None:
        self._file.close()
        super().close()

    def breach(self) -> str | None:
        """Name the end of the stream, where it was seen. Buffers ask for more only when they need it."""
        return self.stage.ended if self._at_end else None


def _broken_off(cause: str) -> TransportError:
    """Whatever an answer lacks, its request went out before."""
    return TransportError(reached=Reached.MAYBE, cause=cause)


class DeadlineResponse(http.client.HTTPResponse):
    """An answer of `http.client` that raises `TransportError` for every way in which it can break off.

    `http.client` takes the end of the stream for the end of the headers, and for the end of a body that is shorter
    than announced. Here both are seen for what they are.

    Args:
        sock: has the request behind it.
        method: of the request.
        deadline: of the call.
        first_byte_s: longest silence before the answer begins.
    """

    def __init__(self, sock: socket.socket, method: str | None, deadline: Deadline, first_byte_s: float) -> None:
        super().__init__(sock, method=method)
        self._wire = _Wire(sock, self.fp.detach(), deadline, first_byte_s)
        self.fp = io.BufferedReader(self._wire)

    def begin(self) -> None:
        """Read the status line and the headers; interim answers (1xx) are passed over."""
        readable = self._read_head()
        cause = self._wire.breach() or (None if readable else self._wire.stage.garbled)
        if cause:
            raise _broken_off(cause)
        self._wire.stage = Stage.BODY

    def _read_head(self) -> bool:
        """Say whether what came could be read as HTTP."""
        try:
            super().begin()
            while 100 <= self.status < 200:
                self.headers = self.msg = None  # type: ignore[assignment]  # makes begin() read the next status line
                super().begin()
        except http.client.HTTPException:
            return False
        # A line that is no header ends the headers for the parser, and the rest, lengths too, would be lost in silence.
        return not (self.msg.defects or self.msg.get_payload())

    def read1(self, n: int = -1) -> bytes:
        """Read what is there, at most `n` bytes; empty at the end of the body."""
        try:
            piece = super().read1(n)
        except http.client.HTTPException:
            cause = self._wire.breach() or self._wire.stage.garbled
        else:
            if piece or not self._lacks():
                return piece
            cause = self._wire.stage.ended
        raise _broken_off(cause)

    def _lacks(self) -> bool:
        """Say whether a body that brings no more bytes was announced to bring some."""
        return self._wire.breach() is not None if self.chunked else bool(self.length)
