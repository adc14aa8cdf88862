"""Who calls, by the key that they show, and what that key may do.

A key is nowhere stored: its SHA-256 is. Every key of the ring is compared, so that the time taken tells nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable

import falcon

from tocsin.config.values import GatewayKey
from tocsin.gateway.problems import Busy
from tocsin.model.account import Rate

_CHALLENGE = ('Bearer realm="tocsin"', 'Basic realm="tocsin"')


class Keyring:
    """The keys that may call.

    Args:
        keys: of the configuration.
        monotonic: seconds on a clock that never goes back.
    """

    def __init__(self, keys: Iterable[GatewayKey], monotonic: Callable[[], float]) -> None:
        self._keys = tuple(keys)
        self._monotonic = monotonic
        self._uses: dict[tuple[str, Rate], deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def enter(self, request: falcon.Request, *scopes: str, patient: bool = False) -> GatewayKey:
        """Return the key that a request shows, if it may do all of that; it is used once more.

        Args:
            scopes: what it must be allowed to do.
            patient: the caller tries again after 503 and never after 429, as Alertmanager does.

        Raises:
            falcon.HTTPUnauthorized: it shows none that we know.
            falcon.HTTPForbidden: it may not.
            falcon.HTTPTooManyRequests: it is used too often; Busy for who is patient.
        """
        key = self._find(request.get_header("Authorization") or "")
        request.context.key = key.name
        for scope in scopes:
            demand(key, scope)
        self._spend(key, patient=patient)
        return key

    def _spend(self, key: GatewayKey, *, patient: bool) -> None:
        wait_s = self._wait_s(key)
        if wait_s is None:
            return
        why = "this key is used more often than its limits allow"
        if patient:
            raise Busy(why, wait_s)
        raise falcon.HTTPTooManyRequests(title="Too many requests", description=why, retry_after=wait_s)

    def _wait_s(self, key: GatewayKey) -> int | None:
        """Return the whole seconds until the key may be used again; None where it may, and has been."""
        now = self._monotonic()
        with self._lock:
            logs = [(rate, self._uses[key.name, rate]) for rate in key.limits]
            for rate, log in logs:
                while log and log[0] <= now - rate.window_s:
                    log.popleft()
            full = [log[0] + rate.window_s - now for rate, log in logs if len(log) >= rate.count]
            if full:
                return max(1, int(max(full)) + 1)
            for _, log in logs:
                log.append(now)
        return None

    def _find(self, authorization: str) -> GatewayKey:
        shown = _shown(authorization)
        digest = hashlib.sha256(shown).hexdigest()
        found = [key for key in self._keys if hmac.compare_digest(key.sha256, digest) and shown]
        if not found:
            raise falcon.HTTPUnauthorized(
                title="Who calls?",
                description="expected a key: Authorization: Bearer KEY, or basic auth with the key as password"
                if self._keys
                else "no key is configured; `tocsin key new` makes one",
                challenges=_CHALLENGE,
            )
        return found[0]


def demand(key: GatewayKey, scope: str) -> None:
    """Return where the key may do that.

    Raises:
        falcon.HTTPForbidden: it may not.
    """
    if scope not in key.scopes:
        raise falcon.HTTPForbidden(title="Not allowed", description=f"this key lacks the scope {scope}")


def _shown(authorization: str) -> bytes:
    """Return the key of an Authorization header: of a bearer, or the password of basic auth."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip().encode("utf-8", "surrogateescape")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return b""
    return b""
