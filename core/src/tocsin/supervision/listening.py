"""The listening socket. The supervisor keeps it open while processes come and go: who calls meanwhile waits."""

from __future__ import annotations

import errno
import socket
import time

import attrs

from tocsin.errors import InvalidInput

BACKLOG = 4096
"""Callers that may wait while no process takes them; the system may allow fewer."""

_DEAD_PEERS = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 60_000),
)
"""A peer that is gone without a word is noticed within about a minute: the thread that waits for it is free again."""

_PATIENCE_S = 15.0
_LOOK_S = 0.1


class CannotListen(InvalidInput):
    """The address cannot be listened on. Free it, or name another in `[gateway] listen`."""


@attrs.frozen(kw_only=True)
class Listener:
    """A listening socket, and the address that the configuration asks for.

    Args:
        host, port: as configured; port 0 lets the system choose.
        socket: listening.
    """

    host: str
    port: int
    socket: socket.socket

    def is_for(self, host: str, port: int) -> bool:
        """Say whether it is what that address asks for."""
        return (self.host, self.port) == (host, port)


def listen(host: str, port: int, patience_s: float = _PATIENCE_S) -> Listener:
    """Listen on an address.

    Args:
        host: name or address, IPv6 without brackets.
        port: 0 lets the system choose.
        patience_s: how long an address may stay taken: by a gateway before, which is about to end.

    Raises:
        CannotListen: it is taken, not ours, or no address.
    """
    until = time.monotonic() + patience_s
    while True:
        try:
            return Listener(host=host, port=port, socket=_listen(host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() >= until:
                raise CannotListen(f"cannot listen on {show(host, port)}: {error.strerror or error}") from error
        time.sleep(_LOOK_S)


def _listen(host: str, port: int) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listening = socket.create_server(address[:2], family=family, backlog=BACKLOG)
    for level, option, value in _DEAD_PEERS:  # whom it accepts inherits them
        listening.setsockopt(level, option, value)
    return listening


def show(host: str, port: int) -> str:
    """Render an address as the configuration writes it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def address_of(listening: socket.socket) -> str:
    """Render the address on which a socket really listens."""
    host, port = listening.getsockname()[:2]
    return show(host, port)
