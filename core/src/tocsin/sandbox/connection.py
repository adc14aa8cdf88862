"""One client's connection, with everything that a well-behaved server would never do to it.

A connection belongs to one thread; `interrupt` alone may be called from another.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading

from tocsin.sandbox.http import Request, read_request

_RST_ON_CLOSE = struct.pack("ii", 1, 0)


class Connection:
    """An accepted socket. Every method may raise OSError once the client has gone or `interrupt` was called."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._stream = sock.makefile("rb")
        self._closing = threading.Lock()
        self.is_open = True

    def read(self) -> Request | None:
        """Wait for the next request; None where the client hung up."""
        return read_request(self._stream)

    def send(self, data: bytes) -> None:
        """Hand all of the data to the kernel."""
        self._sock.sendall(data)

    def pause(self, seconds: float) -> None:
        """Wait, unless the client hangs up or the server closes first.

        Raises:
            ConnectionAbortedError: there is nobody left to wait for.
        """
        self._sock.settimeout(seconds)
        try:
            self._sock.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return
        finally:
            self._sock.settimeout(None)
        raise ConnectionAbortedError("the client or the server hung up")

    def hold(self) -> None:
        """Keep silent until the client hangs up or the server closes."""
        while self._sock.recv(4096):
            pass

    def reset(self) -> None:
        """Close with RST in place of FIN."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
        self.close()

    def close(self) -> None:
        """Close with FIN. Safe to call twice."""
        with self._closing:
            self.is_open = False
            self._stream.close()
            self._sock.close()

    def interrupt(self) -> None:
        """Wake whatever the connection's own thread waits for: it finds the client gone."""
        with self._closing, contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
