"""Where a service listens: whom it accepts is watched, so that one that is gone without a word is noticed."""

import socket
from contextlib import closing

from tocsin.supervision.listening import listen


def test_whoever_is_accepted_is_watched():
    """Each connection asks a silent peer whether it is there, and gives up one that does not take what it is sent."""
    with (
        closing(listen("127.0.0.1", 0).socket) as listener,
        closing(socket.create_connection(listener.getsockname())),
        closing(listener.accept()[0]) as accepted,
    ):
        assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        idle, between, times = (
            accepted.getsockopt(socket.IPPROTO_TCP, option)
            for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        )
        assert idle + between * times <= 60
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000
