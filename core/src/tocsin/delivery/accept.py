"""From what a caller hands in to what the store accepts: checked, routed, with ids and times."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime

import attrs

from tocsin.errors import InvalidInput, NoRoute
from tocsin.model.ids import AccountId, HolderId, delivery_id, new_message_id
from tocsin.model.message import Message, MessageClass
from tocsin.model.phone import E164
from tocsin.model.submission import Attachment
from tocsin.outbox.record import Acceptance, NewDelivery
from tocsin.policy.route import Route, Strategy, Traits, find_route
from tocsin.registry import MiddlewarePlugin


@attrs.frozen(kw_only=True)
class Draft:
    """What a caller hands in.

    Args:
        to: recipients; one given twice counts once.
        text: may be empty with attachments only.
        send_at: aware; None for now.
        expires_at: aware; when no submit may begin any more, if that is sooner than its route says.
        only: the one account that it may leave through, whatever its route says; None for any of its route.
    """

    to: tuple[E164, ...]
    text: str = attrs.field(repr=False)
    cls: MessageClass = MessageClass.ALERT
    tags: Mapping[str, str] = attrs.field(factory=dict)
    source: str = "library"
    idempotency_key: str | None = attrs.field(default=None, repr=False)
    send_at: datetime | None = None
    extension: str = ""
    subject: str = attrs.field(default="", repr=False)
    attachments: tuple[Attachment, ...] = ()
    only: AccountId | None = None
    expires_at: datetime | None = None

    def fingerprint(self) -> str:
        """Return a digest of all that an idempotency key stands for."""
        parts = {
            "to": [to.full for to in self.to],
            "text": self.text,
            "class": self.cls.value,
            "tags": dict(self.tags),
            "send_at": None if self.send_at is None else self.send_at.isoformat(),
            "extension": self.extension,
            "subject": self.subject,
            "attachments": [[one.name, hashlib.sha256(one.content).hexdigest()] for one in self.attachments],
            **({} if self.only is None else {"only": self.only}),
            **({} if self.expires_at is None else {"expires_at": self.expires_at.isoformat()}),
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def prepare(
    draft: Draft,
    routes: tuple[Route, ...],
    middleware: tuple[MiddlewarePlugin, ...],
    *,
    now: datetime,
    draw_bits: Callable[[int], int],
    holder: HolderId | None = None,
) -> Acceptance:
    """Make an acceptance of a draft.

    Args:
        draft: what was handed in.
        routes: of the configuration.
        middleware: may rewrite the message before anything looks at it.
        now: time of acceptance.
        draw_bits: source of the id.
        holder: who claims the deliveries at once.

    Raises:
        InvalidInput: nothing to send, or nobody to send it to.
        NoRoute: a recipient's message is on no route.
        PluginError: a middleware failed.
    """
    if not draft.to:
        raise InvalidInput("a message needs at least one recipient")
    if not draft.text and not draft.attachments:
        raise InvalidInput("a message needs a text, or attachments")
    _check_characters(draft)
    message = Message(
        id=new_message_id(now, draw_bits),
        to=draft.to,
        text=draft.text,
        cls=draft.cls,
        accepted_at=now,
        tags=draft.tags,
        source=draft.source,
        idempotency_key=draft.idempotency_key,
        send_at=draft.send_at,
        extension=draft.extension,
        subject=draft.subject,
        attachments=draft.attachments,
    )
    for plugin in middleware:
        message = plugin.rewrite_message(message)
    if not message.to:
        raise InvalidInput("a plugin took every recipient off the message")
    if len(to := tuple(dict.fromkeys(message.to))) < len(message.to):
        message = attrs.evolve(message, to=to)
    deliveries = _new_deliveries(message, routes, draft.only, now)
    if draft.expires_at is not None:
        deliveries = tuple(_until(draft.expires_at, one) for one in deliveries)
    if holder is not None:  # submitted at once: a time to send at is the vendor's to keep
        deliveries = tuple(attrs.evolve(delivery, due_at=now) for delivery in deliveries)
    fingerprint = "" if message.idempotency_key is None else draft.fingerprint()
    return Acceptance(message=message, deliveries=deliveries, fingerprint=fingerprint, holder=holder)


def _until(expires_at: datetime, delivery: NewDelivery) -> NewDelivery:
    """Let a delivery expire no later than that.

    Raises:
        InvalidInput: it would expire before it is due.
    """
    if expires_at <= delivery.due_at:
        raise InvalidInput("the message would expire before it can be sent; expected a later time to expire at")
    return attrs.evolve(delivery, expires_at=min(expires_at, delivery.expires_at))


def _check_characters(draft: Draft) -> None:
    """Refuse what no charset can carry: half a character, as an argument in a foreign encoding becomes."""
    texts = {
        "text": draft.text,
        "extension number": draft.extension,
        "subject": draft.subject,
        "idempotency key": draft.idempotency_key or "",
        "tag": "".join((*draft.tags, *draft.tags.values())),
        "attachment's name": "".join(one.name for one in draft.attachments),
    }
    for what, text in texts.items():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InvalidInput(f"the {what} holds what is no character; expected UTF-8") from None


def _new_deliveries(
    message: Message, routes: tuple[Route, ...], only: AccountId | None, now: datetime
) -> tuple[NewDelivery, ...]:
    """Return a delivery for each recipient; on a route that broadcasts, one for each of its accounts."""
    wanted: list[tuple[E164, Route, AccountId | None]] = []
    for position, to in enumerate(message.to, start=1):
        route = find_route(routes, traits_of(message, to, now))
        if route is None:
            raise NoRoute(f"no route takes a message of class {message.cls.value} to recipient {position}")
        copies = route.accounts if route.strategy is Strategy.BROADCAST and only is None else (only,)
        wanted += [(to, route, account) for account in copies]
    due_at = max(now, message.send_at or now)
    return tuple(
        NewDelivery(
            id=delivery_id(message.id, position),
            to=to,
            route=route.name,
            due_at=due_at,
            expires_at=expires_at(route, message.cls, due_at),
            only=account,
            in_turn=route.strategy is Strategy.ROUND_ROBIN and account is None,
        )
        for position, (to, route, account) in enumerate(wanted, start=1)
    )


def traits_of(message: Message, to: E164, now: datetime) -> Traits:
    """Return what a route looks at, of a message to one recipient."""
    return Traits(cls=message.cls, to=to, tags=message.tags, source=message.source, now=now, size=len(message.text))


def expires_at(route: Route, cls: MessageClass, due_at: datetime) -> datetime:
    """Return when no submit may begin any more. A mass mailing ends with the hours of its route."""
    if cls is MessageClass.BULK and route.match.hours is not None and route.changes.expires_after is None:
        return route.match.hours.next_end(due_at)
    return due_at + route.rules_for(cls).expires_after
