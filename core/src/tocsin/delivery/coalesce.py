"""Groups deliveries that one vendor request can carry. Pure.

One text to N recipients leaves in ceil(N / max) requests, whether it came as one message or as many. Different texts
leave together where the vendor takes personalised ones. A number never stands twice in one request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any

import attrs

from tocsin.model.account import Account
from tocsin.model.ids import AccountId, DeliveryId
from tocsin.model.message import MessageClass
from tocsin.model.phone import E164
from tocsin.model.submission import Submission
from tocsin.outbox.record import Delivery
from tocsin.policy.decision import Submit
from tocsin.policy.judge import Candidate
from tocsin.policy.route import Rules

_NOT_URGENT = 99


@attrs.frozen(kw_only=True)
class Planned:
    """One delivery that the policy wants submitted.

    Args:
        rules: how it is treated.
        submission: what would be submitted to its recipient alone.
        room: most recipients that the request may hold: account, class and decision together.
        retries: the account had its turn before, and is asked again.
        bill: the candidate that was chosen, with what its text costs.
    """

    delivery: Delivery
    decision: Submit
    rules: Rules
    account: Account
    cls: MessageClass
    submission: Submission
    room: int
    retries: bool
    bill: Candidate

    @property
    def envelope(self) -> tuple[Any, ...]:
        """What two deliveries must share to leave in one request, whatever their texts."""
        one = self.submission
        alike = (self.account.id, self.cls, self.decision.insists, self.room)
        return (*alike, one.extension, one.send_at, one.subject, one.attachments)

    @property
    def kind(self) -> tuple[Any, ...]:
        """What two deliveries of one text must share to leave in one request."""
        return (*self.envelope, self.submission.texts)


@attrs.define(eq=False)
class Group:
    """Deliveries that leave in one request.

    Attributes:
        urgency: of the most urgent in it.
    """

    account: Account
    room: int
    planned: dict[E164, Planned] = attrs.field(factory=dict)
    urgency: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.urgency = min((one.delivery.urgency for one in self.planned.values()), default=_NOT_URGENT)

    def join(self, others: Mapping[E164, Planned]) -> None:
        """Take others in, none of which it has."""
        self.planned |= others
        self.urgency = min(self.urgency, *(one.delivery.urgency for one in others.values()))

    @property
    def full(self) -> bool:
        """Whether nobody else fits in."""
        return len(self.planned) >= self.room

    @property
    def is_mixed(self) -> bool:
        """Whether it holds different texts."""
        return len(self.planned) > 1 and len({one.submission.texts for one in self.planned.values()}) > 1

    @property
    def mixes(self) -> bool:
        """Whether others may join it with their own texts: one text to one recipient, or a mixed group with room."""
        if self.full or not (len(self.planned) == 1 or self.is_mixed):
            return False
        return not next(iter(self.planned.values())).submission.is_mms

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


class Mixture:
    """Groups of one envelope that hold different texts: the n-th delivery to a number goes into the n-th with room."""

    def __init__(self) -> None:
        self._groups: list[Group] = []
        self._next: Counter[E164] = Counter()
        self._open = 0

    def take(self, group: Group) -> bool:
        """Take a group in; say whether it stands, or its only delivery has joined another that does."""
        place = self._place(group) if len(group.planned) == 1 else len(self._groups)
        stands = place == len(self._groups)
        if stands:
            self._groups.append(group)
        else:
            self._groups[place].join(group.planned)
        self._next |= dict.fromkeys(group.planned, place + 1)
        return stands

    def _place(self, single: Group) -> int:
        """Return the first place with room whose group does not hold the number, or one past the end."""
        while self._open < len(self._groups) and self._groups[self._open].full:
            self._open += 1
        (to,) = single.planned
        place = max(self._next[to], self._open)
        while place < len(self._groups) and self._groups[place].full:
            place += 1
        return place


class Platform:
    """Where planned deliveries wait for company, and groups for a free line to their vendor.

    Args:
        personalised: whether an account takes different texts in one request.
    """

    def __init__(self, personalised: Callable[[Account], bool] = lambda _: False) -> None:
        self._personalised = personalised
        self._groups: list[Group] = []
        self._filling: dict[tuple[Any, ...], list[Group]] = {}
        self._newest: Group | None = None
        self._plans: Counter[DeliveryId] = Counter()
        """Of a delivery whose claim was lost and taken again there are two, and the older goes nowhere."""
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def __contains__(self, delivery: DeliveryId) -> bool:
        return delivery in self._plans

    def add(self, one: Planned) -> None:
        """Put a delivery into the first group that it may join: halves of a group that is split stay together."""
        with_room = self._filling.setdefault(one.kind, [])
        group = next((group for group in with_room if one.delivery.to not in group.planned), None)
        if group is None:
            group = Group(one.account, one.room)
            self._groups.append(group)
            with_room.append(group)
        group.join({one.delivery.to: one})
        self._count((one,), 1)
        self._newest = group
        if group.full:
            with_room.remove(group)
        if not with_room:
            del self._filling[one.kind]

    def put_back(self, groups: Iterable[Group]) -> None:
        """Let groups wait for a line that were about to leave, before all others."""
        back = list(groups)
        self._groups = [*back, *self._groups]
        self._count((one for group in back for one in group.planned.values()), 1)

    def leave(self, has_line: Callable[[Account], bool], *, all_are_here: bool) -> tuple[Group, ...]:
        """Return the groups that leave now, the most urgent first.

        Args:
            has_line: takes a free line to the account's vendor; False where none is left.
            all_are_here: nobody else is due; else the group that was joined last waits for company, while others may
                leave instead that are no less urgent.
        """
        awaited = None if all_are_here else self._awaiting_company()
        waiting = self._mixed(awaited)
        ready = [group for group in waiting if group is not awaited or group.full]
        leaving = _with_line(sorted(ready, key=attrgetter("urgency")), has_line)
        left = frozenset(leaving)
        self._groups = [group for group in waiting if group not in left]
        self._filling = self._still_filling()
        self._count((one for group in leaving for one in group.planned.values()), -1)
        return tuple(leaving)

    def _count(self, plans: Iterable[Planned], change: int) -> None:
        """Note that plans have come, or gone."""
        for one in plans:
            self._size += change
            self._plans[one.delivery.id] += change
            if not self._plans[one.delivery.id]:
                del self._plans[one.delivery.id]

    def _awaiting_company(self) -> Group | None:
        """Return the group that was joined last: its text may have more recipients, who are not claimed yet."""
        newest = self._newest
        if newest is None or len(self._groups) < 2:
            return None
        return newest if newest.urgency == max(group.urgency for group in self._groups) else None

    def _still_filling(self) -> dict[tuple[Any, ...], list[Group]]:
        """Return the groups that others may still join, by kind."""
        if not self._filling:
            return {}
        here = frozenset(self._groups)
        found = {
            kind: [group for group in groups if group in here and not group.is_mixed]
            for kind, groups in self._filling.items()
        }
        return {kind: groups for kind, groups in found.items() if groups}

    def _mixed(self, awaited: Group | None) -> list[Group]:
        """Return the groups with different texts put together where their account takes that."""
        mixed: list[Group] = []
        mixtures: dict[tuple[Any, ...], Mixture] = {}
        accounts = {group.account.id: group.account for group in self._groups if group.room > 1}
        personalised = {name for name, account in accounts.items() if self._personalised(account)}
        if not personalised:
            return self._groups
        for group in self._groups:
            if group.room > 1 and group is not awaited and group.account.id in personalised and group.mixes:
                envelope = next(iter(group.planned.values())).envelope
                if not mixtures.setdefault(envelope, Mixture()).take(group):
                    continue
            mixed.append(group)
        return mixed


def _with_line(groups: Iterable[Group], has_line: Callable[[Account], bool]) -> list[Group]:
    """Return the groups that get a line, in order; an account without a free one is not asked again."""
    leaving: list[Group] = []
    busy: set[AccountId] = set()
    for group in groups:
        if group.account.id not in busy:
            if has_line(group.account):
                leaving.append(group)
            else:
                busy.add(group.account.id)
    return leaving


def coalesce(
    planned: Iterable[Planned], personalised: Callable[[Account], bool] = lambda _: False
) -> tuple[Group, ...]:
    """Group what can leave together, in the order given."""
    platform = Platform(personalised)
    for one in planned:
        platform.add(one)
    return platform.leave(lambda _: True, all_are_here=True)
