"""From a notice to the messages that come of it: judged, addressed, worded, held back where it is too much.

What must not race is decided within the transaction that stores it; see `tocsin.outbox.alert.Intake`. Pure but for
alarms in the log. The gateway, the command line and the library all take alerts in by this.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

import attrs

from tocsin import observe
from tocsin.alerting import stream as streams
from tocsin.alerting.addressing import Addressed, Asked, Audience
from tocsin.alerting.posting import Desk, Posting, tags_of
from tocsin.alerting.verdict import Heard, Verdict, judge
from tocsin.errors import InvalidInput
from tocsin.model.alert import Alert, AlertStatus, Notice
from tocsin.model.ids import MessageId
from tocsin.model.message import MessageClass
from tocsin.model.source import Source
from tocsin.outbox.alert import AlertKey, AlertRecord, Decided, Intake, Standing, Stream, StreamKey

LONGEST_NAME = 200
"""Of a receiver or a fingerprint as it is kept; what is longer, or no text, is kept as its digest."""


def intake_of(
    addressed: Addressed,
    notice: Notice,
    source: Source,
    asked: Asked,
    desk: Desk,
    heard_at: datetime | None = None,
) -> Intake:
    """Return the intake of a notice.

    Args:
        addressed: who is told of what; see `tocsin.alerting.addressing.address`.
        notice: as its stack told it.
        source: by whose terms.
        asked: what whoever handed it in says of whom to tell.
        desk: makes messages.
        heard_at: when, where it waited since then; None for one that is taken in as it is heard.
    """
    for reason, count in (("recipient-unknown", addressed.unknown), ("nobody-told", addressed.nobody)):
        if count:
            observe.log.warning(observe.ALARM, reason=reason, kind=source.kind, count=count)
    posting = Posting(notice=notice, source=source, desk=desk)
    taking = _Taking(posting=posting, receiver=_receiver(notice, asked), addressed=addressed, heard_at=heard_at)
    return Intake(
        decide=taking.decide,
        alerts=tuple(taking.key(alert) for alerts in addressed.audiences.values() for alert in alerts),
        streams=tuple(taking.stream_key(audience) for audience in addressed.audiences),
    )


@attrs.frozen(kw_only=True)
class _Judged:
    """One alert: what was known of it, what is now, and whether that is news."""

    alert: Alert
    known: AlertRecord | None
    record: AlertRecord
    verdict: Verdict

    @property
    def told(self) -> Alert:
        """The alert as people are told of it: nobody is to believe that it fires when it is over."""
        if self.verdict is not Verdict.OVERTAKEN:
            return self.alert
        return attrs.evolve(self.alert, status=AlertStatus.EVENT, name=f"{streams.CAME_AND_WENT}: {self.alert.name}")


@attrs.frozen(kw_only=True)
class _Taking:
    """One notice while it is decided about.

    Args:
        receiver: for whom its alerts are known.
        heard_at: as of when it is decided about; None for when it is taken in.
    """

    posting: Posting
    receiver: str
    addressed: Addressed
    heard_at: datetime | None

    @property
    def source(self) -> Source:
        return self.posting.source

    def key(self, alert: Alert) -> AlertKey:
        return AlertKey(source=self.source.name, receiver=self.receiver, fingerprint=_kept(alert.fingerprint))

    def stream_key(self, audience: Audience) -> StreamKey:
        return StreamKey(source=self.source.name, audience=audience.digest)

    def decide(self, standing: Standing, now: datetime) -> Decided:
        """Decide about all audiences. One that cannot be told costs the others nothing.

        Raises:
            InvalidInput: none can be told.
        """
        now = now if self.heard_at is None else min(self.heard_at, now)
        parts: list[Decided] = []
        faults: list[InvalidInput] = []
        for audience, alerts in self.addressed.audiences.items():
            judged = [self._judge(alert, audience.cls, standing, now) for alert in alerts]
            try:
                parts.append(self._decide(audience, judged, standing.streams.get(self.stream_key(audience)), now))
            except InvalidInput as error:
                faults.append(error)
        if faults and not parts:
            raise faults[0]
        for fault in faults:
            observe.log.error(observe.ALARM, reason="nobody-told", kind=self.source.kind, cause=str(fault))
        return _joined(parts)

    def _judge(self, alert: Alert, cls: MessageClass, standing: Standing, now: datetime) -> _Judged:
        key = self.key(alert)
        known = standing.alerts.get(key)
        waited = self.heard_at is not None
        heard = Heard(key=key, alert=alert, cls=cls, repeated=self.posting.notice.repeated, waited=waited)
        verdict, record = judge(known, heard, self.source, now)
        return _Judged(alert=alert, known=known, record=record, verdict=verdict)

    def _decide(self, audience: Audience, judged: list[_Judged], known: Stream | None, now: datetime) -> Decided:
        stream = streams.current(known, self.stream_key(audience), self.source, now)
        held = streams.held_by(stream)
        if held is None:
            until = streams.hold_until(stream, self.source, audience.cls, now)
            if until is None:
                return self._tell(audience, judged, stream, now)
            held = streams.Held(since=now, until=until)
        return self._hold(audience, judged, stream, held, now)

    def _tell(self, audience: Audience, judged: list[_Judged], stream: Stream, now: datetime) -> Decided:
        """Tell at once what is to be told."""
        told = [one for one in judged if one.verdict.is_told]
        silent = tuple(one.record for one in judged if not one.verdict.is_told)
        if not told:
            return Decided(alerts=_changed(silent, judged))
        alerts = [one.told for one in told]
        tags = tags_of(self.posting.notice, alerts)
        acceptance = self.posting.accept(audience, self.posting.text(alerts, audience.cls), tags, now)
        records = [attrs.evolve(one.record, told_at=now, message=acceptance.message.id) for one in told]
        return Decided(
            acceptances=(acceptance,),
            alerts=_changed((*records, *silent), judged),
            streams=(attrs.evolve(stream, told=stream.told + 1),),
        )

    def _hold(
        self, audience: Audience, judged: list[_Judged], stream: Stream, before: streams.Held, now: datetime
    ) -> Decided:
        """Hold back what is to be told, in one message with what is held back already."""
        held, records, sure = before, [], set()
        for one in judged:
            record = one.record
            if one.verdict.is_told:
                if before.believed(one.known):
                    sure.add(record.key)
                held, record = held.take(one.alert, one.known, record, now)
            elif one.verdict in (Verdict.UNTOLD, Verdict.STALE):
                held, record = held.drop(one.known, record)
            records.append(record)
        if held == before:
            return Decided(alerts=_changed(records, judged))
        alerts = [one.alert for one in judged if one.verdict.is_told]
        held = held.with_notice(tags_of(self.posting.notice, alerts), self.posting.notice.truncated)
        decided = self._sum_up(audience, held, stream, alerts, now)
        for acceptance in decided.acceptances:
            records = [_known_by(one, acceptance.message.id) if one.key in sure else one for one in records]
        return attrs.evolve(decided, alerts=_changed(records, judged))

    def _sum_up(
        self, audience: Audience, held: streams.Held, stream: Stream, alerts: list[Alert], now: datetime
    ) -> Decided:
        """Put the message that sums up what is held in the place of the one before it."""
        supersedes = () if stream.pending is None else (stream.pending,)
        if not held.total:
            return Decided(streams=(Stream(key=stream.key, opened_at=now),), supersedes=supersedes)
        acceptance = self.posting.accept(
            audience, self._summary(audience, held, alerts), held.tags or {}, now, held.until
        )
        return Decided(
            acceptances=(acceptance,),
            streams=(streams.holding(stream, held, acceptance.message.id),),
            supersedes=supersedes,
        )

    def _summary(self, audience: Audience, held: streams.Held, alerts: list[Alert]) -> str:
        """Return what is told of all that is held; of a single alert all of it, and when it was."""
        if held.total == len(alerts) == 1 and not held.is_over:
            return self.posting.text(alerts, audience.cls, f" ({streams.clock(held.since, self.source)})")
        return streams.digest(held, self.source, self.posting.paper(audience.cls))


def _known_by(record: AlertRecord, message: MessageId) -> AlertRecord:
    """Return the record of what people were told before, by that message where nobody knows by which."""
    return record if record.message is not None else attrs.evolve(record, message=message)


def _changed(records: Iterable[AlertRecord], judged: Iterable[_Judged]) -> tuple[AlertRecord, ...]:
    """Return the records that are not as they were."""
    known = {one.known for one in judged}
    return tuple(record for record in records if record not in known)


def _joined(parts: list[Decided]) -> Decided:
    return Decided(
        acceptances=tuple(one for part in parts for one in part.acceptances),
        alerts=tuple(one for part in parts for one in part.alerts),
        streams=tuple(one for part in parts for one in part.streams),
        supersedes=tuple(one for part in parts for one in part.supersedes),
    )


def _receiver(notice: Notice, asked: Asked) -> str:
    """Return for whom alerts are known: the stack's receiver, and who was asked for beside it.

    One receiver of a stack may post to several addresses here, each for other people.
    """
    return _kept(f"{notice.receiver}?{asked.digest}" if asked.digest else notice.receiver)


def _kept(name: str) -> str:
    """Return a name of somebody else's as it can be kept."""
    if len(name) <= LONGEST_NAME and name.isprintable():
        return name
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
