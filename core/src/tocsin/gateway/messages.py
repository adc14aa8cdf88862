"""`/v1/messages`: hand a message in, look where it stands, list deliveries, cancel."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import attrs
import falcon

from tocsin.errors import InvalidNumber, NotFound
from tocsin.gateway.keys import demand
from tocsin.gateway.pages import Page, read_limit
from tocsin.gateway.problems import InvalidFields
from tocsin.gateway.reading import MOST_NAME, Asked, read_document, read_message
from tocsin.gateway.reception import Reception
from tocsin.model.ids import DeliveryId, MessageId, first_id_since
from tocsin.model.phone import E164, parse_number
from tocsin.outbox.alert import whole
from tocsin.outbox.record import Acceptance, Filter
from tocsin.outbox.state import State
from tocsin.shown import delivery_json, iso, story_json

MOST_BYTES = 1024 * 1024
SEND_SCOPE = "send:{}"


class Messages:
    """`/v1/messages`."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._tocsin = reception.tocsin

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        """Accept a message: 202 once it is durable."""
        key = self._reception.keys.enter(request)
        asked = _with_header(
            read_message(read_document(self._reception.read(request, MOST_BYTES)), self._group), request
        )
        demand(key, SEND_SCOPE.format(asked.cls.value))
        acceptance = self._prepare(asked, key.name)
        (message,) = self._reception.committer.take(whole(acceptance)).messages
        response.status = falcon.HTTP_202
        response.set_header("Location", f"/v1/messages/{message}")
        response.media = {"id": message, "deliveries": self._deliveries(acceptance, message)}

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """List deliveries, the newest first, a page at a time."""
        self._reception.keys.enter(request, "read")
        limit = read_limit(request)
        wanted = Filter(**_conditions(request), limit=limit + 1)
        found = self._tocsin.deliveries(wanted)
        response.media = Page.of(found, limit, lambda one: one.id).as_json(delivery_json)

    def _group(self, name: str) -> tuple[E164, ...]:
        return self._tocsin.group(name)

    def _prepare(self, asked: Asked, key: str) -> Acceptance:
        """Make what is stored. A caller's idempotency keys are its own: another's never meet them."""
        idempotency_key = None if asked.idempotency_key is None else f"api:{key}:{asked.idempotency_key}"
        return self._tocsin.prepare(
            to=asked.to,
            text=asked.text,
            cls=asked.cls,
            tags=asked.tags,
            source=f"api:{key}",
            idempotency_key=idempotency_key,
            send_at=asked.send_at,
            expires_at=asked.expires_at,
            extension=asked.extension,
        )

    def _deliveries(self, acceptance: Acceptance, message: MessageId) -> list[dict[str, Any]]:
        """Return a message's deliveries as they stand: what was accepted just now is queued."""
        if message == acceptance.message.id:
            return [{"id": one.id, "to": one.to.full, "state": State.QUEUED.value} for one in acceptance.deliveries]
        known = self._tocsin.deliveries(Filter(message=message))
        return [{"id": one.id, "to": one.to.full, "state": one.state.value} for one in known]


class OneMessage:
    """`/v1/messages/{name}`: a message, or one delivery of it."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._tocsin = reception.tocsin

    def on_get(self, request: falcon.Request, response: falcon.Response, name: str) -> None:
        """Tell the whole story: state, attempts, reports, decisions."""
        self._reception.keys.enter(request, "read")
        stories = [self._tocsin.story(one) for one in self._tocsin.find(_identifier(name))]
        message = stories[0].message
        response.media = {
            "id": message.id,
            "class": message.cls.value,
            "text": message.text,
            "tags": dict(message.tags),
            "source": message.source,
            "accepted_at": iso(message.accepted_at),
            "deliveries": [story_json(story) for story in stories],
        }

    def on_delete(self, request: falcon.Request, response: falcon.Response, name: str) -> None:
        """Cancel what is unsent; 409 where nothing is."""
        self._reception.keys.enter(request, "cancel")
        deliveries = self._tocsin.cancel(self._tocsin.find(_identifier(name)))
        if all(one.state is not State.CANCELLED for one in deliveries):
            raise falcon.HTTPConflict(title="Too late", description="nothing of it is unsent any more")
        response.media = {"deliveries": [delivery_json(one) for one in deliveries]}


def _identifier(name: str) -> str:
    """Return what may be an id. What cannot be one is looked for nowhere, and repeated to nobody."""
    if not (name.isascii() and name.replace(".", "").isalnum() and len(name) <= 64):
        raise NotFound("no message or delivery is called so")
    return name


def _with_header(asked: Asked, request: falcon.Request) -> Asked:
    """Return the message with the key of an Idempotency-Key header, where it has none of its own."""
    header = request.get_header("Idempotency-Key")
    if header is None or header == asked.idempotency_key:
        return asked
    if asked.idempotency_key is not None or not 1 <= len(header) <= MOST_NAME:
        raise InvalidFields(
            {"idempotency_key": f"expected one key of 1 to {MOST_NAME} characters, here or as a header"}
        )
    return attrs.evolve(asked, idempotency_key=header)


def _conditions(request: falcon.Request) -> dict[str, Any]:
    """Return what a list is asked for.

    Raises:
        InvalidFields: a parameter is not what is expected.
    """
    found: dict[str, Any] = {}
    findings: dict[str, str] = {}
    for name, (field, parse, expected) in _PARAMETERS.items():
        text = request.get_param(name)
        if text is None:
            continue
        try:
            found[field] = parse(text)
        except (ValueError, OverflowError, InvalidNumber):
            findings[name] = expected
    if findings:
        raise InvalidFields(findings)
    return found


def _since(text: str) -> MessageId:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or moment < _EPOCH:
        raise ValueError("no offset, or too long ago")
    return first_id_since(moment)


def _cursor(text: str) -> DeliveryId:
    message, dot, position = text.partition(".")
    if not (message.isalnum() and text.isascii() and dot and position.isdigit() and len(text) <= 40):
        raise ValueError("no cursor")
    return DeliveryId(text)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PARAMETERS: dict[str, tuple[str, Any, str]] = {
    "state": ("state", State, f"expected one of {', '.join(State)}"),
    "to": ("to", parse_number, "expected a phone number, its + written as %2B"),
    "since": ("since", _since, "expected a time with its offset such as 2027-01-31T08:00:00Z, its + written as %2B"),
    "cursor": ("behind", _cursor, "expected what `next` of the last page said"),
}
