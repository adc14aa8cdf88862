"""A load of HTTP: the same request over many connections, as fast as answers come, or at a rate of its own.

One thread and no library, so that what it costs itself is little and the same whatever it calls. Used by
`bench/gateway.py` in a process of its own.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterable

import attrs

_MOST_ANSWER = 65536


@attrs.frozen(kw_only=True)
class Load:
    """What is put on a server.

    Args:
        port: on loopback.
        request: the whole of it, as bytes.
        connections: kept alive.
        seconds: how long.
        rate: requests a second, whether answers come or not; None for as fast as they do.
    """

    port: int
    request: bytes = attrs.field(repr=False)
    connections: int
    seconds: float
    rate: float | None = None


@attrs.frozen(kw_only=True)
class Felt:
    """What a load met.

    Args:
        statuses: how often each was answered; 0 stands for no answer.
        latencies_s: of the answers with each status, sorted.
        unsent: how many had no free connection when their time had come.
        seconds: how long it took.
    """

    statuses: dict[int, int]
    latencies_s: dict[int, list[float]] = attrs.field(repr=False)
    unsent: int
    seconds: float

    def per_second(self, status: int) -> float:
        """Return the answers of a status a second."""
        return self.statuses.get(status, 0) / self.seconds

    def quantile_ms(self, status: int, share: float) -> float:
        """Return in which time that share of a status's answers had come."""
        latencies = self.latencies_s.get(status) or [float("nan")]
        return 1000 * latencies[min(len(latencies) - 1, int(share * len(latencies)))]


@attrs.define(eq=False)
class _Line:
    """One connection."""

    port: int
    sock: socket.socket = attrs.field(init=False)
    sent_at: float = 0.0
    got: bytes = b""

    def __attrs_post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        self.sock = socket.create_connection(("127.0.0.1", self.port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, request: bytes, due_at: float) -> None:
        self.sent_at, self.got = due_at, b""
        self.sock.sendall(request)

    def receive(self) -> int | None:
        """Return the status once the answer is whole; 0 where the connection ended before."""
        try:
            piece = self.sock.recv(_MOST_ANSWER)
        except OSError:
            return 0
        if not piece:
            return 0
        self.got += piece
        head, end, body = self.got.partition(b"\r\n\r\n")
        if not end or len(body) < _length(head):
            return None
        return int(self.got[9:12])


def _length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


class _Run:
    """One load as it goes on."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.statuses: Counter[int] = Counter()
        self.latencies: dict[int, list[float]] = {}
        self.unsent = 0
        self.selector = selectors.DefaultSelector()
        self.free: list[_Line] = []
        for _ in range(load.connections):
            line = _Line(load.port)
            self.selector.register(line.sock, selectors.EVENT_READ, line)
            self.free.append(line)

    def go(self) -> Felt:
        began = time.perf_counter()
        until = began + self.load.seconds
        issued = 0
        while (now := time.perf_counter()) < until:
            due = len(self.free) if self.load.rate is None else int((now - began) * self.load.rate) - issued
            issued += due
            self._send(due, now)
            self._receive(0.0005 if self.load.rate else 0.05)
        seconds = time.perf_counter() - began
        for line in (key.data for key in list(self.selector.get_map().values())):
            line.sock.close()
        ordered = {status: sorted(found) for status, found in self.latencies.items()}
        return Felt(statuses=dict(self.statuses), latencies_s=ordered, unsent=self.unsent, seconds=seconds)

    def _send(self, due: int, now: float) -> None:
        self.unsent += max(0, due - len(self.free))
        for _ in range(min(due, len(self.free))):
            self.free.pop().send(self.load.request, now)

    def _receive(self, patience_s: float) -> None:
        for key, _ in self.selector.select(patience_s):
            line: _Line = key.data
            status = line.receive()
            if status is None:
                continue
            self.statuses[status] += 1
            self.latencies.setdefault(status, []).append(time.perf_counter() - line.sent_at)
            if status == 0:
                self.selector.unregister(line.sock)
                line.open()
                self.selector.register(line.sock, selectors.EVENT_READ, line)
            self.free.append(line)


def put(load: Load) -> Felt:
    """Put a load on a server; return what it met."""
    return _Run(load).go()


def request_of(method: str, path: str, headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    """Return a whole request as bytes."""
    fields = [("Host", "127.0.0.1"), ("Content-Length", str(len(body))), *headers]
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body
