"""From the policy's word to groups that may leave: what each delivery would submit, with how many others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tocsin.delivery.ask import Asked
from tocsin.delivery.coalesce import Group, Planned
from tocsin.delivery.fleet import Fleet, submission_for
from tocsin.policy.decision import Submit
from tocsin.policy.standing import retries


def plan(fleet: Fleet, asked: Iterable[Asked]) -> tuple[Planned, ...]:
    """Return what is to be submitted of what the policy was asked about."""
    return tuple(_plan(fleet, one, one.decision) for one in asked if isinstance(one.decision, Submit))


def fitting(fleet: Fleet, group: Group) -> Iterator[Group]:
    """Yield a group that its account can carry at once, or its halves: a URL may hold ten numbers and not a hundred.

    What does not fit even alone was judged so before; it goes as it is, and the plugin has the word.
    """
    if len(group.planned) == 1 or not fleet.unfit(group.account, group.submission(group.planned)):
        yield group
        return
    for half in group.halves():
        yield from fitting(fleet, half)


def _plan(fleet: Fleet, asked: Asked, decision: Submit) -> Planned:
    delivery, message = asked.delivery, asked.message
    account = fleet.account(decision.account)
    rules = fleet.rules(delivery.route, message.cls)
    limits = (fleet.max_group(account), rules.max_group, decision.at_most)
    return Planned(
        delivery=delivery,
        decision=decision,
        rules=rules,
        account=account,
        cls=message.cls,
        submission=submission_for(account, message, (delivery.to,)),
        room=min(limit for limit in limits if limit is not None),
        retries=retries(asked.attempts, account.id),
        bill=next(one for one in asked.candidates if one.account == account.id),
    )
