"""The tables of a store in memory."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import attrs

from tocsin.model.ids import AccountId, AttemptId, DeliveryId, HolderId, MessageId
from tocsin.model.message import Message
from tocsin.outbox.gauges import Tally
from tocsin.outbox.memory_alerts import Board
from tocsin.outbox.memory_books import Pages
from tocsin.outbox.ports import RawId
from tocsin.outbox.record import (
    Attempt,
    Chapter,
    Delivery,
    Listening,
    RawAnswer,
    StoredInbound,
    StoredReport,
    Transition,
)


@attrs.define
class Tables:
    """All of them."""

    messages: dict[MessageId, Message] = attrs.field(factory=dict)
    keys: dict[str, tuple[MessageId, str]] = attrs.field(factory=dict)
    deliveries: dict[DeliveryId, Delivery] = attrs.field(factory=dict)
    holders: dict[HolderId, datetime] = attrs.field(factory=dict)
    pollers: dict[AccountId, tuple[HolderId, datetime]] = attrs.field(factory=dict)
    listenings: dict[tuple[AccountId, str], Listening] = attrs.field(factory=dict)
    attempts: dict[AttemptId, Attempt] = attrs.field(factory=dict)
    transitions: list[Transition] = attrs.field(factory=list)
    chapters: list[tuple[DeliveryId, Chapter]] = attrs.field(factory=list)
    raw: list[RawAnswer] = attrs.field(factory=list)
    read: set[RawId] = attrs.field(factory=set)
    reports: list[StoredReport] = attrs.field(factory=list)
    inbound: list[StoredInbound] = attrs.field(factory=list)
    applied: set[RawId] = attrs.field(factory=set)
    quarantine: list[tuple[RawId, str]] = attrs.field(factory=list)
    pages: Pages = attrs.field(factory=Pages)
    board: Board = attrs.field(factory=Board)
    tallies: Counter[Tally] = attrs.field(factory=Counter)
    wanted: dict[tuple[AccountId, str], datetime] = attrs.field(factory=dict)

    def copy(self) -> Tables:
        """Return them as they are, to put back after a transaction that failed."""
        return Tables(*(getattr(self, field.name).copy() for field in attrs.fields(Tables)))
