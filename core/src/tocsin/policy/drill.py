"""Fire drills: which are due, and which accounts have not proved themselves for too long. Pure.

A drill is one real message to a number of one's own, through one account alone. Time is cut into slots of the drill's
pace; each slot has one drill. So whoever asks after a restart names the same slot, and the store knows it by its key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import attrs

from tocsin.model.account import Account, Drill
from tocsin.model.ids import AccountId

SOURCE = "drill"
"""Who hands in such a message."""

UNPROVED_AFTER = timedelta(days=1)
"""An account of which no delivered report came for so long is not known to deliver."""

GRACE = timedelta(hours=1)
"""How long a drill's report may take."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@attrs.frozen(kw_only=True)
class Due:
    """A drill that is due.

    Args:
        account: through which it goes.
        drill: what it says, and to whom.
        slot: when its stretch of time began.
    """

    account: AccountId
    drill: Drill
    slot: datetime

    @property
    def tags(self) -> dict[str, str]:
        """What its message is tagged with."""
        return tags_of(self.account)


def tags_of(account: AccountId) -> dict[str, str]:
    """Return what a drill of that account is tagged with."""
    return {"drill": account}


def due_drills(accounts: Iterable[Account], done: Mapping[AccountId, datetime], now: datetime) -> tuple[Due, ...]:
    """Return the drills of which the present slot has had none.

    Args:
        accounts: all of them; those without a drill have nothing due.
        done: of each account the slot of its last drill; absent where nobody remembers one.
        now: aware time.
    """
    found = []
    for account in accounts:
        if account.drill is not None:
            slot = slot_of(account.drill, now)
            if account.id not in done or done[account.id] < slot:
                found.append(Due(account=account.id, drill=account.drill, slot=slot))
    return tuple(found)


def slot_of(drill: Drill, now: datetime) -> datetime:
    """Return when the stretch of time began that the moment falls into."""
    return now - (now - _EPOCH) % drill.every


def lasting(drill: Drill) -> timedelta:
    """Return how long a delivered report proves an account: a day; a drill and its report where drills are rarer."""
    return max(UNPROVED_AFTER, drill.every + GRACE)


def unproved(
    drills: Mapping[AccountId, Drill], proved: Mapping[AccountId, datetime], since: datetime, now: datetime
) -> tuple[AccountId, ...]:
    """Return the accounts of which no delivered report came for too long. Nobody promised to prove any other.

    Args:
        drills: by account.
        proved: when the newest delivered report of each came; absent where none is known.
        since: when somebody began to see to drills: the first one has an hour to prove the account.
        now: aware time.
    """
    if now - since < GRACE:
        return ()
    long_ago = now - max(map(lasting, drills.values()), default=GRACE) - GRACE
    return tuple(name for name, drill in drills.items() if now - proved.get(name, long_ago) > lasting(drill))
