"""Checks each change of a weight against what reports truly said, by counting them itself."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tocsin.model.ids import AccountId
from tocsin.model.quality import FULL, Change, prefix_of
from tocsin.model.report import ReportState
from tocsin.outbox.state import AttemptState
from tocsin.simulate.seen import Kind

if TYPE_CHECKING:
    from tocsin.simulate.world import World

_Key = tuple[AccountId, str]

_YOUNGEST, _OLDEST = timedelta(minutes=5), timedelta(minutes=15)
_LEAST, _SICK = 20, 0.15
_STEP = 10
_HOLD_DOWN, _QUIET = timedelta(minutes=5), timedelta(minutes=15)
_HEARD = timedelta(seconds=60)


class Scales:
    """The weights of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._moved: dict[_Key, tuple[int, datetime]] = {}

    def moves(self, changes: tuple[Change, ...]) -> None:
        """Check changes that are about to be stored."""
        sick = self._sick()
        for one in changes:
            key = (one.account, one.prefix)
            points, moved_at = self._moved.get(key, (FULL, None))
            rest = _HOLD_DOWN if one.after < one.before else _QUIET
            same = [is_sick for (_, prefix), is_sick in sick.items() if prefix == one.prefix]
            for holds, what in (
                (bool(one.reason), "nobody says why it moves"),
                (one.before == points, f"it had {points} points, and {one.before} are said"),
                (0 < abs(one.after - one.before) <= _STEP and 0 <= one.after <= FULL, "it moves too far"),
                (moved_at is None or one.at - moved_at >= rest, "it moved a moment ago"),
                ((one.after < one.before) == sick.get(key, False), "it moves against what reports say"),
                (len(same) < 2 or not all(same), "all accounts are slow, and it moves"),
            ):
                if not holds:
                    self._world.violated("quality", f"{one.account} {one.prefix}", what)
            self._moved[key] = (one.after, one.at)
            self._world.saw(Kind.WEIGHT_TAKEN if one.after < one.before else Kind.WEIGHT_GIVEN)

    def after_event(self) -> None:
        """Check that each weight is what its last change made it."""
        if not self._moved:
            return
        told = {(one.account, one.prefix): one for one in reversed(self._world.store.accounts.changes(1000))}
        for key, weight in self._world.store.accounts.weights().items():
            if key not in told or told[key].after != weight.points or told[key].at != weight.moved_at:
                self._world.violated("quality", f"{key[0]} {key[1]}", "a weight moved, and no change says so")

    def look(self) -> None:
        """Count the moments at which all are slow."""
        sick = self._sick()
        if len(sick) > 1 and all(sick.values()):
            self._world.saw(Kind.ALL_SLOW)

    def _sick(self) -> dict[_Key, bool]:
        """Return, of each account that can be judged for a prefix, whether it is slow."""
        now, rows = self._world.timeline.now(), self._world.rows
        heard = {one.account for one in rows.listenings() if one.heard_at and now - one.heard_at <= _HEARD}
        late: dict[_Key, list[bool]] = defaultdict(list)
        for one in rows.all_attempts():
            followed = one.state is AttemptState.ACCEPTED and one.vendor_id is not None and one.account in heard
            if followed and one.settled_at is not None and _YOUNGEST <= now - one.settled_at < _OLDEST:
                to = rows.get_deliveries([one.delivery])[one.delivery].to
                late[one.account, prefix_of(to)].append(one.report is not ReportState.DELIVERED)
        return {key: sum(each) >= _SICK * len(each) for key, each in late.items() if len(each) >= _LEAST}
