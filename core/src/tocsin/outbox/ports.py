"""What the rest of the house asks of a store. Small Protocols; `Store` is all of them.

Every method is one transaction, durable when it returns. A method that raises has changed nothing, except
`CommitUnknown`, after which nobody knows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NewType, Protocol

from tocsin.model.balance import Balance
from tocsin.model.ids import AccountId, DeliveryId, HolderId, MessageId
from tocsin.model.message import Message
from tocsin.model.push import VerifiedPush
from tocsin.model.report import Batch, InboundMessage, Report
from tocsin.outbox.account_ports import AccountBook
from tocsin.outbox.alert import Intake, Taken
from tocsin.outbox.gauges import Gauges
from tocsin.outbox.health import Health, Sample
from tocsin.outbox.loose import LooseEnd
from tocsin.outbox.meter import Meter
from tocsin.outbox.record import (
    Acceptance,
    Attempt,
    Chapter,
    Delivery,
    Dossier,
    Filter,
    Listening,
    RawAnswer,
    Settlement,
    StoredInbound,
    StoredReport,
    Transition,
    Verdict,
)
from tocsin.outbox.spending import Request
from tocsin.outbox.state import State

RawId = NewType("RawId", int)


class Accepting(Protocol):
    """T1."""

    def accept(self, acceptance: Acceptance, now: datetime) -> MessageId:
        """Store the message, its deliveries and its key; claim them where a holder is named.

        Returns:
            The message's id; the first message's id where the key was used before for the same thing.

        Raises:
            KeyConflict: the key was used for something else.
        """
        ...

    def take_in(self, intakes: Sequence[Intake], now: datetime) -> tuple[Taken, ...]:
        """Decide about each of them as things stand then, one after the other, and store what comes of it.

        One that cannot be accepted changes nothing, and says why; the others are stored all the same.
        """
        ...

    def forget_alerts(self, before: datetime) -> int:
        """Forget alerts that were not heard of since then; say how many."""
        ...


class Claiming(Protocol):
    """T2 and T5."""

    def claim(self, message: MessageId, holder: HolderId, now: datetime) -> tuple[Delivery, ...]:
        """Claim what is queued and due of the message, and return all that the holder has of it."""
        ...

    def claim_due(
        self, holder: HolderId, limit: int, now: datetime, shut: Collection[str] = ()
    ) -> tuple[Delivery, ...]:
        """Claim up to so many of all that is queued and due, the most urgent first, then the longest due.

        Args:
            holder: who claims.
            limit: how many at most.
            now: aware time.
            shut: routes that have nobody to send through just now; what is most urgent is claimed all the same, and so
                is what is bound to one account, which may be another.
        """
        ...

    def renew(self, holder: HolderId, now: datetime) -> None:
        """Give a sign of life: the holder's lease begins anew."""
        ...

    def held(self, holder: HolderId) -> tuple[Delivery, ...]:
        """Return what the holder has claimed or is sending."""
        ...

    def release(self, holder: HolderId, now: datetime) -> None:
        """Give back all that the holder still has claimed. What is SENDING becomes IN_DOUBT."""
        ...

    def recover(self, now: datetime) -> int:
        """Apply T5 to every holder known dead: CLAIMED → QUEUED, SENDING → IN_DOUBT. Returns how many moved."""
        ...


class Waiting(Protocol):
    """Deliveries that nobody has in hand, and when the policy is to be asked of them."""

    def awaiting(self, limit: int, now: datetime) -> tuple[Delivery, ...]:
        """Return up to so many deliveries in doubt or submitted, of which the policy is to be asked by now."""
        ...

    def next_due(self, shut: Collection[str] = ()) -> datetime | None:
        """Return when the next delivery is due, queued or waiting for evidence; None where none ever is.

        What `claim_due` would leave in the queue of a route that is shut does not count.
        """
        ...

    def reopen(self, seen: tuple[Delivery, ...], now: datetime) -> tuple[DeliveryId, ...]:
        """Queue deliveries in doubt or submitted for another submit; return those that still stood as seen."""
        ...


class Settling(Protocol):
    """T3 and T4, and what the policy closes without a submit."""

    def intend(self, requests: Sequence[Request], now: datetime) -> tuple[tuple[Attempt, ...], ...]:
        """Write INTENT for each request's deliveries whose claim still stands, as far as its bounds leave room.

        Returns:
            For each request its attempts, in order; an empty tuple where nobody may leave.
        """
        ...

    def settle(
        self, settlements: tuple[Settlement, ...], now: datetime, samples: tuple[Sample, ...] = ()
    ) -> tuple[Health, ...]:
        """Write outcomes, match reports that came first, and move the deliveries on.

        What was not taken is given back, and each request's sample changes the health of its account.

        Returns:
            The accounts that stand otherwise than before.
        """
        ...

    def cancel(self, deliveries: tuple[DeliveryId, ...], now: datetime) -> tuple[DeliveryId, ...]:
        """Cancel what is unsent, and what is parked; return which. What is claimed, or was taken, stays as it is."""
        ...

    def close_out(self, verdicts: tuple[Verdict, ...], now: datetime) -> tuple[DeliveryId, ...]:
        """Write what the policy decided for deliveries that are not submitted now; return those it still held for."""
        ...


class Polling(Protocol):
    """One poller per account: a poll takes away what it answers with."""

    def begin_poll(self, account: AccountId, holder: HolderId, now: datetime) -> bool:
        """Take the account's poll lease; False while somebody else has it. Its commit proves that we can store."""
        ...

    def end_poll(self, account: AccountId, holder: HolderId, heard: Listening | None = None) -> None:
        """Give the lease back, and write down how the poll went."""
        ...

    def note_poll(self, heard: Listening, balance: Balance | None = None, floor: Decimal | None = None) -> None:
        """Write down how a query went that takes nothing away, and needs no lease; keep the balance that it brought."""
        ...

    def listenings(self) -> tuple[Listening, ...]:
        """Return how the polls of each account and kind have gone."""
        ...

    def wanted_polls(self, account: AccountId) -> Mapping[str, datetime]:
        """Return when something last made a poll of each kind wanted sooner; kinds without are absent."""
        ...


class Evidence(Protocol):
    """T7."""

    def spool(self, raw: RawAnswer, now: datetime) -> RawId:
        """Keep an answer word for word, before anything reads it."""
        ...

    def apply_reports(self, raw: RawId, batch: Batch[Report], *, shared: bool, now: datetime) -> None:
        """Store every row, join those that match, keep the others for matching, quarantine the unreadable."""
        ...

    def apply_inbound(
        self, raw: RawId, batch: Batch[InboundMessage], now: datetime, words: tuple[str, ...] = ()
    ) -> None:
        """Store every inbound message, quarantine the unreadable.

        Whoever wrote one of the words, and nothing else, is sent no more.
        """
        ...

    def apply_push(
        self, raw: RawId, push: VerifiedPush, words: tuple[str, ...] = (), *, shared: bool, now: datetime
    ) -> bool:
        """Store what a push held that is not known yet, all of it together; say whether nobody did so before.

        Of a push with a token alone nothing is matched, and no word obeyed: the next poll is wanted sooner.
        """
        ...

    def quarantine(self, raw: RawId, why: str, now: datetime) -> None:
        """Note that an answer could not be read at all. Its bytes stay."""
        ...

    def unread(self, account: AccountId, kind: str) -> dict[RawId, RawAnswer]:
        """Return the answers that were spooled and then neither applied nor quarantined: their reader died."""
        ...


class Upkeep(Protocol):
    """What is remembered of accounts between two runs."""

    def save_keywords(self, account: AccountId, words: tuple[str, ...], now: datetime) -> None:
        """Keep the vendor's list of words that it refuses, in place of the one before."""
        ...

    def keywords(self, account: AccountId) -> tuple[str, ...]:
        """Return the list last kept; empty where there is none."""
        ...

    def reserve_balance(self, account: AccountId, every_s: float, now: datetime) -> float:
        """Take the next turn to ask a balance.

        Returns:
            0 where it is taken; else the seconds until one is free, and nothing is taken.
        """
        ...


class Query(Protocol):
    """What people ask."""

    def message(self, message: MessageId) -> Message | None:
        """Return a message, or None."""
        ...

    def messages(self, wanted: Iterable[MessageId]) -> dict[MessageId, Message]:
        """Return those messages that exist."""
        ...

    def deliveries(self, wanted: Filter) -> tuple[Delivery, ...]:
        """Return deliveries, newest message first, recipients in the order given."""
        ...

    def get(self, deliveries: tuple[DeliveryId, ...]) -> tuple[Delivery, ...]:
        """Return those deliveries that exist."""
        ...

    def attempts(self, deliveries: tuple[DeliveryId, ...]) -> dict[DeliveryId, tuple[Attempt, ...]]:
        """Return the attempts of each delivery, in order; an empty tuple where there is none."""
        ...

    def story(self, delivery: DeliveryId) -> tuple[tuple[Chapter, ...], tuple[Transition, ...]]:
        """Return the decisions and the transitions of a delivery, in order."""
        ...

    def evidence(self, account: AccountId | None) -> tuple[tuple[StoredReport, ...], tuple[StoredInbound, ...]]:
        """Return the stored reports and inbound messages, newest first."""
        ...

    def events(self, after: int, limit: int) -> tuple[tuple[int, Transition], ...]:
        """Return up to so many things that happened to deliveries behind that number, each with its own, in order."""
        ...

    def last_event(self) -> int:
        """Return the number of the newest of them; 0 for none."""
        ...

    def inbound(
        self, account: AccountId | None, before: int | None, limit: int
    ) -> tuple[tuple[int, StoredInbound], ...]:
        """Return up to so many inbound messages below that number, each with its own, the newest first."""
        ...


class Reviewing(Protocol):
    """What is looked at as a whole: by `tocsin verify`, and by who counts."""

    def counts(self, *states: State) -> Mapping[tuple[State, AccountId | None], int]:
        """Count deliveries by state and by the account of their newest attempt.

        Only those in one of the states, where any is named.
        """
        ...

    def gauges(self) -> Gauges:
        """Return what is counted for whoever watches, as of one moment. Cheap, however much is stored."""
        ...

    def prove(self, now: datetime) -> None:
        """Commit something that means nothing, as proof that the store can.

        Raises:
            StoreError: it cannot.
        """
        ...

    def dossiers(self, after: DeliveryId, limit: int) -> tuple[Dossier, ...]:
        """Return up to so many dossiers, by id, of the deliveries behind that one, all as of the same moment.

        Behind the empty id there are all of them.
        """
        ...

    def loose_ends(self) -> tuple[LooseEnd, ...]:
        """Return every row whose counterpart is missing, and every answer that nobody has read yet."""
        ...


class Store(Accepting, Claiming, Waiting, Settling, Polling, Evidence, Upkeep, Query, Reviewing, Protocol):
    """A whole store."""

    @property
    def accounts(self) -> AccountBook:
        """What is known of accounts, and who wants no more."""
        ...

    def meter(self, now: datetime) -> Meter:
        """Return what is used up by now, to be asked about."""
        ...

    def close(self) -> None:
        """Release its files. What is committed stays."""
        ...
