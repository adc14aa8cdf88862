"""Whether an alert is news: the one table for retries, copies of other peers, repeats, and what comes too late.

Pure. Given are what is known of the alert and what is heard of it now; whom to tell, and how, is decided elsewhere. The
intake asks within the transaction that stores the answer.

| known | heard | verdict |
| --- | --- | --- |
| nothing | firing | NEW |
| nothing | resolved | RESOLVED, or UNTOLD by the source's policy |
| firing | firing, at another level | CHANGED; LATE where that began before what is known |
| firing | firing, begun a window later than what is known | REFIRED: its end was never heard of |
| firing | firing, told within the window | DUPLICATE |
| firing | firing, told before it, or said to be a repeat | REPEAT, or DROPPED by the source's policy |
| firing | resolved, over before what is known began | LATE |
| firing | resolved | RESOLVED, or UNTOLD by the source's policy |
| resolved | firing, begun before that end, and nobody heard of that | OVERTAKEN by its end, within the window |
| resolved | firing, begun before that end, heard soon after it | LATE: a copy that lags behind |
| resolved | firing, else | REFIRED |
| resolved | resolved, begun after that end, or over later | as for nothing known |
| resolved | resolved, else | DUPLICATE |
| the event | the event | DUPLICATE; NEW where it is not known |
| anything | resolved or an event, over for longer than anybody cares | STALE |
| newer | what waited, and is not later by its own times either | LATE |
"""

from __future__ import annotations

import enum
from datetime import datetime, timedelta

import attrs

from tocsin.model.alert import Alert, AlertStatus
from tocsin.model.message import MessageClass
from tocsin.model.source import Repeats, Resolved, Source
from tocsin.outbox.alert import AlertKey, AlertRecord
from tocsin.policy.route import CLASS_RULES

COPY = timedelta(minutes=2)
"""A repeat that says so is believed from this time on; before it, it is another peer's copy of one."""

LEAST_PATIENCE = timedelta(hours=4)
"""That something is over is still told for so long, whatever the class: somebody may be looking for it."""

SOON = 0.4
"""So much of a window a peer's copy may lag behind an end. Alertmanager tries to post for one `group_interval`, and no
sooner posts that group again: half a window, by the defaults of both. So what it took for over by mistake, because
Prometheus could not reach it, is heard of later than this; and then not again for hours. Who starts a process for each
notification takes nothing for over by mistake, and a process may lag longer: for what waited it is the whole window."""

APART = timedelta(seconds=1)
"""Two beginnings, or two ends, less than this apart are one: stacks tell times in whole seconds, or by two clocks."""


class Verdict(enum.Enum):
    """What an alert is, beside what is known of it. The value says whether it is told."""

    NEW = "new"
    REFIRED = "refired"
    CHANGED = "changed"
    REPEAT = "repeat"
    RESOLVED = "resolved"
    OVERTAKEN = "overtaken"
    DROPPED = "dropped"
    UNTOLD = "untold"
    DUPLICATE = "duplicate"
    LATE = "late"
    STALE = "stale"

    @property
    def is_told(self) -> bool:
        """Whether somebody is to be told."""
        return self in _TOLD


_TOLD = frozenset((Verdict.NEW, Verdict.REFIRED, Verdict.CHANGED, Verdict.REPEAT, Verdict.RESOLVED, Verdict.OVERTAKEN))


@attrs.frozen(kw_only=True)
class Heard:
    """An alert as it is heard of now.

    Args:
        cls: of the message that would tell of it.
        repeated: its stack says that it repeats itself.
        waited: it was heard before it is judged, and newer news may have come in meanwhile.
    """

    key: AlertKey
    alert: Alert
    cls: MessageClass = MessageClass.ALERT
    repeated: bool = False
    waited: bool = False


def judge(known: AlertRecord | None, heard: Heard, source: Source, now: datetime) -> tuple[Verdict, AlertRecord]:
    """Return what an alert is, and what is known of it from now on.

    Args:
        known: what is known of it; None for nothing.
        heard: what is heard of it.
        source: by whose policy.
        now: when it was heard, aware UTC.

    Returns:
        The verdict, and the record to keep. That somebody was told is for the caller to write into it.
    """
    verdict = _verdict(known, heard, source, now)
    return verdict, _record(known, heard, verdict, now)


def _verdict(known: AlertRecord | None, heard: Heard, source: Source, now: datetime) -> Verdict:
    is_event = heard.alert.status is AlertStatus.EVENT
    if known is not None and (known.status is AlertStatus.EVENT) is not is_event:
        known = None  # one name for two things: what is known is of the other
    if known is not None and heard.waited and now <= known.seen_at and not _is_newer(heard.alert, known):
        return Verdict.LATE
    match heard.alert.status:
        case AlertStatus.EVENT if known is not None:
            return Verdict.DUPLICATE
        case AlertStatus.EVENT:
            return Verdict.STALE if _is_stale(heard.alert.starts_at, heard.cls, now) else Verdict.NEW
        case AlertStatus.FIRING:
            return _of_firing(known, heard, source, now)
        case AlertStatus.RESOLVED:
            return _of_resolved(known, heard, source, now)


def _of_firing(known: AlertRecord | None, heard: Heard, source: Source, now: datetime) -> Verdict:
    alert = heard.alert
    if known is None:
        return Verdict.NEW
    if known.status is AlertStatus.RESOLVED:
        return _of_lagging(known, heard, source, now) if _lags(known, alert, source, now) else Verdict.REFIRED
    if alert.level and known.level and alert.level != known.level:
        return Verdict.LATE if _is_after(known.starts_at, alert.starts_at, APART) else Verdict.CHANGED
    if _is_after(alert.starts_at, known.starts_at, source.window):
        return Verdict.REFIRED
    return _again(known, heard, source, now)


def _again(known: AlertRecord, heard: Heard, source: Source, now: datetime) -> Verdict:
    """Judge what is known to fire, and still does."""
    if known.told_at is None:
        return Verdict.NEW
    if now - known.told_at < (min(COPY, source.window) if heard.repeated else source.window):
        return Verdict.DUPLICATE
    return Verdict.REPEAT if source.repeats is Repeats.SEND else Verdict.DROPPED


def _of_lagging(known: AlertRecord, heard: Heard, source: Source, now: datetime) -> Verdict:
    """Judge what began before the end that is known: whoever did not hear that it began hears that it came and went."""
    if _is_unheard_of(heard.alert, known):
        return Verdict.LATE if _is_stale(known.ends_at, heard.cls, now) else Verdict.OVERTAKEN
    lag = source.window if heard.waited else SOON * source.window
    return Verdict.LATE if now - known.seen_at < lag else Verdict.REFIRED


def _is_unheard_of(alert: Alert, known: AlertRecord) -> bool:
    """Whether nobody heard yet that it began, although they may have heard that it ended."""
    return alert.starts_at is not None and (
        known.starts_at is None or _is_after(alert.starts_at, known.starts_at, APART)
    )


def _lags(known: AlertRecord, alert: Alert, source: Source, now: datetime) -> bool:
    """Whether it began before the end that is known, and that was not too long ago to be in any order."""
    return (
        alert.starts_at is not None
        and known.ends_at is not None
        and alert.starts_at <= known.ends_at
        and now - known.seen_at < source.window
    )


def _of_resolved(known: AlertRecord | None, heard: Heard, source: Source, now: datetime) -> Verdict:
    alert = heard.alert
    if known is not None:
        if known.status is AlertStatus.RESOLVED and not _is_another_end(alert, known):
            return Verdict.DUPLICATE
        if known.status is AlertStatus.FIRING and _is_older(alert, known):
            return Verdict.LATE
    if _is_stale(alert.ends_at, heard.cls, now):
        return Verdict.STALE
    was_told = known is not None and known.status is AlertStatus.FIRING and known.told_at is not None
    if source.resolved is Resolved.ALWAYS or (source.resolved is Resolved.TOLD and was_told):
        return Verdict.RESOLVED
    return Verdict.UNTOLD


def _is_another_end(alert: Alert, known: AlertRecord) -> bool:
    """Whether what is over now is not what is known to be over, but something that began after it."""
    if alert.starts_at is None:
        return _is_after(alert.ends_at, known.ends_at, APART)
    return _is_after(alert.starts_at, known.ends_at)


def _is_newer(alert: Alert, known: AlertRecord) -> bool:
    """Whether something is later than what is known by its own times, although it was heard earlier.

    A monitoring program starts a process for each notification, and a busy machine lets them run in any order.
    """
    match known.status, alert.status:
        case AlertStatus.FIRING, AlertStatus.FIRING:
            return _is_after(alert.starts_at, known.starts_at)
        case AlertStatus.FIRING, AlertStatus.RESOLVED:
            return _is_after(alert.ends_at, known.starts_at)
        case AlertStatus.RESOLVED, AlertStatus.FIRING:
            return _is_after(alert.starts_at, known.ends_at) or _is_unheard_of(alert, known)
        case AlertStatus.RESOLVED, AlertStatus.RESOLVED:
            return _is_another_end(alert, known)
        case _:
            return False


def _is_older(alert: Alert, known: AlertRecord) -> bool:
    """Whether what is over now is not what is known to fire, but what fired before it."""
    began_earlier = alert.starts_at is None or _is_after(known.starts_at, alert.starts_at)
    return began_earlier and _is_after(known.starts_at, alert.ends_at)


def _is_after(moment: datetime | None, other: datetime | None, distance: timedelta = timedelta(0)) -> bool:
    """Whether a moment is known to be later, by at least that distance. Nobody knows of one that is not given."""
    return moment is not None and other is not None and moment > other and moment - other >= distance


def _is_stale(over_at: datetime | None, cls: MessageClass, now: datetime) -> bool:
    return over_at is not None and now - over_at > max(CLASS_RULES[cls].expires_after, LEAST_PATIENCE)


def _record(known: AlertRecord | None, heard: Heard, verdict: Verdict, now: datetime) -> AlertRecord:
    """Return what is kept. What comes late, or says again that something is over, changes nothing of it."""
    alert = heard.alert
    if known is None:
        return AlertRecord(
            key=heard.key,
            status=alert.status,
            level=alert.level,
            starts_at=None if alert.status is AlertStatus.RESOLVED else alert.starts_at,
            ends_at=_end(alert, None, now),
            seen_at=now,
        )
    if verdict is Verdict.LATE or (verdict is Verdict.DUPLICATE and alert.status is not AlertStatus.FIRING):
        return known
    if verdict is Verdict.OVERTAKEN:
        return attrs.evolve(known, starts_at=alert.starts_at, seen_at=max(known.seen_at, now))
    begins_anew = verdict in (Verdict.NEW, Verdict.REFIRED)
    return attrs.evolve(
        known,
        status=alert.status,
        level=alert.level or known.level,
        starts_at=_beginning(alert, known, begins_anew=begins_anew),
        ends_at=_end(alert, known.ends_at, now),
        seen_at=max(known.seen_at, now),
    )


def _beginning(alert: Alert, known: AlertRecord, *, begins_anew: bool) -> datetime | None:
    """Return the latest beginning that was heard of. That it is over is not to have heard that it began."""
    if begins_anew:
        return alert.starts_at
    return known.starts_at if alert.status is AlertStatus.RESOLVED else _latest(known.starts_at, alert.starts_at)


def _end(alert: Alert, known: datetime | None, now: datetime) -> datetime | None:
    return _latest(known, alert.ends_at or now) if alert.status is AlertStatus.RESOLVED else None


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((moment for moment in (one, other) if moment is not None), default=None)
