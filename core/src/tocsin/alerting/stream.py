"""What an audience is told when it is told too much, or at a bad hour: one message that sums up what is held back.

Pure. While such a message waits, each newer one takes its place; what it counts is exact, whatever it names. Whether an
alert is in it already is read from the alert's own record: it was told of later than the holding began, and has no
message where nobody was told before that it fires. So what is kept does not grow with the storm.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from tocsin.alerting.plain import one_line
from tocsin.alerting.wording import Paper, fit_list
from tocsin.model.alert import Alert, AlertStatus
from tocsin.model.ids import MessageId
from tocsin.model.message import MessageClass
from tocsin.model.source import Source
from tocsin.outbox.alert import AlertKey, AlertRecord, Stream, StreamKey

MOST_NAMES = 20
LONGEST_NAME = 60

CAME_AND_WENT = "came and went"

_TICK = timedelta(microseconds=1)


class Part(enum.Enum):
    """What an alert is among what is held. The value is how it is counted in words."""

    FIRING = "firing"
    EVENT = "noted"
    RESOLVED = "resolved"

    GONE = CAME_AND_WENT
    """It fired and was resolved, and nobody was told of either."""


_PARTS = tuple(Part)


@attrs.frozen
class Name:
    """An alert that is named: digest of its key, what it is, and its name."""

    digest: str
    part: Part
    text: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Held:
    """What is held back for one audience.

    Args:
        since: when the holding began.
        until: when it is told.
        counts: alerts by what they are.
        truncated: alerts that the stack left out, at most at once.
        names: some of them, what matters most first.
        tags: that all of them share.
    """

    since: datetime
    until: datetime
    counts: Mapping[Part, int] = attrs.field(factory=dict)
    truncated: int = 0
    names: tuple[Name, ...] = ()
    tags: Mapping[str, str] | None = attrs.field(default=None, repr=False)

    @property
    def total(self) -> int:
        """How many alerts are held."""
        return sum(self.counts.values())

    @property
    def is_over(self) -> bool:
        """Whether all that is held fired and was resolved while nobody was told of it."""
        return set(self.counts) == {Part.GONE}

    def holds(self, record: AlertRecord | None) -> bool:
        """Say whether an alert is among what is held, by what is known of it."""
        return record is not None and record.told_at is not None and record.told_at > self.since

    def part_of(self, record: AlertRecord | None) -> Part | None:
        """Return what a known alert is among what is held; None where it is not."""
        if record is None or not self.holds(record):
            return None
        match record.status:
            case AlertStatus.FIRING:
                return Part.FIRING
            case AlertStatus.EVENT:
                return Part.EVENT
            case AlertStatus.RESOLVED:
                return Part.GONE if record.message is None else Part.RESOLVED

    def believed(self, record: AlertRecord | None) -> bool:
        """Say whether people believe that an alert fires: they were told so before the holding began."""
        if record is None or record.told_at is None:
            return False
        return record.message is not None if self.holds(record) else record.status is AlertStatus.FIRING

    def take(
        self, alert: Alert, known: AlertRecord | None, record: AlertRecord, now: datetime
    ) -> tuple[Held, AlertRecord]:
        """Return what is held with one more alert, and the alert's record.

        Args:
            alert: as it is to be told.
            known: what was known of it.
            record: what is known of it now.
            now: of the telling.
        """
        believed = self.believed(known)
        part = _part(record.status, believed=believed)
        name = Name(digest_of(record.key), part, one_line(alert.name)[:LONGEST_NAME])
        message = known.message if known is not None and believed else None
        told_at = max(now, self.since) + _TICK
        return self._moved(self.part_of(known), name), attrs.evolve(record, told_at=told_at, message=message)

    def drop(self, known: AlertRecord | None, record: AlertRecord) -> tuple[Held, AlertRecord]:
        """Return what is held without an alert that is not to be told any more, and the alert's record."""
        before = self.part_of(known)
        if before is None:
            return self, record
        held = self._without(before, digest_of(record.key))
        return held, attrs.evolve(record, told_at=None, message=None)

    def with_notice(self, tags: Mapping[str, str], truncated: int) -> Held:
        """Return what is held, with what its latest notice says of all of it; no tags where it told of nothing."""
        kept = tags if self.tags is None else dict(tags.items() & self.tags.items()) if tags else self.tags
        return attrs.evolve(self, tags=kept, truncated=max(self.truncated, truncated))

    def _moved(self, before: Part | None, name: Name) -> Held:
        if before is name.part:
            return self
        rest = self if before is None else self._without(before, name.digest)
        names = sorted((*rest.names, name), key=lambda one: _PARTS.index(one.part))[:MOST_NAMES]
        counts = {**rest.counts, name.part: rest.counts.get(name.part, 0) + 1}
        return attrs.evolve(rest, counts=counts, names=tuple(names))

    def _without(self, part: Part, digest: str) -> Held:
        left = {**self.counts, part: self.counts.get(part, 0) - 1}
        counts = {one: count for one, count in left.items() if count > 0}
        return attrs.evolve(self, counts=counts, names=tuple(one for one in self.names if one.digest != digest))


def digest_of(key: AlertKey) -> str:
    """Return a short name for an alert's key."""
    return hashlib.sha256(f"{key.receiver}\n{key.fingerprint}".encode()).hexdigest()[:12]


def _part(status: AlertStatus, *, believed: bool) -> Part:
    match status:
        case AlertStatus.FIRING:
            return Part.FIRING
        case AlertStatus.EVENT:
            return Part.EVENT
        case AlertStatus.RESOLVED:
            return Part.RESOLVED if believed else Part.GONE


def current(known: Stream | None, key: StreamKey, source: Source, now: datetime) -> Stream:
    """Return a stream as it stands now: in its window, or at the beginning of a fresh one.

    While something is held, the window begins with its release: its message is the first of it.
    """
    if known is not None and known.pending is not None:
        return known
    length = timedelta(0) if source.storm is None else source.storm.window
    if known is not None and known.opened_at <= now < known.opened_at + length:
        return known
    return Stream(key=key, opened_at=now)


def held_by(stream: Stream) -> Held | None:
    """Return what is held back for a stream's audience; None where nothing is."""
    return None if stream.pending is None else _read(stream.held)


def hold_until(stream: Stream, source: Source, cls: MessageClass, now: datetime) -> datetime | None:
    """Return until when a message is held back; None where it may go at once."""
    storm, quiet = source.storm, source.quiet
    until = stream.opened_at + storm.window if storm is not None and stream.told >= storm.messages else now
    if quiet is not None and cls in quiet.classes and quiet.hours.include(until):
        until = quiet.hours.next_end(until)
    return until if until > now else None


def holding(stream: Stream, held: Held, message: MessageId) -> Stream:
    """Return a stream that holds so much back, in that message."""
    return attrs.evolve(stream, opened_at=held.until, told=1, pending=message, held=_written(held))


def digest(held: Held, source: Source, paper: Paper) -> str:
    """Return the message that sums up what is held: how much of what, since when, and as many names as fit."""
    counted = [part for part in _PARTS if held.counts.get(part)]
    head = ", ".join(f"{held.counts[part]} {part.value}" for part in counted) + f" since {clock(held.since, source)}"
    mixed = len(counted) > 1
    names = [
        f"{name.text} ({name.part.value})" if mixed and name.part is not Part.FIRING else name.text
        for name in held.names
    ]
    return fit_list(head, names, held.total + held.truncated, paper)


def clock(moment: datetime, source: Source) -> str:
    """Return a time of day as a source's audience reads it: in the zone of its quiet hours, else in UTC."""
    if source.quiet is None:
        return f"{moment.astimezone(UTC):%H:%M} UTC"
    return f"{moment.astimezone(source.quiet.hours.zone):%H:%M}"


def _written(held: Held) -> Mapping[str, object]:
    return {
        "since": held.since.isoformat(),
        "until": held.until.isoformat(),
        "counts": {part.name: count for part, count in held.counts.items() if count},
        "truncated": held.truncated,
        "names": [[name.digest, name.part.name, name.text] for name in held.names],
        "tags": dict(held.tags or {}),
    }


def _read(stored: Mapping[str, Any]) -> Held:
    return Held(
        since=datetime.fromisoformat(stored["since"]),
        until=datetime.fromisoformat(stored["until"]),
        counts={Part[name]: count for name, count in stored["counts"].items()},
        truncated=stored["truncated"],
        names=tuple(Name(digest, Part[part], text) for digest, part, text in stored["names"]),
        tags=stored["tags"],
    )
