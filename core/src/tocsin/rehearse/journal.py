"""What a real store has recorded: its messages with their times, and what became of each attempt.

Read through the store's own reader, changed in nothing. Texts and numbers stay values; none is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import attrs

from tocsin.delivery.accept import Draft
from tocsin.errors import InvalidInput
from tocsin.model.ids import AccountId, DeliveryId, MessageId
from tocsin.model.message import Message
from tocsin.model.phone import E164
from tocsin.model.report import ReportState
from tocsin.outbox.ports import Store
from tocsin.outbox.record import Attempt, Dossier, StoredReport
from tocsin.outbox.state import AttemptState
from tocsin.rehearse.play import Offer

_PAGE = 500


@attrs.frozen(kw_only=True)
class Record:
    """One recorded attempt, and its report.

    Args:
        at_s: when its request was about to leave, in seconds since the first message.
        attempt: as it stands.
        delay_s: from then to its outcome.
        rang_after_s: from then to the phone, as the vendor reported it; None where no report says that it rang.
        heard_after_s: from then to the report; None where none came.
    """

    at_s: float
    attempt: Attempt
    delay_s: float
    rang_after_s: float | None
    heard_after_s: float | None


@attrs.frozen(kw_only=True)
class Journal:
    """All that was recorded.

    Args:
        begins: when the first message was accepted.
        offers: the messages, in the order of time.
        records: the settled attempts of each account, in the order of time.
        of_message: those of one message to one number through one account, in order.
    """

    begins: datetime
    offers: tuple[Offer, ...]
    records: Mapping[AccountId, tuple[Record, ...]]
    of_message: Mapping[tuple[AccountId, MessageId, E164], tuple[Record, ...]]

    @property
    def length_s(self) -> float:
        """From the first message to the last."""
        return self.offers[-1].at_s


def read_journal(store: Store) -> Journal:
    """Read a store's journal.

    Raises:
        InvalidInput: it holds no message.
    """
    messages: dict[MessageId, Message] = {}
    dossiers = []
    for dossier in _dossiers(store):
        if dossier.message is not None:
            messages[dossier.message.id] = dossier.message
            dossiers.append((dossier.delivery.message, dossier.delivery.to, dossier.attempts, dossier.reports))
    if not messages:
        raise InvalidInput("the store has no message that could be replayed")
    begins = min(message.accepted_at for message in messages.values())
    offers = [Offer(_seconds(one.accepted_at - begins), _draft(one), one.id) for one in messages.values()]
    records: dict[AccountId, list[Record]] = {}
    of_message: dict[tuple[AccountId, MessageId, E164], list[Record]] = {}
    for message, to, attempts, reports in dossiers:
        for attempt in attempts:
            if attempt.state is not AttemptState.INTENT:
                record = _record(attempt, reports, begins)
                records.setdefault(attempt.account, []).append(record)
                of_message.setdefault((attempt.account, message, to), []).append(record)
    return Journal(
        begins=begins,
        offers=tuple(sorted(offers, key=lambda offer: offer.at_s)),
        records={name: tuple(sorted(found, key=lambda one: one.at_s)) for name, found in records.items()},
        of_message={key: tuple(found) for key, found in of_message.items()},
    )


def _dossiers(store: Store) -> Iterator[Dossier]:
    after = DeliveryId("")
    while page := store.dossiers(after, _PAGE):
        yield from page
        after = page[-1].delivery.id


def _draft(message: Message) -> Draft:
    """Return the message as it was handed in, but for its key: nothing is repeated within one replay."""
    return Draft(
        to=message.to,
        text=message.text,
        cls=message.cls,
        tags=message.tags,
        source=message.source,
        send_at=message.send_at,
        extension=message.extension,
        subject=message.subject,
        attachments=message.attachments,
    )


def _record(attempt: Attempt, reports: tuple[StoredReport, ...], begins: datetime) -> Record:
    heard = [one for one in reports if _speaks_of(one, attempt)]
    first = min(heard, key=lambda one: one.received_at, default=None)
    heard_after_s = None if first is None else _seconds(first.received_at - attempt.intended_at)
    rang_after_s = None
    if first is not None and heard_after_s is not None and attempt.report is ReportState.DELIVERED:
        said_s = heard_after_s if first.report.at is None else _seconds(first.report.at - attempt.intended_at)
        rang_after_s = said_s if 0 <= said_s <= heard_after_s else heard_after_s
    return Record(
        at_s=_seconds(attempt.intended_at - begins),
        attempt=attempt,
        delay_s=_seconds((attempt.settled_at or attempt.intended_at) - attempt.intended_at),
        rang_after_s=rang_after_s,
        heard_after_s=heard_after_s,
    )


def _speaks_of(stored: StoredReport, attempt: Attempt) -> bool:
    """Say whether it is the report that told how the attempt ended."""
    same = stored.account == attempt.account and stored.report.vendor_id in (attempt.vendor_id, None)
    return same and stored.report.state is attempt.report


def _seconds(length: timedelta) -> float:
    return max(0.0, length.total_seconds())
