"""A listening socket on 127.0.0.1 and a thread for each connection. Nothing outlives `close`."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable

from tocsin.sandbox.connection import Connection
from tocsin.sandbox.http import Answer, UnreadableRequest

HOST = "127.0.0.1"

Serve = Callable[[Connection], bool]
"""Serves one request of a connection; False when there will be no other."""


class Server:
    """Listens from the moment it is made. It can go dark and come back on the same port.

    Args:
        serve: called in the connection's thread, again and again until it returns False. It may raise OSError when
            the client goes.
        port: 0 for any free one.
    """

    def __init__(self, serve: Serve, port: int = 0) -> None:
        self._serve = serve
        self._listener = _bind(port)
        self.port: int = self._listener.getsockname()[1]
        self._threads: dict[Connection, threading.Thread] = {}
        self._threads_lock = threading.Lock()
        self._switch = threading.RLock()
        self._acceptor: threading.Thread | None = None
        self._bell: socket.socket | None = None
        self.light_up()

    @property
    def is_lit(self) -> bool:
        """Whether connects succeed."""
        return self._acceptor is not None

    def light_up(self) -> None:
        """Listen (again). Connects succeed when this returns."""
        with self._switch:
            if self._acceptor is not None:
                return
            self._listener.listen(128)
            self._bell, bell = socket.socketpair()
            name = f"sandbox-{self.port}"
            self._acceptor = threading.Thread(target=self._accept, args=(self._listener, bell), name=name, daemon=True)
            self._acceptor.start()

    def go_dark(self) -> None:
        """Refuse connects and drop every open connection. The port stays reserved."""
        with self._switch:
            if self._acceptor is None:
                return
            self._stop()
            # Bound but not listening: the kernel refuses connects, and nobody else is given the port.
            self._listener = _bind(self.port)

    def close(self) -> None:
        """Stop for good: sockets closed, threads joined. Safe to call twice."""
        with self._switch:
            self._stop()

    def _stop(self) -> None:
        if self._acceptor is not None and self._bell is not None:
            self._bell.close()
            self._acceptor.join()
            self._acceptor = None
        self._listener.close()
        with self._threads_lock:
            threads = dict(self._threads)
        for connection in threads:
            connection.interrupt()
        for thread in threads.values():
            thread.join()

    def _accept(self, listener: socket.socket, bell: socket.socket) -> None:
        with bell, selectors.DefaultSelector() as selector:
            selector.register(listener, selectors.EVENT_READ)
            selector.register(bell, selectors.EVENT_READ)
            while all(key.fileobj is listener for key, _ in selector.select()):
                with contextlib.suppress(OSError):  # the client may have gone between select and accept
                    self._welcome(listener.accept()[0])

    def _welcome(self, sock: socket.socket) -> None:
        sock.setblocking(True)
        connection = Connection(sock)
        thread = threading.Thread(target=self._attend, args=(connection,), name=f"sandbox-{self.port}-c", daemon=True)
        with self._threads_lock:
            self._threads[connection] = thread
        thread.start()

    def _attend(self, connection: Connection) -> None:
        try:
            while self._serve(connection):
                pass
        except UnreadableRequest as unreadable:
            with contextlib.suppress(OSError):
                connection.send(Answer(status=unreadable.status, content_type="text/plain").render())
        except OSError:
            pass  # the client went, or the server closes
        finally:
            connection.close()
            with self._threads_lock:
                del self._threads[connection]


def _bind(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)
        listener.bind((HOST, port))
    except OSError:
        listener.close()
        raise
    return listener
