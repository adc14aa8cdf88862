"""The steps of a life: one or a few transactions of the outbox each, drawn by seeded dice.

They take the outbox as any caller does, through its methods alone. Nothing here knows of files, or of power cuts.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from tocsin.model.ids import AccountId, DeliveryId, HolderId, VendorId, delivery_id, new_message_id
from tocsin.model.message import Message, MessageClass
from tocsin.model.outcome import Accepted, NotSent, Outcome, Reason, Refused, Unknown
from tocsin.model.phone import E164
from tocsin.model.push import Trust
from tocsin.model.report import Batch, InboundMessage, Report, ReportState
from tocsin.model.submission import Attachment
from tocsin.outbox.record import Acceptance, Delivery, Filter, Intent, NewDelivery, RawAnswer, Settlement
from tocsin.outbox.spending import Request
from tocsin.outbox.state import State
from tocsin.outbox.store import Outbox

ACCOUNTS = (AccountId("main"), AccountId("backup"))
_START = datetime(2026, 1, 1, tzinfo=UTC)


class Steps:
    """One holder of an outbox, its dice, and its time.

    Args:
        outbox: a store.
        dice: seeded.
        holder: in whose name it claims; each of a life has its own.
    """

    def __init__(self, outbox: Outbox, dice: Random, holder: str) -> None:
        self._outbox = outbox
        self._dice = dice
        self._holder = HolderId(holder)
        self._now = _START + timedelta(milliseconds=dice.getrandbits(32))
        self._keyed: list[Acceptance] = []
        self._taken: list[tuple[AccountId, VendorId, E164]] = []

    def take(self) -> None:
        """Take one step; which, the dice say."""
        (step,) = self._dice.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
        self._now += timedelta(seconds=1)
        step(self)

    def accept_alone(self) -> None:
        """Have a message accepted, claimed at once, and leave it so."""
        self._accept(self._recipients(1))

    def accept_group(self) -> None:
        """Have a message to many accepted: one transaction of many pages."""
        self._accept(self._recipients(self._dice.randint(2, 16)), text=self._text(200))

    def accept_large(self) -> None:
        """Have a message with a file accepted: rows that span pages."""
        size = self._dice.randint(1_000, 7_000)
        self._accept(self._recipients(1), attachments=(Attachment("a.jpg", self._dice.randbytes(size)),))

    def accept_with_key(self) -> None:
        """Have a message accepted under a key."""
        self._now += timedelta(seconds=1)
        given = self._acceptance(self._recipients(2), idempotency_key=f"key-{self._dice.getrandbits(64):x}")
        self._outbox.accept(given, self._now)
        self._keyed.append(given)

    def accept_again(self) -> None:
        """Use a key again: the first message stands, and nothing is written."""
        if self._keyed:
            given = self._dice.choice(self._keyed)
            assert self._outbox.accept(given, self._now) == given.message.id

    def submit(self) -> None:
        """Take a message to the end of an attempt."""
        self._submit(self._accept(self._recipients(self._dice.randint(1, 5))), self._outcome())

    def interrupt(self) -> None:
        """Write INTENT, and be lost before the outcome: a recovery puts the deliveries in doubt."""
        self._submit(self._accept(self._recipients(2)), None)
        self._outbox.release(self._holder, self._now)

    def cancel(self) -> None:
        """Cancel what nobody has claimed."""
        given = self._acceptance(self._recipients(3), claimed=False)
        self._outbox.accept(given, self._now)
        self._outbox.cancel(tuple(one.id for one in given.deliveries), self._now)

    def report(self) -> None:
        """Spool a poll's answer, and apply its rows: of submits that are known, of one that is not, and rubbish."""
        raw = self._spool("reports")
        known = self._dice.sample(self._taken, min(4, len(self._taken)))
        rows = [Report(vendor_id=name, to=to, state=self._dice.choice(list(ReportState))) for _, name, to in known]
        stray = Report(vendor_id=VendorId(self._text(12)), to=self._recipients(1)[0], state=ReportState.DELIVERED)
        batch = Batch(rows=(*rows, stray), unparsed=(self._text(60),))
        self._outbox.apply_reports(raw, batch, shared=True, now=self._now)

    def hear(self) -> None:
        """Spool an answer with replies of phones, and store them."""
        senders = self._recipients(self._dice.randint(1, 6))
        messages = tuple(InboundMessage(sender=sender, text=self._text(60)) for sender in senders)
        self._outbox.apply_inbound(self._spool("inbound"), Batch(rows=messages), self._now)

    def quarantine(self) -> None:
        """Spool an answer that nobody can read."""
        self._outbox.quarantine(self._spool("reports"), "not in the document's grammar", self._now)

    def keep_keywords(self) -> None:
        """Replace a list of words: pages are freed, and used again."""
        words = tuple(self._text(10) for _ in range(self._dice.choice([0, 30, 400])))
        self._outbox.save_keywords(self._dice.choice(ACCOUNTS), words, self._now)

    def poll(self) -> None:
        """Take the poll lease of an account, and give it back."""
        account = self._dice.choice(ACCOUNTS)
        self._outbox.begin_poll(account, self._holder, self._now)
        self._outbox.end_poll(account, self._holder)

    def give_back(self) -> None:
        """Give back all that is claimed."""
        self._outbox.release(self._holder, self._now)

    def recover(self) -> None:
        """Queue again what holders had claimed whose lease is over."""
        self._outbox.recover(self._now + timedelta(hours=1))

    def retry(self) -> None:
        """Do what a client does that got no answer: ask again for the newest message, under its key."""
        (newest,) = self._outbox.deliveries(Filter(limit=1))
        message = self._outbox.message(newest.message)
        assert message is not None
        assert message.idempotency_key is not None
        again = Acceptance(message=message, deliveries=(), fingerprint="f")
        assert self._outbox.accept(again, self._now) == message.id

    def _submit(self, deliveries: tuple[Delivery, ...], outcome: Outcome | None) -> None:
        """The one place that knows how intents and settlements are written."""
        account = self._dice.choice(ACCOUNTS)
        intents = tuple(
            Intent(delivery=one.id, epoch=one.epoch, account=account, explanation={"decision": self._text(80)})
            for one in deliveries
        )
        request = Request(account=account, cls=MessageClass.ALERT, intents=intents)
        (attempts,) = self._outbox.intend([request], self._now)
        if outcome is None:
            return
        settled = tuple(Settlement(attempt=one.id, epoch=deliveries[0].epoch, outcome=outcome) for one in attempts)
        self._outbox.settle(settled, self._now)
        if isinstance(outcome, Accepted) and outcome.vendor_id is not None:
            self._taken += [(account, outcome.vendor_id, one.to) for one in deliveries]

    def _accept(self, to: tuple[E164, ...], **details: object) -> tuple[Delivery, ...]:
        given = self._acceptance(to, **details)
        message = self._outbox.accept(given, self._now)
        return self._outbox.deliveries(Filter(message=message, state=State.CLAIMED))

    def _acceptance(self, to: tuple[E164, ...], *, claimed: bool = True, **details: object) -> Acceptance:
        message = Message(
            **{
                "id": new_message_id(self._now, self._dice.getrandbits),
                "to": to,
                "text": self._text(70),
                "cls": MessageClass.ALERT,
                "accepted_at": self._now,
                **details,
            }
        )
        deliveries = tuple(self._new(delivery_id(message.id, position), one) for position, one in enumerate(to, 1))
        holder = self._holder if claimed else None
        return Acceptance(message=message, deliveries=deliveries, fingerprint="f", holder=holder)

    def _new(self, name: DeliveryId, to: E164) -> NewDelivery:
        expires_at = self._now + timedelta(hours=4)
        return NewDelivery(id=name, to=to, route="all", due_at=self._now, expires_at=expires_at)

    def _spool(self, kind: str) -> int:
        body = self._dice.randbytes(self._dice.choice([40, 600, 4_000]))
        raw = RawAnswer(account=self._dice.choice(ACCOUNTS), kind=kind, trust=Trust.POLL, body=body)
        return self._outbox.spool(raw, self._now)

    def _outcome(self) -> Outcome:
        return self._dice.choice(
            [
                Accepted(VendorId(self._text(16))),
                Accepted(VendorId(self._text(16))),
                Accepted(None),
                Refused(Reason.BALANCE, code="-4", text="balance"),
                NotSent("connect-refused"),
                Unknown("read-timeout"),
            ]
        )

    def _recipients(self, count: int) -> tuple[E164, ...]:
        return tuple(E164(f"+86139{number:08}") for number in self._dice.sample(range(10**8), count))

    def _text(self, longest: int) -> str:
        return f"{self._dice.getrandbits(4 * longest):x}"


_WEIGHTS = {
    Steps.accept_alone: 5,
    Steps.accept_group: 3,
    Steps.accept_large: 2,
    Steps.accept_with_key: 3,
    Steps.accept_again: 1,
    Steps.submit: 6,
    Steps.interrupt: 1,
    Steps.cancel: 2,
    Steps.report: 4,
    Steps.hear: 1,
    Steps.quarantine: 1,
    Steps.keep_keywords: 1,
    Steps.poll: 1,
    Steps.give_back: 1,
    Steps.recover: 1,
}
