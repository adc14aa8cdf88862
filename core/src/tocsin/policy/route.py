"""Routes and the rules of a class: what the configuration says about choosing and about doubt."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime, timedelta

import attrs

from tocsin.model.hours import Hours
from tocsin.model.ids import AccountId
from tocsin.model.message import MessageClass
from tocsin.model.phone import E164


class InDoubt(enum.Enum):
    """What happens to a delivery that nobody knows about, once the wait for evidence is over."""

    HOLD = "hold"
    RESEND_SAME = "resend-same"
    RESEND_OTHER = "resend-other"


class OnUndelivered(enum.Enum):
    """What happens after a report says that a message was not delivered."""

    NEXT = "next"
    STOP = "stop"


class Strategy(enum.Enum):
    """How a route orders its accounts."""

    FAILOVER = "failover"
    """In the order written."""

    WEIGHTED = "weighted"
    """Drawn, each as often as its weight says."""

    ROUND_ROBIN = "round-robin"
    """In turn: each message begins with the account behind the one that the last began with."""

    CHEAPEST = "cheapest"
    """By what this text costs there: price per segment times segments. Without a price, last."""

    BEST = "best"
    """By delivery quality, as reports show it."""

    BROADCAST = "broadcast"
    """Through every account: a delivery of its own for each."""


@attrs.frozen(kw_only=True)
class Rules:
    """How one delivery is treated. Comes from its class; a route may refine each.

    Args:
        expires_after: no submit begins later than this after acceptance.
        evidence_wait: how long doubt waits for a report before the policy decides.
        when_in_doubt: what it decides then.
        max_copies: most copies that may exist: attempts accepted or unknown, and not reported undelivered.
        report_timeout: silence after which the next step opens; None for never.
        moves_on_silence: whether that step is another account, or a mark only.
        on_undelivered: what a failed report leads to.
        trusts_silence: whether silence counts even while the account's reports cannot be fetched.
        insists: whether it goes through an account whose breaker is open where all of them are.
        max_group: most recipients in one submit, so that one lost answer cannot put a whole roster in doubt.
    """

    expires_after: timedelta
    evidence_wait: timedelta
    when_in_doubt: InDoubt
    max_copies: int
    report_timeout: timedelta | None
    moves_on_silence: bool
    on_undelivered: OnUndelivered
    max_group: int | None = None
    trusts_silence: bool = False
    insists: bool = False


_SMALL_GROUP = 20

# source: delivery.md, "The honest guarantee", the table of classes
CLASS_RULES: Mapping[MessageClass, Rules] = {
    MessageClass.OTP: Rules(
        expires_after=timedelta(minutes=5),
        evidence_wait=timedelta(seconds=8),
        when_in_doubt=InDoubt.RESEND_OTHER,
        max_copies=2,
        report_timeout=timedelta(seconds=45),
        moves_on_silence=True,
        on_undelivered=OnUndelivered.NEXT,
        max_group=_SMALL_GROUP,
    ),
    MessageClass.CRITICAL: Rules(
        expires_after=timedelta(minutes=30),
        evidence_wait=timedelta(seconds=3),
        when_in_doubt=InDoubt.RESEND_OTHER,
        max_copies=3,
        report_timeout=timedelta(seconds=90),
        moves_on_silence=True,
        on_undelivered=OnUndelivered.NEXT,
        max_group=_SMALL_GROUP,
        trusts_silence=True,
        insists=True,
    ),
    MessageClass.ALERT: Rules(
        expires_after=timedelta(hours=4),
        evidence_wait=timedelta(seconds=60),
        when_in_doubt=InDoubt.RESEND_OTHER,
        max_copies=2,
        report_timeout=timedelta(minutes=5),
        moves_on_silence=True,
        on_undelivered=OnUndelivered.NEXT,
    ),
    MessageClass.NOTICE: Rules(
        expires_after=timedelta(hours=24),
        evidence_wait=timedelta(minutes=10),
        when_in_doubt=InDoubt.HOLD,
        max_copies=1,
        report_timeout=timedelta(minutes=30),
        moves_on_silence=False,
        on_undelivered=OnUndelivered.STOP,
    ),
    MessageClass.BULK: Rules(
        expires_after=timedelta(hours=24),
        evidence_wait=timedelta(hours=24),
        when_in_doubt=InDoubt.HOLD,
        max_copies=1,
        report_timeout=None,
        moves_on_silence=False,
        on_undelivered=OnUndelivered.STOP,
    ),
}


@attrs.frozen(kw_only=True)
class RuleChanges:
    """A route's own knobs. None leaves the class's default."""

    expires_after: timedelta | None = None
    evidence_wait: timedelta | None = None
    when_in_doubt: InDoubt | None = None
    max_copies: int | None = None
    report_timeout: timedelta | None = None
    on_undelivered: OnUndelivered | None = None

    def apply(self, rules: Rules) -> Rules:
        """Return the class's rules as this route refines them. A route that sets a report timeout asks to move on."""
        if self == _NO_CHANGES:  # as nearly every route is, and each message asks
            return rules
        changes = {
            field.name: value for field in attrs.fields(RuleChanges) if (value := getattr(self, field.name)) is not None
        }
        if self.report_timeout is not None:
            changes["moves_on_silence"] = True
        return attrs.evolve(rules, **changes)


_NO_CHANGES = RuleChanges()


@attrs.frozen(kw_only=True)
class Size:
    """How long a text may be, in characters as its sender wrote it, both ends included; None for no end."""

    least: int = 0
    most: int | None = None

    def holds(self, length: int) -> bool:
        """Say whether a text of that length fits."""
        return self.least <= length and (self.most is None or length <= self.most)


@attrs.frozen(kw_only=True)
class Match:
    """What a route takes. Keys are ANDed, a tuple means any of, every tag given must be equal; empty takes all."""

    classes: tuple[MessageClass, ...] = ()
    tags: Mapping[str, str] = attrs.field(factory=dict)
    prefixes: tuple[str, ...] = ()
    country_prefixes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    hours: Hours | None = None
    size: Size | None = None

    @property
    def takes_all(self) -> bool:
        """Whether nothing is asked, so that no later route is ever reached."""
        return not (
            self.classes
            or self.tags
            or self.prefixes
            or self.country_prefixes
            or self.sources
            or self.hours
            or self.size
        )

    def takes(self, traits: Traits) -> bool:
        """Say whether a message to one recipient is for this route."""
        return (
            (not self.classes or traits.cls in self.classes)
            and all(traits.tags.get(key) == value for key, value in self.tags.items())
            and (not self.prefixes or traits.to.full.startswith(self.prefixes))
            and (not self.country_prefixes or traits.to.full.startswith(self.country_prefixes))
            and (not self.sources or traits.source in self.sources)
            and (self.hours is None or self.hours.include(traits.now))
            and (self.size is None or self.size.holds(traits.size))
        )


@attrs.frozen(kw_only=True)
class Traits:
    """What a route looks at; `size` is the length of the text as its sender wrote it."""

    cls: MessageClass
    to: E164
    tags: Mapping[str, str]
    source: str
    now: datetime
    size: int = 0


@attrs.frozen(kw_only=True)
class Route:
    """One `[[routes]]` entry.

    Args:
        name: for people and explanations.
        match: what it takes.
        strategy: how accounts are ordered.
        accounts: in the order written.
        weights: of a weighted route: how often each account is drawn, beside the others; 0 only as a stand-in.
        changes: its own knobs.
    """

    name: str
    match: Match = attrs.field(factory=Match)
    strategy: Strategy = Strategy.FAILOVER
    accounts: tuple[AccountId, ...] = attrs.field(validator=attrs.validators.min_len(1))
    weights: Mapping[AccountId, int] = attrs.field(factory=dict)
    changes: RuleChanges = attrs.field(factory=RuleChanges)

    def rules_for(self, cls: MessageClass) -> Rules:
        """Return how a message of that class is treated on this route."""
        return self.changes.apply(CLASS_RULES[cls])


def find_route(routes: tuple[Route, ...], traits: Traits) -> Route | None:
    """Return the first route that takes it, or None."""
    return next((route for route in routes if route.match.takes(traits)), None)
