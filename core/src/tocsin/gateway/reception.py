"""What every endpoint works with: the tocsin, who may call, how a body is read, where things are taken in."""

from __future__ import annotations

import threading

import attrs
import falcon

from tocsin.app import Tocsin
from tocsin.gateway.committer import Committer
from tocsin.gateway.keys import Keyring


@attrs.frozen(kw_only=True)
class Reception:
    """The parts of one gateway.

    Args:
        stopping: set when the gateway is told to end.
    """

    tocsin: Tocsin
    keys: Keyring
    committer: Committer
    stopping: threading.Event

    def read(self, request: falcon.Request, most_bytes: int) -> bytes:
        """Return the body of a request, bounded in size and time. Who calls is known by then."""
        body: bytes = request.stream.read(most_bytes + 1)
        if len(body) > most_bytes:
            raise falcon.HTTPContentTooLarge(title="Too large", description=f"expected {most_bytes} bytes at most")
        return body
