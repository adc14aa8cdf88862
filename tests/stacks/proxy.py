"""A proxy before the gateway, with which a test holds answers back: requests pass at once, answers when they may.

So the gateway has done its work long before whoever asked hears of it. Called by the scenarios.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time


class Proxy:
    """Listens on loopback from the moment it is made.

    Args:
        upstream: host and port of the gateway.
    """

    def __init__(self, upstream: tuple[str, int]) -> None:
        self._upstream = upstream
        self._hold_s = 0.0
        self._requests = 0
        self._lock = threading.Condition()
        self._closing = False
        self._sockets: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [self._start(self._accept)]

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def requests(self) -> int:
        """How many requests have passed so far."""
        with self._lock:
            return self._requests

    def hold(self, seconds: float) -> None:
        """From now on hold each answer back for so long, counted from its request; also those that wait by now."""
        with self._lock:
            self._hold_s = seconds
            self._lock.notify_all()

    def close(self) -> None:
        """Close every socket, and end every thread."""
        with self._lock:
            self._closing = True
            self._lock.notify_all()
            sockets = [self._listener, *self._sockets]
        for one in sockets:
            _hang_up(one)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _start(self, run: object, *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=run, args=arguments, daemon=True)  # type: ignore[arg-type]
        thread.start()
        return thread

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while not self._closing:
                client, _ = self._listener.accept()
                with self._lock:
                    self._sockets.add(client)
                self._threads.append(self._start(self._serve, client))

    def _serve(self, client: socket.socket) -> None:
        with client:
            try:
                server = socket.create_connection(self._upstream, timeout=5)
            except OSError:
                return  # nobody is there: whoever asked sees a closed connection
            server.settimeout(None)
            with self._lock:
                self._sockets.add(server)
            with server:
                asked_at = [time.monotonic()]
                back = self._start(self._pass_back, server, client, asked_at)
                self._pass_on(client, server, asked_at)
                back.join()

    def _pass_on(self, client: socket.socket, server: socket.socket, asked_at: list[float]) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                asked_at[0] = time.monotonic()
                with self._lock:
                    self._requests += data.startswith(b"POST ")
                server.sendall(data)
        _hang_up(server)

    def _pass_back(self, server: socket.socket, client: socket.socket, asked_at: list[float]) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if not self._may_answer(asked_at[0]):
                    break
                client.sendall(data)
        _hang_up(client)

    def _may_answer(self, asked_at: float) -> bool:
        """Wait until an answer may go; say whether it may, or all is over."""
        with self._lock:
            while not self._closing and (left_s := asked_at + self._hold_s - time.monotonic()) > 0:
                self._lock.wait(left_s)
            return not self._closing


def _hang_up(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
