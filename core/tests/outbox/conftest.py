"""An outbox under test, over each kind of rows, with the few steps that every test takes."""

import shutil
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from tocsin.model.ids import AccountId, HolderId, VendorId, delivery_id, new_message_id
from tocsin.model.message import Message, MessageClass
from tocsin.model.outcome import Accepted, Unknown
from tocsin.model.phone import parse_number, parse_vendor_number
from tocsin.model.push import Trust
from tocsin.model.report import Batch, Report
from tocsin.outbox.memory import MemoryRows
from tocsin.outbox.record import Acceptance, Filter, Intent, NewDelivery, RawAnswer, Settlement, Verdict
from tocsin.outbox.spending import Bounds, Request
from tocsin.outbox.sqlite import open_rows
from tocsin.outbox.store import Outbox

NUMBER = "13900000000"
HOLDER = HolderId("first-holder")
SUBMIT = {"decision": "submit"}
UNBOUND = Bounds()


class Desk:
    """An outbox, a time, and the steps of a delivery's life in one line each."""

    main, backup = AccountId("main"), AccountId("backup")
    holder, other_holder = HOLDER, HolderId("other-holder")

    def __init__(self, rows):
        self.rows = rows
        self.dead = set()
        self.outbox = Outbox(rows, self.dead.__contains__)
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self._draws = count()

    def wait(self, **time):
        self.now += timedelta(**time)

    def acceptance(
        self,
        *numbers,
        key=None,
        fingerprint="f",
        holder=HOLDER,
        due_in=timedelta(0),
        expires_in=timedelta(hours=4),
        **details,
    ):
        to = tuple(parse_number(number) for number in numbers or (NUMBER,))
        message = Message(
            **{
                "id": new_message_id(self.now, lambda _: next(self._draws)),
                "to": to,
                "text": "disk full on db1",
                "cls": MessageClass.ALERT,
                "accepted_at": self.now,
                "idempotency_key": key,
                **details,
            }
        )
        deliveries = tuple(
            NewDelivery(
                id=delivery_id(message.id, position),
                to=number,
                route="all",
                due_at=self.now + due_in,
                expires_at=self.now + expires_in,
            )
            for position, number in enumerate(message.to, start=1)
        )
        return Acceptance(message=message, deliveries=deliveries, fingerprint=fingerprint, holder=holder)

    def accept(self, *numbers, **details):
        """Accept a message, claimed at once; return its deliveries."""
        message = self.outbox.accept(self.acceptance(*numbers, **details), self.now)
        return self.outbox.deliveries(Filter(message=message))

    def intend(self, *deliveries, **details):
        """Write INTENT for one request; return its attempts."""
        (attempts,) = self.outbox.intend([self.intents(*deliveries, **details)], self.now)
        return attempts

    def intents(self, *deliveries, account=main, explanation=SUBMIT, cls=MessageClass.ALERT, bounds=UNBOUND, **details):
        """Return one request's worth of intents."""
        intents = tuple(
            Intent(delivery=one.id, epoch=one.epoch, account=account, explanation=explanation, **details)
            for one in deliveries
        )
        return Request(account=account, cls=cls, intents=intents, bounds=bounds)

    def settle(self, outcome, *attempts, epoch=1, keep=False):
        """Settle attempts, all with one outcome."""
        self.outbox.settle(
            tuple(Settlement(attempt=one.id, epoch=epoch, outcome=outcome, keep=keep) for one in attempts), self.now
        )

    def submitted(self, outcome, number=NUMBER, account=main, **details):
        """Take a new message through one attempt; return the delivery's id."""
        (delivery,) = self.accept(number, **details)
        self.settle(outcome, *self.intend(delivery, account=account))
        return delivery.id

    def taken(self, vendor_id="77", **details):
        """Have a message accepted by a vendor; return the delivery's id."""
        return self.submitted(Accepted(VendorId(vendor_id)), **details)

    def doubted(self, **details):
        """Leave a message in doubt; return the delivery's id."""
        return self.submitted(Unknown("read-timeout"), **details)

    def resent(self, delivery, outcome, account=backup, **settling):
        """Send a delivery once more that is in doubt or submitted; return the attempt."""
        claimed = self.reclaimed(delivery)
        (attempt,) = self.intend(claimed, account=account)
        self.settle(outcome, attempt, epoch=claimed.epoch, **settling)
        return attempt

    def reclaimed(self, delivery, holder=HOLDER):
        """Queue a delivery for another submit and claim it; return it."""
        self.outbox.reopen((self.find(delivery),), self.now)
        (claimed,) = [one for one in self.outbox.claim_due(holder, 100, self.now) if one.id == delivery]
        return claimed

    def close(self, delivery, *events, seen=None, **details):
        """Write a verdict on a delivery as it stands, or stood; return whether it still held."""
        verdict = Verdict(
            **{"seen": seen or self.find(delivery), "events": events, "explanation": {"decision": "x"}, **details}
        )
        return self.outbox.close_out((verdict,), self.now) == (delivery,)

    def spool(self, account=main, kind="reports", body=b"raw"):
        return self.outbox.spool(RawAnswer(account=account, kind=kind, trust=Trust.POLL, body=body), self.now)

    def report(self, state, vendor_id="77", number=NUMBER, account=main, shared=False, **details):
        """Apply one report that was polled now."""
        row = Report(vendor_id=vendor_id, to=parse_vendor_number(number), state=state, **details)
        self.outbox.apply_reports(self.spool(account), Batch(rows=(row,)), shared=shared, now=self.now)

    def find(self, delivery):
        (found,) = self.outbox.deliveries(Filter(delivery=delivery))
        return found

    def state(self, delivery):
        return self.find(delivery).state

    def attempts(self, delivery):
        return self.outbox.attempts((delivery,))[delivery]

    def reports(self):
        return self.outbox.evidence(None)[0]

    def snapshot(self, delivery):
        """Return all that is known of a delivery."""
        return self.find(delivery), self.attempts(delivery), self.outbox.story(delivery)

    def quarantined(self):
        """Return the pieces that could not be read; no port shows them yet."""
        if isinstance(self.rows, MemoryRows):
            return [piece for _, piece in self.rows._tables.quarantine]
        return [row["piece"] for row in self.rows._rows("SELECT piece FROM quarantine ORDER BY seq")]


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory):
    """A new SQLite store, closed: to copy it is faster than to make another."""
    path = tmp_path_factory.mktemp("empty") / "tocsin.db"
    open_rows(path).close()
    return path


@pytest.fixture
def open_kind(tmp_path, empty_file):
    """Open a fresh outbox of the kind asked for, as a context."""
    numbers = count()

    def fresh_rows(kind):
        if kind == "memory":
            return MemoryRows()
        return open_rows(Path(shutil.copy(empty_file, tmp_path / f"{next(numbers)}.db")))

    @contextmanager
    def opened(kind):
        desk = Desk(fresh_rows(kind))
        try:
            yield desk
        finally:
            desk.outbox.close()

    return opened


@pytest.fixture(params=["memory", "sqlite"])
def open_desk(request, open_kind):
    """Open a fresh outbox of each kind, as a context; for laws that need many."""
    return partial(open_kind, request.param)


@pytest.fixture
def desk(open_desk, invariants):
    """A fresh outbox of each kind. Whatever a test does to it, the invariants hold at the end."""
    with open_desk() as opened:
        yield opened
        invariants(opened.outbox)


@pytest.fixture
def desk_over():
    """Put a desk over any rows."""
    return Desk


@pytest.fixture
def open_file():
    """Open an outbox over one SQLite file, as a context."""

    @contextmanager
    def opened(path, **details):
        desk = Desk(open_rows(path, **details))
        try:
            yield desk
        finally:
            desk.outbox.close()

    return opened
