"""What must hold in a simulated world: the invariants of the store after each event, and its honesty before the truth.

The first are those of `tocsin verify`. The others need the vendors' ledgers, which no store has: that what it calls not
sent rang no phone, that no phone rang twice unasked, that no report which reached the disk is forgotten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tocsin.delivery.submit import Arrival
from tocsin.errors import AnswerError
from tocsin.model.ids import AccountId, AttemptId, DeliveryId, MessageId, attempt_id
from tocsin.model.outcome import Accepted, Refused
from tocsin.model.phone import E164
from tocsin.model.report import Batch, Report, ReportState
from tocsin.model.submission import Submission
from tocsin.outbox.record import Delivery, Dossier, Filter, Trigger
from tocsin.outbox.state import AttemptState, State
from tocsin.policy.route import Rules, Strategy
from tocsin.simulate.ledger import Entry, Row
from tocsin.simulate.reports import FOREIGN
from tocsin.simulate.scenario import Sending
from tocsin.simulate.seen import Kind
from tocsin.verify import check_delivery, check_store

if TYPE_CHECKING:
    from tocsin.simulate.world import World

_Leg = tuple[E164, AccountId | None]

_ASKED = frozenset({Trigger.DOUBT.value, Trigger.UNDELIVERED.value, Trigger.SILENCE.value})
_RANG_NOBODY = (AttemptState.NOT_SENT, AttemptState.REFUSED)


class Violated(BaseException):
    """Something happened that must not. Nothing of ours may catch it.

    Args:
        invariant: its number, or `truth` where the ledger contradicts the store.
        where: whose.
        what: one sentence.
    """

    def __init__(self, invariant: str, where: str, what: str) -> None:
        self.invariant = invariant
        super().__init__(f"{invariant}: {where}: {what}")


class Checks:
    """The checks of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._acknowledged: dict[MessageId, Counter[_Leg]] = {}
        self._handed: dict[int, tuple[list[Row], Batch[Report]]] = {}
        self._unreadable: dict[int, int] = {}

    def fail(self, invariant: str, where: str, what: str) -> None:
        """Say that something must not have happened."""
        raise Violated(invariant, where, what)

    # as it happens

    def acknowledged(self, sending: Sending, message: MessageId) -> None:
        """Check I1 and I11 when a client is told that its message is accepted."""
        self._acknowledged[message] = self._wanted(sending)
        same = [one for one in self._world.rows.all_messages() if one.text == self._world.text_of(sending)]
        if sending.key and len(same) != 1:
            self.fail("I11", message, f"one key has {len(same)} messages")
        self._check_acknowledged(message)

    def leaving(self, account: AccountId, submission: Submission) -> dict[E164, AttemptId]:
        """Check I2 and T6 when bytes reach a vendor; return whose they are."""
        found: dict[E164, AttemptId] = {}
        for to, text in submission.pairs():
            delivery = self._find(to, text, account)
            attempts = self._world.rows.attempts_of([delivery.id])[delivery.id]
            newest = attempts[-1] if attempts else None
            if newest is None or newest.account != account:
                self.fail("I2", delivery.id, "bytes reached a vendor without a committed INTENT")
                continue
            if newest.state is not AttemptState.INTENT:
                self.fail("T6", newest.id, f"bytes reached a vendor for an attempt that is {newest.state.value}")
            found[to] = attempt_id(delivery.id, newest.number)
        self._world.auditor.arrives(self._world.rows.get_attempts(found.values()).values())
        return found

    def handed(self, number: int, rows: list[Row], answer: Batch[Report] | Refused | AnswerError) -> None:
        """Note which reports an answer held, and how many pieces of it a decoder cannot read."""
        if isinstance(answer, Batch):
            self._handed[number] = (rows[: len(answer.rows)], answer)
        self._unreadable[number] = len(answer.unparsed) if isinstance(answer, Batch) else 1

    def decoding(self, body: bytes) -> None:
        """Check I7 when an answer is read: it is on the disk by then."""
        if body not in self._world.rows.raw_bodies():
            self.fail("I7", body.decode(), "a poll's answer is read before it is stored")

    def settled(self, arrivals: Sequence[Arrival]) -> None:
        """Check T4 after outcomes were committed: an acceptance that came back is never forgotten."""
        for arrival in arrivals:
            stored = self._world.rows.get_attempts(one.id for one in arrival.departure.attempts)
            for attempt, planned in zip(arrival.departure.attempts, arrival.departure.planned, strict=True):
                outcome = arrival.result.outcomes[planned.delivery.to]
                if isinstance(outcome, Accepted) and stored[attempt.id].state is not AttemptState.ACCEPTED:
                    self.fail("T4", attempt.id, "a vendor's acceptance came back, and the store does not know it")

    # after each event

    def after_event(self) -> None:
        """Check whatever the event touched."""
        touched, self._world.rows.touched = self._world.rows.touched, {}
        for name in touched:
            self._check_delivery(name)
        if touched:
            self._world.auditor.after_event(touched)
            accounts = {one.account for each in self._world.rows.attempts_of(touched).values() for one in each}
            self._world.physician.after_event(sorted(accounts))
        self._world.scales.after_event()

    def _check_delivery(self, name: DeliveryId) -> None:
        dossier = self._dossier(name)
        if dossier is None:
            return
        for violation in check_delivery(dossier):
            raise Violated(violation.invariant, violation.where, violation.what)
        self._check_truth(dossier)
        self._check_silences(dossier)

    def _check_truth(self, dossier: Dossier) -> None:
        """Check what the store says against the ledgers."""
        name, entries = dossier.delivery.id, self._entries(dossier.delivery.id)
        for attempt in dossier.attempts:
            if dossier.delivery.only not in (None, attempt.account):
                self.fail("broadcast", attempt.id, "it leaves through another account than its own")
            if attempt.state in _RANG_NOBODY and any(entry.attempt == attempt.id for entry in entries):
                self.fail("truth", attempt.id, f"it is {attempt.state.value}, and the vendor took it")
        for row in dossier.reports:
            truth = row.report.code.split()[-1]
            if truth == FOREIGN or self._world.delivery_of(AttemptId(truth)) != name:
                self.fail("I8", name, "a report is matched to it that speaks of another")
        asked = sum(one.explanation.get("trigger") in _ASKED for one in dossier.chapters)
        if len(entries) > 1 + asked:
            self.fail("truth", name, f"{len(entries)} copies on a phone, and {asked} were asked for")

    def _check_silences(self, dossier: Dossier) -> None:
        """Check I3: silence is an answer once the report is overdue, and no earlier."""
        submits = [one for one in dossier.chapters if one.explanation.get("decision") == "submit"]
        timeout = self.rules_of(dossier.delivery.id).report_timeout
        for at, (attempt, chapter) in enumerate(zip(dossier.attempts, submits, strict=True)):
            if chapter.explanation["trigger"] == Trigger.SILENCE and timeout is not None:
                copy = next(one for one in reversed(dossier.attempts[:at]) if one.state.may_ring)
                if attempt.intended_at < (copy.settled_at or copy.intended_at) + timeout:
                    self.fail("I3", attempt.id, "it follows a silence that was not long enough")

    # at the end

    def at_the_end(self) -> None:
        """Check I1 and I14, and that nothing that reached the disk is forgotten: no event is left to happen."""
        for message in self._acknowledged:
            self._check_acknowledged(message)
        for delivery in self._world.rows.find_deliveries(Filter()):
            if not (delivery.state.terminal or delivery.state is State.PARKED):
                self.fail("I14", delivery.id, f"it is {delivery.state.value} for ever")
            self._check_ending(delivery)
        self._check_reports()
        for violation in check_store(self._world.store):
            raise Violated(violation.invariant, violation.where, violation.what)

    def _check_ending(self, delivery: Delivery) -> None:
        """What failed or expired is on no phone, but for copies that were reported undelivered."""
        if delivery.state not in (State.FAILED, State.EXPIRED):
            return
        attempts = {one.id: one for one in self._world.rows.attempts_of([delivery.id])[delivery.id]}
        for entry in self._entries(delivery.id):
            if attempts[entry.attempt].report is not ReportState.FAILED:
                self.fail("truth", delivery.id, f"it is {delivery.state.value}, and a vendor took it")

    def _check_reports(self) -> None:
        """Each readable row that is on the disk is stored once (I6), and a delivered one has its say (T7)."""
        rows = self._world.rows
        numbers = [int(body) for body in rows.raw_bodies() if int(body) in self._handed]
        stored = rows.evidence(None)[0]
        expected = sum(len(self._handed[number][1].rows) for number in numbers)
        if len(stored) != expected:
            self.fail("I6", "reports", f"{expected} rows are on the disk in answers, and {len(stored)} were stored")
        pieces = sum(self._unreadable[int(body)] for body in rows.raw_bodies())
        if len(rows.quarantined()) != pieces:
            self.fail("I7", "quarantine", f"{pieces} pieces could not be read, and {len(rows.quarantined())} are kept")
        for number in numbers:
            for row in self._handed[number][0]:
                if row.entry is not None and row.report.state is ReportState.DELIVERED:
                    self._check_heard(row.entry, row)

    def _check_heard(self, entry: Entry, row: Row) -> None:
        (attempt,) = self._world.rows.get_attempts([entry.attempt]).values()
        known = attempt.vendor_id is not None and attempt.vendor_id == row.report.vendor_id
        (delivery,) = self._world.rows.get_deliveries([entry.delivery]).values()
        if known and delivery.state is not State.DELIVERED:
            self.fail("T7", attempt.id, f"its report says delivered, and the delivery is {delivery.state.value}")

    # the store, as it stands

    def message_with(self, text: str) -> MessageId | None:
        """Return the message of that text."""
        return next((one.id for one in self._world.rows.all_messages() if one.text == text), None)

    def rules_of(self, delivery: DeliveryId) -> Rules:
        """Return how a delivery is treated."""
        (found,) = self._world.rows.get_deliveries([delivery]).values()
        message = self._world.rows.find_message(found.message)
        if message is None:
            raise Violated("I1", delivery, "its message is not in the store")
        return self._world.fleet.rules(found.route, message.cls)

    def _check_acknowledged(self, message: MessageId) -> None:
        found = self._world.rows.find_deliveries(Filter(message=message))
        if self._world.rows.find_message(message) is None or len(found) != self._acknowledged[message].total():
            self.fail("I1", message, "it was acknowledged, and is not in the store with all its deliveries")
        if Counter((one.to, one.only) for one in found) != self._acknowledged[message]:
            self.fail("broadcast", message, "its deliveries are not one for each recipient and account")

    def _wanted(self, sending: Sending) -> Counter[_Leg]:
        """Return what deliveries a message has: one for each recipient, or for each recipient and account."""
        broadcast = self._world.scenario.house.strategy is Strategy.BROADCAST
        accounts = tuple(self._world.vendors) if broadcast else (None,)
        if broadcast:
            self._world.saw(Kind.BROADCAST)
        return Counter((self._world.phone(place), account) for place in sending.to for account in accounts)

    def _find(self, to: E164, text: str, account: AccountId) -> Delivery:
        message = self.message_with(text)
        found = self._world.rows.find_deliveries(Filter(message=message, to=to)) if message is not None else ()
        ours = next((one for one in found if one.only in (None, account)), None)
        if ours is None:
            raise Violated("I2", "unknown", "bytes reached a vendor for no delivery in the store")
        return ours

    def _entries(self, delivery: DeliveryId) -> list[Entry]:
        return [
            entry
            for vendor in self._world.vendors.values()
            for entry in vendor.ledger.entries
            if entry.delivery == delivery
        ]

    def _dossier(self, name: DeliveryId) -> Dossier | None:
        rows = self._world.rows
        delivery = rows.get_deliveries([name]).get(name)
        if delivery is None:
            return None
        chapters, transitions = rows.story(name)
        return Dossier(
            message=rows.find_message(delivery.message),
            delivery=delivery,
            attempts=rows.attempts_of([name])[name],
            chapters=chapters,
            transitions=transitions,
            reports=rows.reports_for([name])[name],
        )
