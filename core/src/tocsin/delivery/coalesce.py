"""Groups deliveries that one vendor request can carry. Pure.

One text to N recipients leaves in ceil(N / max) requests, whether it came as one message or as many. Different texts
leave together where the vendor takes personalised ones. A number never stands twice in one request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import attrs

from tocsin.model.account import Account
from tocsin.model.phone import E164
from tocsin.model.submission import Submission
from tocsin.outbox.record import Delivery
from tocsin.policy.decision import Submit
from tocsin.policy.route import Rules


@attrs.frozen(kw_only=True)
class Planned:
    """One delivery that the policy wants submitted.

    Args:
        rules: how it is treated.
        submission: what would be submitted to its recipient alone.
        room: most recipients that the request may hold: account, class and decision together.
    """

    delivery: Delivery
    decision: Submit
    rules: Rules
    account: Account
    submission: Submission
    room: int

    @property
    def envelope(self) -> tuple[Any, ...]:
        """What two deliveries must share to leave in one request, whatever their texts."""
        one = self.submission
        return (self.account.id, self.room, one.extension, one.send_at, one.subject, one.attachments)

    @property
    def kind(self) -> tuple[Any, ...]:
        """What two deliveries of one text must share to leave in one request."""
        return (*self.envelope, self.submission.texts)


@attrs.define(eq=False)
class Group:
    """Deliveries that leave in one request."""

    account: Account
    room: int
    planned: dict[E164, Planned] = attrs.field(factory=dict)

    @property
    def full(self) -> bool:
        """Whether nobody else fits in."""
        return len(self.planned) >= self.room

    @property
    def urgency(self) -> int:
        """The urgency of the most urgent in it."""
        return min(one.delivery.urgency for one in self.planned.values())

    def takes(self, others: Iterable[E164], count: int) -> bool:
        """Say whether so many others fit in, none of whom is there already."""
        return len(self.planned) + count <= self.room and self.planned.keys().isdisjoint(others)

    def halves(self) -> tuple[Group, Group]:
        """Return two groups with half of its deliveries each, in order."""
        planned = list(self.planned.items())
        middle = (len(planned) + 1) // 2
        first, second = dict(planned[:middle]), dict(planned[middle:])
        return Group(self.account, self.room, first), Group(self.account, self.room, second)

    def submission(self, to: Iterable[E164]) -> Submission:
        """Return the request's worth for those of its recipients."""
        going = tuple(to)
        first = next(iter(self.planned.values())).submission
        texts = tuple(self.planned[one].submission.text for one in going)
        return attrs.evolve(first, to=going, texts=texts if len(set(texts)) > 1 else texts[:1])


class Platform:
    """Where planned deliveries wait for company, and groups for a free line to their vendor.

    Args:
        personalised: whether an account takes different texts in one request.
    """

    def __init__(self, personalised: Callable[[Account], bool] = lambda _: False) -> None:
        self._personalised = personalised
        self._groups: list[Group] = []
        self._filling: dict[tuple[Any, ...], list[Group]] = {}

    def __len__(self) -> int:
        return sum(len(group.planned) for group in self._groups)

    def add(self, one: Planned) -> None:
        """Put a delivery into the first group that it may join: halves of a group that is split stay together."""
        with_room = self._filling.setdefault(one.kind, [])
        group = next((group for group in with_room if one.delivery.to not in group.planned), None)
        if group is None:
            group = Group(one.account, one.room)
            self._groups.append(group)
            with_room.append(group)
        group.planned[one.delivery.to] = one
        if group.full:
            with_room.remove(group)

    def leave(self, has_line: Callable[[Account], bool], *, all_are_here: bool) -> tuple[Group, ...]:
        """Return the groups that leave now, the most urgent first.

        Args:
            has_line: takes a free line to the account's vendor; False where none is left.
            all_are_here: nobody else is due; else a group that is not full waits for company.
        """
        waiting = self._merged() if all_are_here else self._groups
        ready = [group for group in waiting if group.full or all_are_here]
        leaving = [group for group in sorted(ready, key=lambda group: group.urgency) if has_line(group.account)]
        left = set(map(id, leaving))
        self._groups = [group for group in waiting if id(group) not in left]
        self._filling = {kind: still for kind, groups in self._filling.items() if (still := self._staying(groups))}
        return tuple(leaving)

    def _staying(self, groups: list[Group]) -> list[Group]:
        here = set(map(id, self._groups))
        return [group for group in groups if id(group) in here]

    def _merged(self) -> list[Group]:
        """Return the groups with different texts put together where their account takes that."""
        merged: list[Group] = []
        mixed: dict[tuple[Any, ...], Group] = {}
        for group in self._groups:
            first = next(iter(group.planned.values()))
            alone = len(group.planned) == 1 and not group.full and not first.submission.is_mms
            if not alone or not self._personalised(group.account):
                merged.append(group)
                continue
            other = mixed.get(first.envelope)
            if other is not None and other.takes(group.planned, len(group.planned)):
                other.planned |= group.planned
            else:
                mixed[first.envelope] = Group(group.account, group.room, dict(group.planned))
                merged.append(mixed[first.envelope])
        return merged


def coalesce(
    planned: Iterable[Planned], personalised: Callable[[Account], bool] = lambda _: False
) -> tuple[Group, ...]:
    """Group what can leave together, in the order given."""
    platform = Platform(personalised)
    for one in planned:
        platform.add(one)
    return platform.leave(lambda _: True, all_are_here=True)
