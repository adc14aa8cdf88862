"""Groups deliveries that one vendor request can carry. Pure.

One text to N recipients leaves in ceil(N / max) requests, whether it came as one message or as many. A number never
stands twice in one request.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from tocsin.model.account import Account
from tocsin.model.phone import E164
from tocsin.model.submission import Submission
from tocsin.outbox.record import Delivery
from tocsin.policy.decide import Submit


@attrs.frozen(kw_only=True)
class Planned:
    """One delivery that the policy wants submitted.

    Args:
        submission: what would be submitted to its recipient alone.
        room: most recipients that the request may hold: account, class and decision together.
    """

    delivery: Delivery
    decision: Submit
    account: Account
    submission: Submission
    room: int

    @property
    def kind(self) -> tuple[Any, ...]:
        """What two deliveries must share to leave in one request."""
        one = self.submission
        return (self.account.id, self.room, one.texts, one.extension, one.send_at, one.subject, one.attachments)


@attrs.define
class Group:
    """Deliveries that leave in one request."""

    account: Account
    room: int
    planned: dict[E164, Planned] = attrs.field(factory=dict)

    @property
    def full(self) -> bool:
        """Whether nobody else fits in."""
        return len(self.planned) >= self.room

    def halves(self) -> tuple[Group, Group]:
        """Return two groups with half of its deliveries each, in order."""
        planned = list(self.planned.items())
        middle = (len(planned) + 1) // 2
        first, second = dict(planned[:middle]), dict(planned[middle:])
        return Group(self.account, self.room, first), Group(self.account, self.room, second)

    def submission(self, to: Iterable[E164]) -> Submission:
        """Return the request's worth for those of its recipients."""
        first = next(iter(self.planned.values()))
        return attrs.evolve(first.submission, to=tuple(to))


def coalesce(planned: Iterable[Planned]) -> tuple[Group, ...]:
    """Group what can leave together, in the order given: halves of a group that is being split stay together."""
    groups: list[Group] = []
    filling: dict[tuple[Any, ...], list[Group]] = {}
    for one in planned:
        with_room = filling.setdefault(one.kind, [])
        group = next((group for group in with_room if one.delivery.to not in group.planned), None)
        if group is None:
            group = Group(one.account, one.room)
            groups.append(group)
            with_room.append(group)
        group.planned[one.delivery.to] = one
        if group.full:
            with_room.remove(group)
    return tuple(groups)
