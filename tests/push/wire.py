"""Requests as an attacker writes them: byte by byte, whatever a client library would refuse to send."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import attrs

CLOSED = "closed"
PATIENCE_S = 30.0


@attrs.frozen(kw_only=True)
class Answer:
    """What came back. `status` is `"closed"` where the connection ended without an answer."""

    status: int | str
    head: bytes = b""
    body: bytes = b""

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers by their names in lower case."""
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if name}

    @property
    def closes(self) -> bool:
        """Whether nothing more is to come over this connection."""
        return self.headers.get("connection", "").lower() == "close"


class Wire:
    """One connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._read = b""

    def send(self, *pieces: bytes) -> None:
        """Send as far as the other side takes it."""
        try:
            for piece in pieces:
                self.socket.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            return

    def end(self) -> None:
        """Say that nothing more will be sent."""
        self.socket.shutdown(socket.SHUT_WR)

    def answer(self, *, has_body: bool = True) -> Answer:
        """Wait for the next answer, interim ones included."""
        while b"\r\n\r\n" not in self._read:
            if not self._more():
                return Answer(status=CLOSED)
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        answer = Answer(status=int(head.split()[1]), head=head)
        length = int(answer.headers.get("content-length", "0")) if has_body else 0
        while len(self._read) < length and self._more():
            pass
        body, self._read = self._read[:length], self._read[length:]
        return attrs.evolve(answer, body=body)

    def is_open(self) -> bool:
        """Say whether the other side has not closed. Waits for nothing."""
        self.socket.setblocking(False)
        try:
            return bool(self.socket.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            self.socket.settimeout(PATIENCE_S)

    def _more(self) -> bool:
        try:
            piece = self.socket.recv(65536)
        except ConnectionResetError:
            return False
        self._read += piece
        return bool(piece)


@attrs.frozen
class Peer:
    """Somebody who connects from an address."""

    host: str
    port: int
    source: str = "127.0.0.1"

    def connect(self) -> Wire:
        """Open a connection; the caller closes its socket."""
        address = (self.source, 0)
        return Wire(socket.create_connection((self.host, self.port), timeout=PATIENCE_S, source_address=address))

    @contextmanager
    def wire(self) -> Iterator[Wire]:
        """Open a connection for a while."""
        opened = self.connect()
        try:
            yield opened
        finally:
            opened.socket.close()

    def post(self, path: str, body: bytes, *headers: str) -> Answer:
        """Post in one piece."""
        return self.ask(request("POST", path, body, *headers))

    def ask(self, *pieces: bytes, has_body: bool = True) -> Answer:
        """Send pieces over a connection of their own, and return the first answer."""
        with self.wire() as wire:
            wire.send(*pieces)
            return wire.answer(has_body=has_body)

    def ask_each(self, requests: Iterable[bytes]) -> list[Answer]:
        """Ask each over a connection of its own."""
        return [self.ask(one) for one in requests]


def request(method: str, path: str, body: bytes = b"", *headers: str) -> bytes:
    """Return a request with its length."""
    return head(method, path, f"Content-Length: {len(body)}", *headers) + body


def head(method: str, path: str, *headers: str) -> bytes:
    """Return a request's head."""
    lines = (f"{method} {path} HTTP/1.1", "Host: tocsin.example.com", *headers)
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n"


def chunked(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """Return a body in chunks."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + end
