"""What arrives from vendors: raw answers, reports, inbound messages. Raw is durable before anything reads it (T7)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

from tocsin.model.ids import AccountId, VendorId
from tocsin.model.optout import OptedOut, word_in
from tocsin.model.push import Trust, VerifiedPush
from tocsin.model.report import Batch, InboundMessage, Report, ReportState
from tocsin.outbox.evidence import events_of, join, only_doubt
from tocsin.outbox.gauges import outcomes
from tocsin.outbox.moves import Moves
from tocsin.outbox.ports import RawId
from tocsin.outbox.record import EVIDENCE_WINDOW, Attempt, RawAnswer, StoredInbound, StoredReport
from tocsin.outbox.rows import Rows
from tocsin.outbox.state import AttemptState, State

MOST_PIECES = 100
"""Unreadable pieces of one push that are kept beside it. The push itself is kept whole."""


class Arrivals:
    """The evidence half of the outbox, over the same rows."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def spool(self, raw: RawAnswer, now: datetime) -> RawId:
        with self._rows.transaction("spool"):
            return self._rows.add_raw(raw, now)

    def apply_reports(self, raw: RawId, batch: Batch[Report], *, shared: bool, now: datetime) -> None:
        with self._rows.transaction("reports"):
            answer = self._rows.get_raw(raw)
            came = [_as_stored(answer, report, shared=shared, now=now) for report in batch.rows]
            self._rows.add_reports(raw, [self._match(one, now) for one in came])
            self._rows.mark_read(raw)
            self._rows.add_quarantine(raw, batch.unparsed, now)

    def apply_inbound(
        self, raw: RawId, batch: Batch[InboundMessage], now: datetime, words: tuple[str, ...] = ()
    ) -> None:
        with self._rows.transaction("inbound"):
            self._take_inbound(raw, self._rows.get_raw(raw), batch, words, now)
            self._rows.mark_read(raw)
            self._rows.add_quarantine(raw, batch.unparsed, now)

    def apply_push(
        self, raw: RawId, push: VerifiedPush, words: tuple[str, ...] = (), *, shared: bool, now: datetime
    ) -> bool:
        with self._rows.transaction("push"):
            if self._rows.pushes.is_read(raw):  # whoever looked for what a dead process left behind was faster
                return False
            answer = self._rows.get_raw(raw)
            self._take_reports(raw, answer, push.reports, shared=shared, now=now)
            self._take_inbound(raw, answer, push.inbound, words, now)
            self._want_polls(answer, push, now)
            self._rows.mark_read(raw)
            self._rows.add_quarantine(raw, _shortened((*push.reports.unparsed, *push.inbound.unparsed)), now)
            return True

    def _take_reports(
        self, raw: RawId, answer: RawAnswer, batch: Batch[Report], *, shared: bool, now: datetime
    ) -> None:
        """Store pushed rows but those that came before: who pushes tries again, or is played back."""
        for report in dict.fromkeys(batch.rows):
            one = _as_stored(answer, report, shared=shared, now=now)
            if not self._rows.pushes.is_known(one):
                self._rows.add_reports(raw, [self._match(one, now)])

    def _take_inbound(
        self, raw: RawId, answer: RawAnswer, batch: Batch[InboundMessage], words: tuple[str, ...], now: datetime
    ) -> None:
        """Store inbound messages. What comes by push and by poll is one message, and as good as the better of them."""
        for message in batch.rows:
            one = StoredInbound(account=answer.account, message=message, received_at=now, trust=answer.trust)
            known = self._rows.pushes.trust_of(one) if _can_be_told_apart(message) else None
            if known is None or (known is Trust.POLL and one.trust is Trust.POLL):
                self._rows.add_inbound(raw, [one])
            elif known < one.trust:
                self._rows.pushes.raise_trust(one)
            else:
                continue
            if one.trust > Trust.TOKEN:
                self._heed(one, words)

    def _heed(self, one: StoredInbound, words: tuple[str, ...]) -> None:
        if word := word_in(one.message.text, words):
            said = OptedOut(number=one.message.sender, at=one.received_at, account=one.account, word=word)
            self._rows.books.save_opt_out(said)

    def _want_polls(self, answer: RawAnswer, push: VerifiedPush, now: datetime) -> None:
        """Bring the next poll forward where only that can tell whether a push is true."""
        if answer.trust is Trust.TOKEN:
            for kind, batch in (("reports", push.reports), ("inbound", push.inbound)):
                if batch.rows:
                    self._rows.pushes.want_poll(answer.account, kind, now)

    def quarantine(self, raw: RawId, why: str, now: datetime) -> None:
        with self._rows.transaction("quarantine"):
            self._rows.mark_read(raw)
            self._rows.add_quarantine(raw, [why], now)

    def rematch(self, settled: Iterable[Attempt], now: datetime) -> None:
        """Join the reports that overtook their submit's answer. Within the transaction that settles."""
        asked: set[tuple[AccountId, VendorId]] = set()
        for attempt in settled:
            if attempt.state is AttemptState.ACCEPTED and attempt.vendor_id is not None:
                if (attempt.account, attempt.vendor_id) not in asked:  # an id may stand for a whole group
                    asked.add((attempt.account, attempt.vendor_id))
                    self._rematch_by_id(attempt.account, attempt.vendor_id, now)
            elif attempt.state is AttemptState.UNKNOWN:
                self._rematch_by_number(attempt, now)

    def _rematch_by_id(self, account: AccountId, vendor_id: VendorId, now: datetime) -> None:
        for orphan in self._rows.orphans(account, vendor_id, now - EVIDENCE_WINDOW):
            found = self._rows.accepted_as(account, vendor_id, orphan.report.to)
            if found is not None:
                self._rows.adopt(orphan, found.delivery, by_number=False)
                self._join(found, orphan.report, now)

    def _rematch_by_number(self, attempt: Attempt, now: datetime) -> None:
        to = self._rows.get_deliveries([attempt.delivery])[attempt.delivery].to
        for orphan in self._rows.orphans_to(attempt.account, to, attempt.intended_at):
            matched = self._match(orphan, now)
            if matched.delivery is not None:
                self._rows.adopt(orphan, matched.delivery, by_number=matched.by_number)

    def _match(self, stored: StoredReport, now: datetime) -> StoredReport:
        """Join a report with the attempt it speaks of, or with the only one in doubt that it may settle."""
        if not stored.may_be_matched:
            return stored
        report = stored.report
        attempt = self._spoken_of(stored.account, report)
        by_number = attempt is None and not stored.shared
        if by_number:
            attempt = only_doubt(self._rows.ringing(stored.account, report.to), report, now)
        if attempt is None:
            return stored
        self._join(attempt, report, now)
        if by_number and report.vendor_id is not None:  # the id is known now: others of it may have waited
            self._rematch_by_id(stored.account, report.vendor_id, now)
        return attrs.evolve(stored, delivery=attempt.delivery, by_number=by_number)

    def _spoken_of(self, account: AccountId, report: Report) -> Attempt | None:
        return None if report.vendor_id is None else self._rows.accepted_as(account, report.vendor_id, report.to)

    def _join(self, attempt: Attempt, report: Report, now: datetime) -> None:
        joined = join(attempt, report)
        self._rows.save_attempts([joined])
        if joined.state is not attempt.state:
            self._rows.gauges.add(outcomes([joined]))
        delivery = self._rows.get_deliveries([joined.delivery])[joined.delivery]
        copies = [one.id for one in self._rows.attempts_of([delivery.id])[delivery.id] if one.state.may_ring]
        events = events_of(delivery.state, joined, newest=copies[-1:] == [joined.id])
        if events or (delivery.state is State.SUBMITTED and joined.report is ReportState.FAILED):
            with Moves(self._rows, now) as moves:
                moves.move(delivery, *events)


def _as_stored(answer: RawAnswer, report: Report, *, shared: bool, now: datetime) -> StoredReport:
    return StoredReport(account=answer.account, report=report, trust=answer.trust, received_at=now, shared=shared)


def _can_be_told_apart(message: InboundMessage) -> bool:
    """Say whether another one like it is the same message: to the second, or by an id. Two plain texts may be two."""
    return message.at is not None or message.vendor_id is not None


def _shortened(pieces: tuple[str, ...]) -> tuple[str, ...]:
    more = len(pieces) - MOST_PIECES
    return pieces if more <= 0 else (*pieces[:MOST_PIECES], f"and {more} more")
