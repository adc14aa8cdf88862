"""What holds for all accounts together: how much one phone is sent, how much money goes out, who wants no more.

Says what is allowed; counts nothing. The configuration makes it, the store and the fleet ask.
"""

from __future__ import annotations

from decimal import Decimal

import attrs

from tocsin.model.account import Rate
from tocsin.model.message import MessageClass

_HOUR_S, _DAY_S = 3600, 24 * 3600


@attrs.frozen(kw_only=True)
class FleetLimits:
    """`[limits]`: against storms, and against being made to send to somebody else's numbers.

    Args:
        per_recipient: messages to one number per window, across all accounts and all classes but critical; with no rate
            there is no limit.
        critical_per_recipient: the same for critical ones, which count by themselves.
        spend_per_day: most money that may leave in any 24 hours, all accounts together; None for no cap.
    """

    per_recipient: tuple[Rate, ...] = (Rate(60, _HOUR_S), Rate(200, _DAY_S))
    critical_per_recipient: tuple[Rate, ...] = (Rate(120, _HOUR_S),)
    spend_per_day: Decimal | None = None

    def for_recipient(self, cls: MessageClass) -> tuple[Rate, ...]:
        """Return what one number may get of messages that count together with that class."""
        return self.critical_per_recipient if cls is MessageClass.CRITICAL else self.per_recipient


@attrs.frozen(kw_only=True)
class OptOut:
    """`[opt_out]`: who answers with one of these words gets no more, through any account.

    Args:
        words: compared with the whole inbound text; case, full-width letters, and blanks and signs around it do not
            matter. With none, nobody opts out by a word.
        exempt: classes that are sent all the same.
    """

    words: tuple[str, ...] = ("TD", "T", "退订", "STOP")
    exempt: frozenset[MessageClass] = frozenset()
