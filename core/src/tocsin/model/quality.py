"""How well an account delivers to the numbers of a carrier, as its reports show: values."""

from __future__ import annotations

from datetime import datetime

import attrs

from tocsin.model.ids import AccountId
from tocsin.model.phone import Msisdn

FULL = 100
"""Points of an account that nothing is known against."""

_MAINLAND = "+86"


def prefix_of(to: Msisdn) -> str:
    """Return what numbers of one carrier begin with: `+86139` on the mainland, else the first three digits."""
    return to.full[:6] if to.full.startswith(_MAINLAND) else to.full[:4]


@attrs.frozen(kw_only=True)
class Cohort:
    """What was accepted, with an id, in a stretch of time.

    Args:
        prefix: of the numbers; see `prefix_of`.
        submitted: how many.
        late: how many of these were not delivered in time.
    """

    account: AccountId
    prefix: str
    submitted: int
    late: int


@attrs.frozen(kw_only=True)
class Weight:
    """What an account's delivery to a prefix is worth.

    Args:
        points: from 0 to 100.
        moved_at: when they were last changed; None for never.
    """

    account: AccountId
    prefix: str
    points: int = FULL
    moved_at: datetime | None = None


@attrs.frozen(kw_only=True)
class Change:
    """One change of a weight, with its reason in words."""

    account: AccountId
    prefix: str
    before: int
    after: int
    reason: str
    at: datetime
