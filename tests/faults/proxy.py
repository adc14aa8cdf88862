"""A TCP proxy on loopback: relays one exchange honestly as far as a phase, then lets a fault strike.

It knows HTTP only as far as to find the end of a head and the length of a body. What the faults do stands in `faults`.
"""

from __future__ import annotations

import enum
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import Self

import attrs

HOST = "127.0.0.1"
DEADLINE_S = 15.0
"""Nothing that the proxy waits for may take longer; then the cell fails loudly."""

HEAD_BYTES = 20
"""How much of a message the phases named after its head let through."""

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
_RST_ON_CLOSE = struct.pack("ii", 1, 0)


class Phase(enum.StrEnum):
    """How far the honest exchange goes before the fault strikes; each with its meaning."""

    meaning: str

    def __new__(cls, label: str, meaning: str) -> Self:
        phase = str.__new__(cls, label)
        phase._value_ = label
        phase.meaning = meaning
        return phase

    CONNECT = "connect", "the connection stands and the request is on its way; not a byte of it was read"
    REQUEST_HEAD = "request-head", f"the vendor has {HEAD_BYTES} bytes of the request"
    REQUEST_BODY = "request-body", "the vendor has the request's head and half of its body"
    ANSWER_WAIT = "answer-wait", "the vendor has acted and answered; the client has no byte of it"
    ANSWER_HEAD = "answer-head", f"the client has {HEAD_BYTES} bytes of the answer"
    ANSWER_BODY = "answer-body", "the client has the answer's head and half of its body"

    @property
    def is_past_acting(self) -> bool:
        """Whether the vendor has acted when the fault strikes."""
        return self in (Phase.ANSWER_WAIT, Phase.ANSWER_HEAD, Phase.ANSWER_BODY)


@attrs.frozen
class HttpMessage:
    """A request or an answer: `head` with the empty line at its end, and `body`."""

    head: bytes
    body: bytes = b""

    @property
    def whole(self) -> bytes:
        """Every byte of it."""
        return self.head + self.body

    @property
    def middle(self) -> int:
        """Where head and half the body end."""
        return len(self.head) + len(self.body) // 2


class Line:
    """One exchange under way, for the fault to act upon.

    Args:
        client: who asks; only the fault decides what it gets from now on.
        vendor: who is asked.
        closing: set once the cell is over, so that no pause outlives it.
    """

    def __init__(self, client: socket.socket, vendor: socket.socket, closing: threading.Event) -> None:
        self._client = client
        self._vendor = vendor
        self._closing = closing
        self._request: HttpMessage | None = None
        self._answer: HttpMessage | None = None
        self._requested = 0
        self.answered = 0
        """How many bytes of the honest answer the client has."""

    def relay(self, phase: Phase) -> None:
        """Pass on, honestly, what comes before the phase."""
        if phase is Phase.CONNECT:
            self._client.recv(1, socket.MSG_PEEK)  # a fault that strikes while the client connects is another matter
            return
        request = self._request = _read(self._client)
        cuts = {Phase.REQUEST_HEAD: HEAD_BYTES, Phase.REQUEST_BODY: request.middle}
        self._requested = cuts.get(phase, len(request.whole))
        self._vendor.sendall(request.whole[: self._requested])
        if not phase.is_past_acting:
            return
        answer = self.answer
        self.answered = {Phase.ANSWER_HEAD: HEAD_BYTES, Phase.ANSWER_BODY: answer.middle}.get(phase, 0)
        self.say(answer.whole[: self.answered])

    @property
    def request_left(self) -> bytes:
        """What the vendor has not got of the request."""
        if self._request is None:
            self._request = _read(self._client)
        return self._request.whole[self._requested :]

    def ask(self, pieces: Iterable[bytes]) -> None:
        """Give the vendor the rest of a request, and the end of the stream: it waits for nothing behind it."""
        for piece in pieces:
            self._vendor.sendall(piece)
        self._vendor.shutdown(socket.SHUT_WR)

    @property
    def answer(self) -> HttpMessage:
        """The vendor's whole answer, once it has the whole request; empty where it hung up without one."""
        if self._answer is None:
            self._answer = _read(self._vendor)
        return self._answer

    def say(self, *pieces: bytes) -> None:
        """Give the client bytes."""
        for piece in pieces:
            self._client.sendall(piece)

    def pause(self, seconds: float) -> None:
        """Do nothing for so long."""
        self._closing.wait(seconds)

    def stall(self) -> None:
        """Do nothing until the client gives up."""
        while self._client.recv(65536):
            pass

    def hang_up(self) -> None:
        """Drop the vendor and send the client a FIN. What the client still says is read, or the FIN would be a RST."""
        self._vendor.close()
        with suppress(OSError):  # the client has reset the connection
            self._client.shutdown(socket.SHUT_WR)
        self.stall()

    def reset(self) -> None:
        """Drop the vendor and send the client a RST."""
        self._vendor.close()
        self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
        self._client.close()


@attrs.frozen
class Fault:
    """What happens to an exchange from a phase on.

    Args:
        strike: ends the exchange for the client, one way or another.
        stalls: the client has to give up by itself, so it shall not be patient.
        closes_port: nobody listens any more; at `connect` that means that nobody ever did.
    """

    strike: Callable[[Line], None]
    stalls: bool = False
    closes_port: bool = False


class Proxy:
    """Stands before a vendor for one exchange. A context; leaving it waits until the proxy has done with it.

    Args:
        vendor: port of the vendor on loopback.
        phase: how far all goes well.
        fault: what happens then.
    """

    def __init__(self, vendor: int, phase: Phase, fault: Fault) -> None:
        self._vendor = vendor
        self._phase = phase
        self._fault = fault
        self._closing = threading.Event()
        self._listener = socket.create_server((HOST, 0)) if not self._is_deaf else _bound_but_deaf()
        self._listener.settimeout(DEADLINE_S)
        self.url = f"http://{HOST}:{self._listener.getsockname()[1]}"
        self._thread = ThreadPoolExecutor(1)
        self._served = None if self._is_deaf else self._thread.submit(self._serve)

    @property
    def _is_deaf(self) -> bool:
        return self._fault.closes_port and self._phase is Phase.CONNECT

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._closing.set()
        try:
            if self._served is not None and error is None:
                self._served.result()
        finally:
            self._listener.close()
            self._thread.shutdown()

    @property
    def was_called_again(self) -> bool:
        """Whether a second connection waits: the client has asked twice."""
        if self._fault.closes_port:
            return False
        self._listener.setblocking(False)
        with suppress(BlockingIOError):
            self._listener.accept()[0].close()
            return True
        return False

    def _serve(self) -> None:
        client, _ = self._listener.accept()
        with client, socket.create_connection((HOST, self._vendor), timeout=DEADLINE_S) as vendor:
            for sock in (client, vendor):
                sock.settimeout(DEADLINE_S)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line = Line(client, vendor, self._closing)
            with suppress(ConnectionError):  # the client has heard enough
                line.relay(self._phase)
                if self._fault.closes_port:
                    self._listener.close()
                self._fault.strike(line)


def _bound_but_deaf() -> socket.socket:
    """Reserve a port on which the kernel refuses connects."""
    sock = socket.socket()
    sock.bind((HOST, 0))
    return sock


def _read(sock: socket.socket) -> HttpMessage:
    """Read one message, or what comes of it until the end of the stream."""
    data = b""
    while not _is_whole(data) and (piece := sock.recv(65536)):
        data += piece
    head, end, body = data.partition(b"\r\n\r\n")
    return HttpMessage(head + end, body)


def _is_whole(data: bytes) -> bool:
    head, end, body = data.partition(b"\r\n\r\n")
    length = _LENGTH.search(head + b"\r\n")
    return bool(end) and len(body) >= (int(length[1]) if length else 0)
