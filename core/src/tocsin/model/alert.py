"""What an alerting stack tells us, as values: what a source plugin makes of a request, and who made it.

Times are aware UTC. Nothing of a stack's own shape stands here, and nothing of what becomes of an alert.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from tocsin.model.push import Pairs


class AlertStatus(enum.StrEnum):
    """Where an alert stands, as its stack says."""

    FIRING = "firing"
    RESOLVED = "resolved"

    EVENT = "event"
    """It has no end: an acknowledgement, a downtime, a note. Its fingerprint names it once and for all."""


@attrs.frozen(kw_only=True)
class Alert:
    """One alert.

    Args:
        fingerprint: the stack's own name for it, the same from firing to resolved.
        status: as the stack says.
        name: a few words: what fires, and where.
        summary: one line more; may be empty.
        level: its severity in the stack's own words, where a change of it matters; empty where it does not.
        labels, annotations: as they came, for addressing and templates.
        starts_at: when it began to fire; None where the stack does not say.
        ends_at: when it was resolved; None while it fires.
    """

    fingerprint: str
    status: AlertStatus
    name: str = attrs.field(repr=False)
    summary: str = attrs.field(default="", repr=False)
    level: str = ""
    labels: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    annotations: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@attrs.frozen(kw_only=True)
class Notice:
    """One notification of a stack: some alerts for one receiver.

    Args:
        receiver: whom the stack's own routing chose; empty where it has none.
        alerts: at least one, no fingerprint twice.
        truncated: alerts that the stack left out.
        repeated: the stack says itself that it repeats what it told before, and does so on purpose.
    """

    receiver: str = ""
    alerts: tuple[Alert, ...]
    truncated: int = 0
    repeated: bool = False


@attrs.frozen(kw_only=True)
class NotAlerts:
    """A request that is not what the source expects. `why` is for people, and quotes nothing of it."""

    why: str


@attrs.frozen(kw_only=True)
class AlertRequest:
    """The raw request as it came. Nothing of it is in the repr but its size.

    Args:
        headers: names in lower case.
        query: decoded pairs.
        body: raw bytes, no content coding.
    """

    headers: Pairs = attrs.field(repr=False)
    query: Pairs = attrs.field(repr=False)
    body: bytes = attrs.field(repr=lambda body: f"<{len(body)} bytes>")


@attrs.frozen
class NoSettings:
    """The settings of a source that has none of its own."""


@attrs.frozen(kw_only=True)
class SourceKind:
    """What `describe_source` returns.

    Args:
        name: as in `kind = "…"` and in the entry point.
        title: for people.
        settings: attrs class of the kind's own fields under `[sources.NAME]`.
    """

    name: str
    title: str
    settings: type = NoSettings
