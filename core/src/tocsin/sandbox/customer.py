"""The customer's side of a push: listens on loopback, keeps what comes, and answers as told. For tests of pushes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tocsin.sandbox.connection import Connection
from tocsin.sandbox.http import Answer, Request
from tocsin.sandbox.server import HOST, Server


@contextmanager
def listen(*answers: Answer) -> Iterator[tuple[str, list[Request]]]:
    """Yield a URL to push to, and the list that what comes is added to.

    Args:
        answers: given in turn, the last one for ever; 200 without a body where there is none.
    """
    given = answers or (Answer(),)
    came: list[Request] = []

    def serve(connection: Connection) -> bool:
        request = connection.read()
        if request is None:
            return False
        came.append(request)
        connection.send(given[min(len(came), len(given)) - 1].render())
        return True

    server = Server(serve)
    try:
        yield f"http://{HOST}:{server.port}/push", came
    finally:
        server.close()
