"""What would happen to a message now. Stores nothing, asks nobody, reserves nothing."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from tocsin.delivery.accept import expires_at, traits_of
from tocsin.delivery.fleet import Offer
from tocsin.delivery.parts import Parts
from tocsin.delivery.survey import Survey
from tocsin.errors import NoRoute
from tocsin.model.ids import AccountId, MessageId, delivery_id
from tocsin.model.message import Message, MessageClass
from tocsin.model.phone import E164
from tocsin.outbox.record import Delivery
from tocsin.outbox.state import State
from tocsin.policy.decide import decide
from tocsin.policy.decision import Decision
from tocsin.policy.judge import Candidate
from tocsin.policy.route import Route, find_route
from tocsin.policy.standing import Standing


@attrs.frozen(kw_only=True)
class Question:
    """A message that nobody sends.

    Args:
        source: who would hand it in.
    """

    to: E164
    text: str = attrs.field(repr=False)
    cls: MessageClass
    tags: dict[str, str] = attrs.field(factory=dict)
    source: str = "cli"


@attrs.frozen(kw_only=True)
class Answer:
    """What would happen.

    Args:
        route: that would take the message.
        candidates: its accounts in order, with what stands in their way and what the text costs there.
        decision: that would be made first.
        offers: what each account would send, by name.
    """

    route: Route
    candidates: tuple[Candidate, ...]
    decision: Decision
    offers: Mapping[AccountId, Offer] = attrs.field(repr=False)


def what_if(parts: Parts, question: Question) -> Answer:
    """Return the route that would take the message, and the decision that would be made first.

    Raises:
        NoRoute: no route takes it.
    """
    now = parts.clock.now()
    message = Message(
        id=MessageId("asked"),
        to=(question.to,),
        text=question.text,
        cls=question.cls,
        tags=question.tags,
        source=question.source,
        accepted_at=now,
    )
    route = find_route(parts.fleet.routes, traits_of(message, question.to, now))
    if route is None:
        raise NoRoute(f"no route takes a message of class {message.cls} to this recipient")
    rules = route.rules_for(message.cls)
    delivery = Delivery(
        id=delivery_id(message.id, 1),
        message=message.id,
        to=question.to,
        state=State.QUEUED,
        route=route.name,
        due_at=now,
        expires_at=expires_at(route, message.cls, now),
        updated_at=now,
    )
    candidates = Survey(parts.fleet, parts.store, now, (question.to,)).candidates(delivery, message)
    standing = Standing(rules=rules, expires_at=delivery.expires_at, may_wait=True)
    return Answer(
        route=route,
        candidates=candidates,
        decision=decide(standing, candidates, now),
        offers={name: parts.fleet.offer(name, message, question.to) for name in route.accounts},
    )
