"""Values to columns and back, for the SQLite store. Pure."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tocsin.errors import InvalidNumber
from tocsin.model.ids import AccountId, AttemptId, DeliveryId, HolderId, MessageId, SubmitId, VendorId, position_of
from tocsin.model.message import Message, MessageClass
from tocsin.model.outcome import Reason
from tocsin.model.phone import E164, Msisdn, ShortCode
from tocsin.model.push import Trust
from tocsin.model.report import InboundMessage, Report, ReportState
from tocsin.model.submission import Attachment
from tocsin.outbox.record import (
    Attempt,
    Delivery,
    Listening,
    RawAnswer,
    StoredInbound,
    StoredReport,
    Transition,
    Trigger,
)
from tocsin.outbox.state import AttemptState, Event, State

Row = sqlite3.Row
Columns = tuple[Any, ...]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Return an aware time as the store keeps it."""
    return (moment - _EPOCH) // _MICROSECOND


def maybe(moment: datetime | None) -> int | None:
    """Return an aware time as the store keeps it; None for none."""
    return None if moment is None else microseconds(moment)


def moment(stored: int) -> datetime:
    """Return a stored time, aware."""
    return _EPOCH + timedelta(microseconds=stored)


def maybe_moment(stored: int | None) -> datetime | None:
    """Return a stored time, aware; None for none."""
    return None if stored is None else moment(stored)


def millionths(amount: Decimal) -> int:
    """Return an exact amount as the store keeps it."""
    return int(amount.scaleb(6).to_integral_exact())


def money(stored: int) -> Decimal:
    """Return a stored amount."""
    return Decimal(stored).scaleb(-6)


def number(stored: str) -> Msisdn:
    """Return a stored number: an international one, or a short code."""
    try:
        return E164(stored)
    except InvalidNumber:
        return ShortCode(stored)


def message_columns(message: Message) -> Columns:
    """Return the columns of `message`, attachments apart."""
    return (
        message.id,
        microseconds(message.accepted_at),
        message.cls.value,
        " ".join(to.full for to in message.to),
        message.text,
        json.dumps(dict(message.tags), ensure_ascii=False),
        message.source,
        message.extension,
        message.subject,
        maybe(message.send_at),
    )


def read_message(row: Row, key: str | None, attachments: tuple[Attachment, ...]) -> Message:
    """Return a message from its row, its key and its attachments."""
    return Message(
        id=MessageId(row["id"]),
        to=tuple(E164(to) for to in row["recipients"].split()),
        text=row["text"],
        cls=MessageClass(row["class"]),
        accepted_at=moment(row["accepted_at"]),
        tags=json.loads(row["tags"]),
        source=row["source"],
        idempotency_key=key,
        send_at=maybe_moment(row["send_at"]),
        extension=row["extension"],
        subject=row["subject"],
        attachments=attachments,
    )


def delivery_columns(delivery: Delivery) -> Columns:
    """Return the columns of `delivery`."""
    return (
        delivery.id,
        delivery.message,
        position_of(delivery.id),
        delivery.to.full,
        delivery.state.value,
        delivery.route,
        microseconds(delivery.due_at),
        microseconds(delivery.expires_at),
        microseconds(delivery.updated_at),
        delivery.epoch,
        delivery.holder,
        delivery.account,
        delivery.revision,
        delivery.urgency,
        delivery.report_overdue,
        delivery.only,
        delivery.turn,
    )


def read_delivery(row: Row) -> Delivery:
    """Return a delivery from its row."""
    return Delivery(
        id=DeliveryId(row["id"]),
        message=MessageId(row["message"]),
        to=E164(row["recipient"]),
        state=State(row["state"]),
        route=row["route"],
        due_at=moment(row["due_at"]),
        expires_at=moment(row["expires_at"]),
        updated_at=moment(row["updated_at"]),
        epoch=row["epoch"],
        revision=row["revision"],
        urgency=row["urgency"],
        report_overdue=bool(row["report_overdue"]),
        holder=None if row["holder"] is None else HolderId(row["holder"]),
        account=None if row["account"] is None else AccountId(row["account"]),
        only=None if row["only"] is None else AccountId(row["only"]),
        turn=row["turn"],
    )


def attempt_columns(attempt: Attempt) -> Columns:
    """Return the columns of `attempt`, all but the recipient, which its delivery knows."""
    return (
        attempt.id,
        attempt.delivery,
        attempt.number,
        attempt.submit,
        attempt.group_size,
        attempt.account,
        attempt.state.value,
        microseconds(attempt.intended_at),
        maybe(attempt.settled_at),
        attempt.vendor_id,
        attempt.partial,
        None if attempt.reason is None else attempt.reason.label,
        attempt.code,
        attempt.text,
        attempt.cause,
        attempt.report,
        attempt.report_code,
        maybe(attempt.report_at),
        attempt.trigger.value,
        attempt.segments,
        millionths(attempt.cost),
    )


def read_attempt(row: Row) -> Attempt:
    """Return an attempt from its row."""
    return Attempt(
        id=AttemptId(row["id"]),
        delivery=DeliveryId(row["delivery"]),
        number=row["number"],
        submit=SubmitId(row["submit"]),
        group_size=row["group_size"],
        account=AccountId(row["account"]),
        state=AttemptState(row["state"]),
        intended_at=moment(row["intended_at"]),
        settled_at=maybe_moment(row["settled_at"]),
        vendor_id=None if row["vendor_id"] is None else VendorId(row["vendor_id"]),
        partial=bool(row["partial"]),
        reason=None if row["reason"] is None else Reason.labelled(row["reason"]),
        code=row["code"],
        text=row["vendor_text"],
        cause=row["cause"],
        report=None if row["report"] is None else ReportState(row["report"]),
        report_code=row["report_code"],
        report_at=maybe_moment(row["report_at"]),
        trigger=Trigger(row["trigger"]),
        segments=row["segments"],
        cost=money(row["cost"]),
    )


def listening_columns(heard: Listening) -> Columns:
    """Return the columns of `listening`."""
    asked_at, heard_at = microseconds(heard.asked_at), maybe(heard.heard_at)
    return (heard.account, heard.kind, asked_at, heard_at, heard.trouble, heard.gaps)


def read_listening(row: Row) -> Listening:
    """Return how the polls of an account and kind have gone, from its row."""
    return Listening(
        account=AccountId(row["account"]),
        kind=row["kind"],
        asked_at=moment(row["asked_at"]),
        heard_at=maybe_moment(row["heard_at"]),
        trouble=row["trouble"],
        gaps=row["gaps"],
    )


def transition_columns(transition: Transition) -> Columns:
    """Return the columns of `audit`."""
    return (
        microseconds(transition.at),
        transition.delivery,
        transition.event.value,
        transition.before.value,
        transition.after.value,
    )


def read_transition(row: Row) -> Transition:
    """Return an audit row."""
    return Transition(
        at=moment(row["at"]),
        delivery=DeliveryId(row["delivery"]),
        event=Event(row["event"]),
        before=State(row["before"]),
        after=State(row["after"]),
    )


def raw_columns(raw: RawAnswer) -> Columns:
    """Return the columns of `raw` behind its time."""
    return (raw.account, raw.kind, raw.trust, raw.fault, raw.status, json.dumps(raw.headers), raw.body)


def read_raw(row: Row) -> RawAnswer:
    """Return a raw answer from its row."""
    return RawAnswer(
        account=AccountId(row["account"]),
        kind=row["kind"],
        trust=Trust(row["trust"]),
        body=row["body"],
        fault=row["fault"],
        status=row["status"],
        headers=tuple((name, value) for name, value in json.loads(row["headers"])),
    )


def report_columns(stored: StoredReport) -> Columns:
    """Return the columns of `report` behind its raw answer."""
    return (
        stored.account,
        stored.trust,
        microseconds(stored.received_at),
        stored.report.vendor_id,
        stored.report.to.full,
        stored.report.state,
        stored.report.code,
        maybe(stored.report.at),
        stored.delivery,
        stored.by_number,
        stored.shared,
    )


def read_report(row: Row) -> StoredReport:
    """Return a stored report from its row."""
    return StoredReport(
        account=AccountId(row["account"]),
        report=Report(
            vendor_id=None if row["vendor_id"] is None else VendorId(row["vendor_id"]),
            to=number(row["recipient"]),
            state=ReportState(row["state"]),
            code=row["code"],
            at=maybe_moment(row["at"]),
        ),
        trust=Trust(row["trust"]),
        received_at=moment(row["received_at"]),
        delivery=None if row["delivery"] is None else DeliveryId(row["delivery"]),
        by_number=bool(row["by_number"]),
        shared=bool(row["shared"]),
    )


def inbound_columns(stored: StoredInbound) -> Columns:
    """Return the columns of `inbound` behind its raw answer."""
    return (
        stored.account,
        microseconds(stored.received_at),
        stored.message.sender.full,
        stored.message.text,
        maybe(stored.message.at),
        stored.message.extension,
        stored.message.vendor_id,
        stored.trust,
    )


def read_inbound(row: Row) -> StoredInbound:
    """Return a stored inbound message from its row."""
    return StoredInbound(
        account=AccountId(row["account"]),
        message=InboundMessage(
            sender=number(row["sender"]),
            text=row["text"],
            at=maybe_moment(row["at"]),
            extension=row["extension"],
            vendor_id=None if row["vendor_id"] is None else VendorId(row["vendor_id"]),
        ),
        received_at=moment(row["received_at"]),
        trust=Trust(row["trust"]),
    )
