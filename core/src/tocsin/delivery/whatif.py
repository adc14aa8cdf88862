"""What would happen to a message. Stores nothing, asks nobody, reserves nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs

from tocsin.delivery.accept import expires_at, traits_of
from tocsin.delivery.fleet import Fleet, Offer
from tocsin.delivery.survey import Survey
from tocsin.errors import NoRoute
from tocsin.model.ids import AccountId, MessageId, SubmitId, attempt_id, delivery_id
from tocsin.model.message import Message, MessageClass
from tocsin.model.outcome import Reason
from tocsin.model.phone import E164
from tocsin.outbox.ports import Store
from tocsin.outbox.record import Attempt, Delivery
from tocsin.outbox.state import AttemptState, State
from tocsin.policy.decide import decide
from tocsin.policy.decision import AwaitReport, Decision, GiveUp, Later, Park, Submit, Undelivered
from tocsin.policy.judge import Candidate, Judgement
from tocsin.policy.route import Route, Strategy, find_route
from tocsin.policy.standing import Standing


@attrs.frozen(kw_only=True)
class Question:
    """A message that nobody sends.

    Args:
        at: when it would be handed in; aware UTC.
        source: who would hand it in.
        tried: accounts that have refused it before, each for a reason of its own.
    """

    to: E164
    text: str = attrs.field(repr=False)
    cls: MessageClass
    at: datetime
    tags: Mapping[str, str] = attrs.field(factory=dict)
    source: str = "cli"
    tried: tuple[AccountId, ...] = ()


@attrs.frozen(kw_only=True)
class Answer:
    """What would happen.

    Args:
        route: that would take the message.
        candidates: its accounts in order, with what stands in their way and what the text costs there.
        decisions: that would be made first: one, or on a route that broadcasts one for each account.
        offers: what each account would send, by name.
    """

    route: Route
    candidates: tuple[Candidate, ...]
    decisions: tuple[Decision, ...]
    offers: Mapping[AccountId, Offer] = attrs.field(repr=False)

    @property
    def chosen(self) -> tuple[AccountId, ...]:
        """The accounts that it would leave through at once: one at most, but for a broadcast."""
        return tuple(one.account for one in self.decisions if isinstance(one, Submit))

    @property
    def decision(self) -> Decision:
        """The first decision to submit; where there is none, the first of all."""
        return next((one for one in self.decisions if isinstance(one, Submit)), self.decisions[0])

    @property
    def judgements(self) -> tuple[Judgement, ...]:
        """What was thought of each account, in the order in which the route's strategy puts them."""
        thought = {
            judgement.account: judgement
            for decision in self.decisions
            if isinstance(decision, Submit | GiveUp | Park | Undelivered | AwaitReport | Later)
            for judgement in decision.judgements
        }
        return tuple(thought[one.account] for one in self.candidates if one.account in thought)


def what_if(fleet: Fleet, store: Store, question: Question) -> Answer:
    """Return the route that would take the message, and what would be decided first.

    Raises:
        NoRoute: no route takes it.
    """
    message = Message(
        id=MessageId("asked"),
        to=(question.to,),
        text=question.text,
        cls=question.cls,
        tags=question.tags,
        source=question.source,
        accepted_at=question.at,
    )
    route = find_route(fleet.routes, traits_of(message, question.to, question.at))
    if route is None:
        raise NoRoute(f"no route takes a message of class {message.cls} to this recipient")
    delivery = _delivery(message, route)
    attempts = tuple(_refused(delivery, number, name) for number, name in enumerate(question.tried, start=1))
    survey = Survey(fleet, store, question.at, (question.to,))
    candidates = survey.candidates(delivery, message, attempts)
    standing = Standing(
        rules=route.rules_for(message.cls), expires_at=delivery.expires_at, attempts=attempts, may_wait=True
    )
    fields = [(one,) for one in candidates] if route.strategy is Strategy.BROADCAST else [candidates]
    return Answer(
        route=route,
        candidates=candidates,
        decisions=tuple(decide(standing, field, question.at) for field in fields),
        offers={name: fleet.offer(name, message, question.to) for name in route.accounts},
    )


def _delivery(message: Message, route: Route) -> Delivery:
    return Delivery(
        id=delivery_id(message.id, 1),
        message=message.id,
        to=message.to[0],
        state=State.QUEUED,
        route=route.name,
        due_at=message.accepted_at,
        expires_at=expires_at(route, message.cls, message.accepted_at),
        updated_at=message.accepted_at,
    )


def _refused(delivery: Delivery, number: int, account: AccountId) -> Attempt:
    """Return an attempt that the account refused, for a reason that concerns no other."""
    name = attempt_id(delivery.id, number)
    return Attempt(
        id=name,
        delivery=delivery.id,
        number=number,
        submit=SubmitId(name),
        group_size=1,
        account=account,
        state=AttemptState.REFUSED,
        intended_at=delivery.due_at,
        settled_at=delivery.due_at,
        reason=Reason.UNRECOGNISED,
    )
