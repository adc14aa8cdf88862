"""Claim → decide → submit or close: one pass over a message's deliveries.

It goes on until each is submitted, failed or in doubt: an account after the other, a group halved where a culprit
hides in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tocsin.delivery.coalesce import Group, Planned, coalesce
from tocsin.delivery.fleet import submission_for
from tocsin.delivery.parts import Parts
from tocsin.delivery.submit import submit
from tocsin.model.ids import HolderId, MessageId
from tocsin.model.message import Message
from tocsin.outbox.record import Attempt, Delivery, Verdict
from tocsin.outbox.state import Event
from tocsin.policy.decide import AwaitReport, Decision, Expire, GiveUp, Park, Standing, Submit, Wait, decide
from tocsin.policy.explain import explain

Progress = Callable[[int], None]
"""Told how many deliveries have just been submitted, closed or left in doubt."""


def dispatch(parts: Parts, message_id: MessageId, holder: HolderId, progress: Progress = lambda _: None) -> None:
    """Take all that the holder can claim of a message through one pass.

    Args:
        parts: what delivery works with.
        message_id: whose deliveries.
        holder: who claims them.
        progress: for a progress bar.
    """
    message = parts.store.message(message_id)
    while message is not None:
        claimed = parts.store.claim(message_id, holder, parts.clock.now())
        if not claimed:
            return
        planned, verdicts = _decide_all(parts, message, claimed)
        if verdicts:
            parts.store.close_out(tuple(verdicts), parts.clock.now())
            progress(len(verdicts))
        for group in coalesce(planned):
            for fitting in _fitting(parts, group):
                progress(submit(parts, fitting))


def decide_one(parts: Parts, message: Message, delivery: Delivery, attempts: tuple[Attempt, ...]) -> Decision:
    """Ask the policy about one delivery as it stands now."""
    standing = Standing(
        rules=parts.fleet.rules(delivery.route, message.cls), expires_at=delivery.expires_at, attempts=attempts
    )
    return decide(standing, parts.fleet.candidates(delivery.route, message, delivery.to), parts.clock.now())


def verdict_of(delivery: Delivery, decision: GiveUp | Park | AwaitReport | Expire | Wait) -> Verdict:
    """Return a decision not to submit as the order that the store takes."""
    match decision:
        case GiveUp():
            event = Event.GIVE_UP
        case Park():
            event = Event.PARK
        case AwaitReport():
            event = Event.ACCEPTED
        case Expire():
            event = Event.EXPIRE
        case Wait():
            event = Event.LOST
    return Verdict(delivery=delivery.id, epoch=delivery.epoch, event=event, explanation=explain(decision))


def _decide_all(parts: Parts, message: Message, claimed: tuple[Delivery, ...]) -> tuple[list[Planned], list[Verdict]]:
    """Return what is to be submitted, and what is closed without a submit."""
    history = parts.store.attempts(tuple(delivery.id for delivery in claimed))
    planned: list[Planned] = []
    verdicts: list[Verdict] = []
    for delivery in claimed:
        decision = decide_one(parts, message, delivery, history[delivery.id])
        if isinstance(decision, Submit):
            planned.append(_plan(parts, message, delivery, decision))
        else:
            verdicts.append(verdict_of(delivery, decision))
    return planned, verdicts


def _fitting(parts: Parts, group: Group) -> Iterator[Group]:
    """Yield a group that its account can carry at once, or its halves: a URL may hold ten numbers and not a hundred.

    What does not fit even alone was judged so before; it goes as it is, and the plugin has the word.
    """
    if len(group.planned) == 1 or not parts.fleet.unfit(group.account, group.submission(group.planned)):
        yield group
        return
    for half in group.halves():
        yield from _fitting(parts, half)


def _plan(parts: Parts, message: Message, delivery: Delivery, decision: Submit) -> Planned:
    account = parts.fleet.account(decision.account)
    limits = (
        parts.fleet.max_group(account),
        parts.fleet.rules(delivery.route, message.cls).max_group,
        decision.at_most,
    )
    return Planned(
        delivery=delivery,
        decision=decision,
        account=account,
        submission=submission_for(account, message, (delivery.to,)),
        room=min(limit for limit in limits if limit is not None),
    )
