"""What vendors push: durable before anything reads it, applied as far as its sender is trusted, answered as they wish.

A push with a token alone is worth little: anybody may have learnt the address. It is kept and shown; it closes no
delivery, settles no doubt, silences nobody. It makes the next poll come sooner, and that one is believed.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode

from tocsin import observe
from tocsin.delivery.parts import Parts
from tocsin.errors import CommitUnknown, PluginError, StoreError
from tocsin.model.account import Account
from tocsin.model.optout import word_in
from tocsin.model.push import PushRefused, PushReply, PushRequest, Trust, VerifiedPush
from tocsin.outbox.ports import RawId
from tocsin.outbox.record import RawAnswer

KIND = "pushed"

_NOT_UNDERSTOOD = PushReply(status=400, body=b"not understood\n")
_NOT_NOW = PushReply(status=503, body=b"not now\n")
_NOT_KEPT = frozenset({"authorization", "cookie", "proxy", "proxy-authorization"})
"""Headers that are for somebody else: they are neither kept nor shown to a plugin."""


class Pushes:
    """Takes pushes in. Thread-safe.

    Args:
        parts: what delivery works with.
        broken: called when nobody knows any more what the store holds.
    """

    def __init__(self, parts: Parts, broken: Callable[[], None] = lambda: None) -> None:
        self._parts = parts
        self._broken = broken

    def take(self, account: Account, push: PushRequest, trust: Trust) -> PushReply:
        """Store, read and apply a push; return what the vendor is answered. Who pushes is known by then."""
        raw = as_raw(account, push, trust)
        try:
            spooled = self._parts.store.spool(raw, self._parts.clock.now())
        except StoreError as error:
            return self._not_stored(account, push, error)
        try:
            return self._read(account, spooled, raw)
        except StoreError as error:  # it is durable: who starts next reads it, or the vendor tries again
            return self._not_stored(account, push, error)

    def read_left_behind(self, account: Account) -> int:
        """Read what was stored and then not read, since the process died or the store failed; say how many."""
        left = self._parts.store.unread(account.id, KIND)
        for spooled, raw in left.items():
            self._read(account, spooled, raw)
        return len(left)

    def _read(self, account: Account, spooled: RawId, raw: RawAnswer) -> PushReply:
        try:
            verdict = self._verify(account, as_push(raw))
        except PluginError as error:
            self._quarantine(account, spooled, str(error))
            observe.log.error(observe.ALARM, reason="push-unread", account=account.id, cause=str(error))
            return _NOT_NOW
        if isinstance(verdict, PushRefused):
            self._quarantine(account, spooled, verdict.why)
            return _NOT_UNDERSTOOD
        self._apply(account, spooled, verdict, raw.trust)
        return verdict.when_stored

    def _apply(self, account: Account, spooled: RawId, push: VerifiedPush, trust: Trust) -> None:
        words = self._parts.fleet.opt_out.words
        store, now = self._parts.store, self._parts.clock.now()
        if not store.apply_push(spooled, push, words, shared=account.shared, now=now):
            return
        counts = {
            "count": len(push.reports.rows) + len(push.inbound.rows),
            "quarantined": len(push.reports.unparsed) + len(push.inbound.unparsed),
        }
        observe.log.info(observe.PUSH_STORED, account=account.id, kind=trust.name.lower(), **counts)
        if count := sum(bool(word_in(message.text, words)) for message in push.inbound.rows):
            if trust is Trust.TOKEN:
                observe.log.error(observe.ALARM, reason="opt-out-unproved", account=account.id, count=count)
            else:
                observe.log.warning(observe.OPTED_OUT, account=account.id, count=count)

    def _quarantine(self, account: Account, spooled: RawId, why: str) -> None:
        self._parts.store.quarantine(spooled, why, self._parts.clock.now())
        observe.log.warning(observe.PUSH_QUARANTINED, account=account.id, cause=why)

    def _not_stored(self, account: Account, push: PushRequest, error: StoreError) -> PushReply:
        """Say to the vendor, in its own words, that it should try again."""
        observe.log.error(observe.ALARM, reason="push-not-stored", account=account.id, cause=str(error))
        if isinstance(error, CommitUnknown):
            self._broken()
        try:
            verdict = self._verify(account, push)
        except PluginError:
            return _NOT_NOW
        return verdict.when_not_stored if isinstance(verdict, VerifiedPush) else _NOT_NOW

    def _verify(self, account: Account, push: PushRequest) -> VerifiedPush | PushRefused:
        plugin = self._parts.fleet.registry.plugin_for(account)
        return plugin.verify_push(account, push, self._parts.clock.now())


def as_raw(account: Account, push: PushRequest, trust: Trust) -> RawAnswer:
    """Return a push as it is spooled: what is no header stands among them under a name that no header has."""
    kept = tuple((name, value) for name, value in push.headers if name not in _NOT_KEPT)
    said = (":method", push.method), (":path", push.path), (":query", urlencode(push.query)), (":peer", push.peer)
    return RawAnswer(account=account.id, kind=KIND, trust=trust, body=push.body, headers=(*said, *kept))


def as_push(raw: RawAnswer) -> PushRequest:
    """Return a push as it came: the first reading of it and a later one are the same."""
    said = {name: value for name, value in raw.headers if name.startswith(":")}
    return PushRequest(
        method=said[":method"],
        path=said[":path"],
        headers=tuple((name, value) for name, value in raw.headers if not name.startswith(":")),
        query=tuple(parse_qsl(said[":query"], keep_blank_values=True)),
        body=raw.body,
        peer=said[":peer"],
    )
