"""What would happen to a message now. Stores nothing, asks nobody, reserves nothing."""

from __future__ import annotations

import attrs

from tocsin.delivery.parts import Parts
from tocsin.errors import NoRoute
from tocsin.model.ids import MessageId
from tocsin.model.message import Message, MessageClass
from tocsin.model.phone import E164
from tocsin.policy.decide import decide
from tocsin.policy.decision import Decision
from tocsin.policy.route import Route, Traits, find_route
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


def what_if(parts: Parts, question: Question) -> tuple[Route, Decision]:
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
    traits = Traits(cls=message.cls, to=question.to, tags=message.tags, source=message.source, now=now)
    route = find_route(parts.fleet.routes, traits)
    if route is None:
        raise NoRoute(f"no route takes a message of class {message.cls} to this recipient")
    rules = route.rules_for(message.cls)
    standing = Standing(rules=rules, expires_at=now + rules.expires_after)
    return route, decide(standing, parts.fleet.candidates(route.name, message, question.to), now)
