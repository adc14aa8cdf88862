"""`/push/{account}/{token}`: where vendors post reports and replies.

A wrong token, an account that does not exist and one that takes no pushes are the same to whoever asks: the same
answer, to the byte, after the same work. Nothing of a request is read before its token is known.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import attrs
import falcon

from tocsin import observe
from tocsin.delivery.parts import Parts
from tocsin.delivery.push import Pushes
from tocsin.errors import StoreError
from tocsin.gateway.body import BodyReader, BodyRefused
from tocsin.gateway.peers import Network, find_peer, is_within, read_networks
from tocsin.gateway.problems import RETRY_AFTER_S
from tocsin.model.account import Account
from tocsin.model.push import PushReply, PushRequest, Trust

MOST_BYTES = 1024 * 1024

_PLAIN = "text/plain; charset=utf-8"
_WORDS = {400: "not whole\n", 408: "too slow\n", 413: "too large\n", 415: "encoded\n", 503: "not now\n"}


@attrs.frozen(kw_only=True)
class _Door:
    """How one account is pushed to."""

    account: Account
    digest: bytes = attrs.field(repr=False)
    allow: tuple[Network, ...]


class VendorPush:
    """The endpoint.

    Args:
        parts: what delivery works with.
        bodies: reads bodies, so many of each account at a time.
        trusted_proxies: networks whose X-Forwarded-For is believed.
        broken: called when nobody knows any more what the store holds.
    """

    def __init__(
        self,
        parts: Parts,
        bodies: BodyReader,
        trusted_proxies: Iterable[str] = (),
        broken: Callable[[], None] = lambda: None,
    ) -> None:
        self._bodies = bodies
        self._doors = {one.id: _door(one) for one in parts.fleet.accounts.values() if one.push.token}
        self._nobody = secrets.token_bytes(32)
        self._proxies = read_networks(trusted_proxies)
        self._pushes = Pushes(parts, broken)

    def read_left_behind(self) -> None:
        """Read what a gateway before this one had stored and not read any more."""
        for door in self._doors.values():
            try:
                count = self._pushes.read_left_behind(door.account)
            except StoreError as error:  # the worker looks for them, too
                observe.log.error(observe.ALARM, reason="push-unread", account=door.account.id, cause=str(error))
                continue
            if count:
                observe.log.warning(observe.PUSHES_RECOVERED, account=door.account.id, count=count)

    def on_post(self, request: falcon.Request, response: falcon.Response, account: str, token: str) -> None:
        """Take a push in."""
        door = self._find(account, token)
        if door is None:
            observe.log.info(observe.PUSH_TURNED_AWAY)
            _answer(response, PushReply(status=404, body=b"not found\n"))
            return
        try:
            body = self._bodies.read(request.env, MOST_BYTES, f"push:{door.account.id}")
        except BodyRefused as refused:
            observe.log.warning(observe.PUSH_REFUSED, account=door.account.id, cause=refused.reason)
            _answer(response, PushReply(status=refused.status, body=_WORDS[refused.status].encode()))
            response.set_header("Connection", "close")
            return
        peer = find_peer(request.env.get("REMOTE_ADDR", ""), request.env.get("HTTP_X_FORWARDED_FOR", ""), self._proxies)
        push = _push(request, body, peer)
        _answer(response, self._pushes.take(door.account, push, _trust(door, peer)))

    def on_options(self, _: falcon.Request, __: falcon.Response, account: str, token: str) -> None:  # noqa: ARG002
        """Refuse it like any other method."""
        raise falcon.HTTPMethodNotAllowed(["POST"])

    def _find(self, account: str, token: str) -> _Door | None:
        """Return the account's door where the token opens it. The work is the same whatever is wrong."""
        door = self._doors.get(account)  # type: ignore[call-overload]  # any text may be asked for
        expected = self._nobody if door is None else door.digest
        fits = hmac.compare_digest(_digest(token), expected)
        return door if fits else None


def _door(account: Account) -> _Door:
    token = "" if account.push.token is None else account.push.token.reveal()
    return _Door(
        account=account,
        digest=_digest(token),
        allow=read_networks(account.push.allow),
    )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _trust(door: _Door, peer: str) -> Trust:
    """Say how far a push is trusted. The right token from elsewhere than it should come from is told to somebody."""
    if not door.allow:
        return Trust.TOKEN
    if is_within(peer, door.allow):
        return Trust.TOKEN_AND_PEER
    observe.log.error(observe.ALARM, reason="push-from-elsewhere", account=door.account.id)
    return Trust.TOKEN


def _push(request: falcon.Request, body: bytes, peer: str) -> PushRequest:
    query = tuple(parse_qsl(request.query_string, keep_blank_values=True))
    return PushRequest(method=request.method, path="", headers=_headers(request.env), query=query, body=body, peer=peer)


def _headers(environ: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the headers of a request, names in lower case."""
    named = {"content-type": environ.get("CONTENT_TYPE"), "content-length": environ.get("CONTENT_LENGTH")}
    named |= {key[5:].lower().replace("_", "-"): value for key, value in environ.items() if key.startswith("HTTP_")}
    return tuple((name, str(value)) for name, value in sorted(named.items()) if value)


def _answer(response: falcon.Response, reply: PushReply) -> None:
    response.status = reply.status
    response.content_type = reply.content_type
    response.data = reply.body
    if reply.status == falcon.http_status_to_code(falcon.HTTP_503):
        response.set_header("Retry-After", str(RETRY_AFTER_S))
