"""What every endpoint works with: the tocsin, who may call, how a body is read, where things are taken in."""

from __future__ import annotations

import threading

import attrs
import falcon

from tocsin.app import Tocsin
from tocsin.gateway.body import BodyReader, BodyRefused
from tocsin.gateway.committer import Committer
from tocsin.gateway.keys import Keyring
from tocsin.gateway.problems import RETRY_AFTER_S

_WORDS = {
    400: ("Cut", "the body ended before its length"),
    408: ("Too slow", "the body did not arrive in time"),
    413: ("Too large", "the body is larger than is taken here"),
    415: ("Encoded", "expected a body without content coding"),
    503: ("Not now", "too many bodies are waited for; nothing was accepted"),
}


@attrs.frozen(kw_only=True)
class Reception:
    """The parts of one gateway.

    Args:
        stopping: set when the gateway is told to end.
    """

    tocsin: Tocsin
    keys: Keyring
    bodies: BodyReader
    committer: Committer
    stopping: threading.Event

    def read(self, request: falcon.Request, most_bytes: int) -> bytes:
        """Return the body of a request. Who calls is known by then.

        Raises:
            falcon.HTTPError: it is not taken.
        """
        try:
            owner = f"key:{request.context.get('key', '')}"
            return self.bodies.read(request.env, most_bytes, owner, at_once=True)
        except BodyRefused as refused:
            raise _problem_of(refused) from None


def _problem_of(refused: BodyRefused) -> falcon.HTTPError:
    title, description = _WORDS[refused.status]
    headers = {"Connection": "close"}
    if refused.status == falcon.http_status_to_code(falcon.HTTP_SERVICE_UNAVAILABLE):
        headers["Retry-After"] = str(RETRY_AFTER_S)
    return falcon.HTTPError(refused.status, title=title, description=description, headers=headers)
