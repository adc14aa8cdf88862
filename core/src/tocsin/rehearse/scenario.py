"""What is to happen in a rehearsal, as values: traffic, how the vendors behave, and their troubles.

Times are seconds since the beginning. Nothing is drawn here: what a dice decides is decided as it happens.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from random import Random

import attrs

from tocsin.model.message import MessageClass
from tocsin.model.outcome import Reason
from tocsin.model.phone import E164
from tocsin.simulate.timeline import START

_P95 = 1.6448536269514722
"""Standard deviations from the middle of a normal distribution to its 95th percentile."""


@attrs.frozen
class Spread:
    """How long something takes: log-normal, by its median and its 95th percentile; always the same where they are."""

    median_s: float
    p95_s: float

    def draw(self, dice: Random) -> float:
        """Draw how long it takes this time."""
        if self.median_s <= 0 or self.p95_s <= self.median_s:
            return self.median_s
        return self.median_s * math.exp(math.log(self.p95_s / self.median_s) / _P95 * dice.gauss(0.0, 1.0))


@attrs.frozen
class Rhythm:
    """So many in so many seconds."""

    count: int
    window_s: float


@attrs.frozen(kw_only=True)
class Behaviour:
    """How the vendor of an account behaves while nothing troubles it.

    Args:
        latency: from a request to its answer.
        accepts: share of requests that it takes.
        refusal: why it does not take the others.
        delivers: share of what it took that rings a phone; of the rest it reports that it did not arrive.
        phone_delay: from taking a message to the phone.
        reports: share of what it took that it ever reports on.
        report_delay: from the phone to the report.
        balance: what is left at the beginning; None for no end.
        rate: requests that it takes; it throttles what goes beyond. None for any number.
    """

    latency: Spread = Spread(0.3, 1.0)
    accepts: float = 1.0
    refusal: Reason = Reason.UNAVAILABLE
    delivers: float = 0.98
    phone_delay: Spread = Spread(3.0, 12.0)
    reports: float = 1.0
    report_delay: Spread = Spread(2.0, 10.0)
    balance: Decimal | None = None
    rate: Rhythm | None = None


class Kind(enum.StrEnum):
    """What may trouble a vendor."""

    DARK = "dark"
    """Nobody can connect: to send, or to ask."""

    SILENT = "silent"
    """It takes what is sent, and its answer is lost."""

    REFUSING = "refusing"
    """It refuses, for the reason named."""

    THROTTLING = "throttling"
    """It takes no more than the rate named."""

    SLOW_ANSWERS = "slow_answers"
    """Its answers take so much longer."""

    SLOW_REPORTS = "slow_reports"
    """Its reports come so much later; the phones ring as ever."""

    NO_REPORTS = "no_reports"
    """It reports on nothing that it takes meanwhile."""

    NEVER_DELIVERS = "never_delivers"
    """It takes what is sent, and no phone rings."""

    BALANCE = "balance"
    """No more is left than the amount named; afterwards there is as much as at the beginning."""


@attrs.frozen(kw_only=True)
class Trouble:
    """One trouble of an account's vendor.

    Args:
        account: a name, or a part: `first`, `second` …, `last`, `all`.
        from_s, until_s: when; without an end, to the end.
        every_s, for_s: not all the time in between, but for so long at the beginning of every so long.
        share: of the requests that it meets; of the messages, where it is about reports or phones.
        reason: of refusing.
        rate: of throttling.
        delay_s: of slow answers and slow reports.
        amount: of a balance.
    """

    account: str
    kind: Kind
    from_s: float = 0.0
    until_s: float = math.inf
    every_s: float | None = None
    for_s: float | None = None
    share: float = 1.0
    reason: Reason = Reason.UNAVAILABLE
    rate: Rhythm | None = None
    delay_s: float = 0.0
    amount: Decimal = Decimal(0)

    def at(self, now_s: float) -> bool:
        """Say whether it is there at that moment."""
        if not self.from_s <= now_s < self.until_s:
            return False
        if self.every_s is None or self.for_s is None:
            return True
        return (now_s - self.from_s) % self.every_s < self.for_s

    def spans(self, until_s: float) -> list[tuple[float, float]]:
        """Return when it is there, up to a moment."""
        end_s = min(self.until_s, until_s)
        if self.every_s is None or self.for_s is None:
            return [(self.from_s, end_s)] if self.from_s < end_s else []
        turns = math.ceil(max(0.0, end_s - self.from_s) / self.every_s)
        starts = [self.from_s + turn * self.every_s for turn in range(turns)]
        return [(start_s, min(start_s + self.for_s, end_s)) for start_s in starts]


@attrs.frozen(kw_only=True)
class Traffic:
    """Messages of one kind.

    Args:
        cls, text, tags, source: of each; `{n}` in the text is the number of the message.
        count: how many.
        from_s, until_s: between which they come, evenly; all at once where these are the same.
        to: whom they are for, in turn.
        recipients: of each message.
    """

    cls: MessageClass
    text: str = attrs.field(repr=False)
    count: int
    from_s: float
    until_s: float
    to: tuple[E164, ...] = attrs.field(repr=lambda to: f"<{len(to)} numbers>")
    recipients: int = 1
    tags: Mapping[str, str] = attrs.field(factory=dict)
    source: str = "rehearsal"


@attrs.frozen(kw_only=True)
class Scenario:
    """One scenario.

    Args:
        name: for people.
        title: what it is about, in a sentence.
        duration_s: how long there is traffic and trouble.
        settles_s: how long, at most, what is open then may take to come to its end.
        vendors: behaviour by account's name or part; a name counts more than a part, a part more than `all`.
        begins: what the clock shows at the beginning: hours of routes and accounts depend on it.
    """

    name: str
    title: str
    duration_s: float
    settles_s: float
    traffic: tuple[Traffic, ...]
    vendors: Mapping[str, Behaviour] = attrs.field(factory=dict)
    troubles: tuple[Trouble, ...] = ()
    begins: datetime = START

    @property
    def end_s(self) -> float:
        """When it ends, whatever is open."""
        return self.duration_s + self.settles_s

    def spans(self, until_s: float) -> tuple[tuple[float, float], ...]:
        """Return when some vendor is troubled, up to a moment."""
        return tuple(span for trouble in self.troubles for span in trouble.spans(until_s))
