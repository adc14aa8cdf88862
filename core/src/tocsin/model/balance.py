"""What an account has left."""

from __future__ import annotations

import enum
from datetime import datetime
from decimal import Decimal

import attrs


class Unit(enum.Enum):
    """What a balance counts."""

    CNY = "CNY"
    MESSAGES = "messages"


@attrs.frozen(kw_only=True)
class Balance:
    """An account's balance.

    Args:
        amount: exact; negative is healthy where `postpaid`.
        unit: money or messages.
        postpaid: None where the vendor does not say.
        as_of: aware UTC.
    """

    amount: Decimal
    unit: Unit
    as_of: datetime
    postpaid: bool | None = None
