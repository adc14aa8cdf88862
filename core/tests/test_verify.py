"""The invariants as `tocsin verify` checks them: a life as it should be breaks none, and each damage breaks its own."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import attrs
import pytest

from tocsin.model.ids import AccountId, DeliveryId, HolderId, VendorId, delivery_id, new_message_id
from tocsin.model.message import Message, MessageClass
from tocsin.model.outcome import Accepted, NotSent, Reason, Refused, Unknown
from tocsin.model.phone import parse_number
from tocsin.model.push import Trust
from tocsin.model.quality import Change
from tocsin.model.report import Batch, InboundMessage, Report, ReportState
from tocsin.outbox.memory import MemoryRows
from tocsin.outbox.record import Acceptance, Filter, Intent, NewDelivery, RawAnswer, Settlement, Trigger, Verdict
from tocsin.outbox.spending import Request
from tocsin.outbox.sqlite import open_rows
from tocsin.outbox.state import AttemptState, Event, State, step
from tocsin.outbox.store import Outbox
from tocsin.policy.decision import Submit
from tocsin.policy.explain import explain
from tocsin.verify import check_delivery, check_store, unread_answers

MAIN, BACKUP = AccountId("main"), AccountId("backup")
HOLDER = HolderId("holder")
NUMBER, OTHER_NUMBER = parse_number("13900000000"), parse_number("13900000001")
TAKEN, TAKEN_TOO = Accepted(VendorId("77")), Accepted(VendorId("88"))
LOST, UNREACHED, REFUSED = Unknown("read-timeout"), NotSent("connect-refused"), Refused(Reason.BALANCE, "-5")


class Life:
    """One delivery's life in a store, a step to a call; a second passes at each."""

    def __init__(self, rows, key="a key"):
        self.rows = rows
        self.outbox = Outbox(rows, lambda _: False)
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        name = new_message_id(self.now, lambda _: 7)
        message = Message(
            id=name,
            to=(NUMBER,),
            text="disk full",
            cls=MessageClass.ALERT,
            accepted_at=self.now,
            idempotency_key=key,
        )
        new = NewDelivery(
            id=delivery_id(name, 1),
            to=NUMBER,
            route="all",
            due_at=self.now,
            expires_at=self.now + timedelta(hours=4),
        )
        self.outbox.accept(Acceptance(message=message, deliveries=(new,), fingerprint="f"), self.now)
        self.name = new.id

    def at(self):
        self.now += timedelta(seconds=1)
        return self.now

    @property
    def delivery(self):
        return self.outbox.get((self.name,))[0]

    def claimed(self):
        """Claim it, where nobody has."""
        if self.delivery.state in (State.IN_DOUBT, State.SUBMITTED):
            self.outbox.reopen((self.delivery,), self.at())
        self.outbox.claim_due(HOLDER, 1, self.at())
        return self

    def submit(self, account, outcome, trigger=Trigger.FIRST, copy=1):
        """Submit it by a decision of that trigger; without an outcome it stays under way."""
        decision = Submit(account=account, why="so it is", judgements=(), trigger=trigger, copy=copy, max_copies=2)
        words = explain(decision)
        epoch = self.claimed().delivery.epoch
        intent = Intent(
            delivery=self.name,
            epoch=epoch,
            account=account,
            explanation=words,
            trigger=trigger,
            segments=1,
            cost=Decimal("0.05"),
        )
        request = Request(account=account, cls=MessageClass.ALERT, intents=(intent,))
        ((attempt,),) = self.outbox.intend([request], self.at())
        if outcome is not None:
            self.outbox.settle((Settlement(attempt=attempt.id, epoch=epoch, outcome=outcome),), self.at())
        return self

    def report(self, state, vendor_id="77", account=MAIN, at=None):
        raw = self.spool(account)
        row = Report(vendor_id=vendor_id, to=NUMBER, state=state, at=at)
        self.outbox.apply_reports(raw, Batch(rows=(row,)), shared=False, now=self.at())
        return self

    def spool(self, account=MAIN, kind="reports"):
        return self.outbox.spool(RawAnswer(account=account, kind=kind, trust=Trust.POLL, body=b"raw"), self.at())

    def close(self, *events):
        self.outbox.close_out((Verdict(seen=self.delivery, events=events),), self.at())
        return self

    def cancel(self):
        self.outbox.cancel((self.name,), self.at())
        return self

    def release(self):
        self.outbox.release(HOLDER, self.at())
        return self

    @property
    def dossier(self):
        (found,) = self.outbox.dossiers(DeliveryId(""), 10)
        return found


FAILED, DELIVERED = ReportState.FAILED, ReportState.DELIVERED
UNDELIVERED, SILENCE, DOUBT, NOT_TAKEN = Trigger.UNDELIVERED, Trigger.SILENCE, Trigger.DOUBT, Trigger.NOT_TAKEN

LIVES = {
    "queued": lambda life: life,
    "claimed": lambda life: life.claimed(),
    "given back": lambda life: life.claimed().release(),
    "cancelled": lambda life: life.cancel(),
    "sending": lambda life: life.submit(MAIN, None),
    "holder lost": lambda life: life.submit(MAIN, None).release(),
    "taken": lambda life: life.submit(MAIN, TAKEN),
    "taken without an id": lambda life: life.submit(MAIN, Accepted(None)),
    "delivered": lambda life: life.submit(MAIN, TAKEN).report(ReportState.ENROUTE).report(DELIVERED),
    "reported twice": lambda life: life.submit(MAIN, TAKEN).report(DELIVERED).report(FAILED),
    "overtaken": lambda life: life.report(DELIVERED).submit(MAIN, TAKEN),
    "undelivered": lambda life: life.submit(MAIN, TAKEN).report(FAILED).close(Event.REPORTED_FAILED),
    "failed": lambda life: life.submit(MAIN, REFUSED).close(Event.GIVE_UP),
    "not reached": lambda life: life.submit(MAIN, UNREACHED).submit(BACKUP, TAKEN, NOT_TAKEN),
    "in doubt": lambda life: life.submit(MAIN, LOST),
    "parked": lambda life: life.submit(MAIN, LOST).close(Event.PARK),
    "proved by number": lambda life: life.submit(MAIN, LOST).report(DELIVERED, "77"),
    "proved without an id": lambda life: life.submit(MAIN, LOST).report(FAILED, None),
    "another copy": lambda life: life.submit(MAIN, LOST).submit(BACKUP, TAKEN, DOUBT, 2),
    "claimed again": lambda life: life.submit(MAIN, LOST).claimed(),
    "both copies": lambda life: life.submit(MAIN, LOST).submit(BACKUP, TAKEN_TOO, DOUBT, 2).report(DELIVERED, "77"),
    "after a failed report": lambda life: life.submit(MAIN, TAKEN).report(FAILED).submit(BACKUP, LOST, UNDELIVERED),
    "after silence": lambda life: life.submit(MAIN, TAKEN).submit(BACKUP, TAKEN_TOO, SILENCE, 2).report(FAILED),
    "a step of two": lambda life: (
        life.submit(MAIN, TAKEN).submit(BACKUP, UNREACHED, SILENCE, 2).submit(BACKUP, LOST, NOT_TAKEN, 2)
    ),
    "failed, then delivered": lambda life: (
        life.submit(MAIN, TAKEN).report(FAILED).submit(BACKUP, None, UNDELIVERED).report(DELIVERED)
    ),
    "window closed": lambda life: life.submit(MAIN, TAKEN).close(Event.WINDOW_CLOSED),
}


@pytest.fixture(params=["memory", "sqlite"])
def make_life(request, tmp_path):
    """Begin a life in a fresh store of each kind."""
    rows = MemoryRows() if request.param == "memory" else open_rows(tmp_path / "tocsin.db")
    with closing(rows):
        yield lambda: Life(rows)


@pytest.mark.parametrize("kind", LIVES)
def test_a_life_as_it_should_be_breaks_nothing(make_life, kind):
    """Whatever the store and the policy make of a delivery, no invariant complains of it or of its store."""
    life = LIVES[kind](make_life())

    assert list(check_delivery(life.dossier)) == []
    assert list(check_store(life.outbox)) == []


def lived(kind):
    return LIVES[kind](Life(MemoryRows())).dossier


def with_delivery(dossier, **changes):
    return attrs.evolve(dossier, delivery=attrs.evolve(dossier.delivery, **changes))


def with_attempt(dossier, place, **changes):
    attempts = list(dossier.attempts)
    attempts[place - 1] = attrs.evolve(attempts[place - 1], **changes)
    return attrs.evolve(dossier, attempts=tuple(attempts))


def with_decision(dossier, number, **changes):
    chapters = list(dossier.chapters)
    chapter = chapters[number - 1]
    chapters[number - 1] = attrs.evolve(chapter, explanation={**chapter.explanation, **changes})
    return attrs.evolve(dossier, chapters=tuple(chapters))


def with_row(dossier, **changes):
    row = dossier.reports[0]
    report = attrs.evolve(row.report, **{name: changes.pop(name) for name in ("to", "at") if name in changes})
    return attrs.evolve(dossier, reports=(attrs.evolve(row, report=report, **changes), *dossier.reports[1:]))


def without(dossier, what, place):
    rows = list(getattr(dossier, what))
    del rows[place]
    return attrs.evolve(dossier, **{what: tuple(rows)})


def then(dossier, event):
    """Return a dossier to whose delivery something more happened, by the table."""
    before, last = dossier.delivery.state, dossier.transitions[-1]
    row = attrs.evolve(last, event=event, before=before, after=step(before, event))
    return with_delivery(attrs.evolve(dossier, transitions=(*dossier.transitions, row)), state=row.after, holder=None)


LATER = timedelta(hours=5)

DAMAGES = {
    "its message is gone": ("queued", "I1", lambda one: attrs.evolve(one, message=None)),
    "another recipient": ("queued", "I1", lambda one: with_delivery(one, to=OTHER_NUMBER)),
    "a claim without a holder": ("claimed", "I1", lambda one: with_delivery(one, holder=None)),
    "a holder without a claim": ("taken", "I1", lambda one: with_delivery(one, holder=HOLDER)),
    "due after its expiry": (
        "queued",
        "I1",
        lambda one: with_delivery(one, due_at=one.delivery.expires_at + timedelta(seconds=1)),
    ),
    "failed, with a copy": ("claimed again", "I1", lambda one: then(one, Event.GIVE_UP)),
    "expired, with a copy": ("claimed again", "I1", lambda one: then(one, Event.EXPIRE)),
    "submitted, and nobody took it": ("in doubt", "I1", lambda one: then(one, Event.ACCEPTED)),
    "in doubt, and nothing is": (
        "taken",
        "I1",
        lambda one: then(then(then(one, Event.RESEND), Event.CLAIM), Event.LOST),
    ),
    "an INTENT without a row": ("taken", "I2", lambda one: without(one, "chapters", 0)),
    "an attempt too few": ("not reached", "I2", lambda one: without(one, "attempts", 0)),
    "an attempt's number": ("taken", "I2", lambda one: with_attempt(one, 1, number=2)),
    "after a clean accept": ("after silence", "I3", lambda one: with_decision(one, 2, trigger="doubt")),
    "refused after a clean accept": ("after silence", "I3", lambda one: with_decision(one, 2, trigger="not_taken")),
    "first after a clean accept": ("after silence", "I3", lambda one: with_decision(one, 2, trigger="first")),
    "silence without an id": (
        "after silence",
        "I3",
        lambda one: with_attempt(attrs.evolve(one, reports=()), 1, vendor_id=None, report=None),
    ),
    "a failed report that nobody has": (
        "after a failed report",
        "I3",
        lambda one: with_decision(
            with_attempt(attrs.evolve(one, reports=()), 1, report=None),
            2,
            copy=2,
        ),
    ),
    "a failed report that came later": (
        "after a failed report",
        "I3",
        lambda one: with_decision(with_row(one, received_at=one.reports[0].received_at + LATER), 2, copy=2),
    ),
    "two under way": (
        "another copy",
        "I4",
        lambda one: with_attempt(one, 1, state=AttemptState.INTENT, settled_at=None, cause=""),
    ),
    "a copy too many": ("another copy", "I5", lambda one: with_decision(one, 2, max_copies=1)),
    "a copy that was not counted": ("another copy", "I5", lambda one: with_decision(one, 2, copy=1)),
    "a report that is no join": ("delivered", "I6", lambda one: without(one, "reports", 1)),
    "a report of nothing": ("taken", "I6", lambda one: with_attempt(one, 1, report=ReportState.ENROUTE)),
    "a delivered report without effect": (
        "delivered",
        "I6",
        lambda one: with_delivery(without(one, "transitions", -1), state=State.SUBMITTED),
    ),
    "delivered without a report": ("taken", "I6", lambda one: then(one, Event.REPORTED_DELIVERED)),
    "undelivered without a report": ("taken", "I6", lambda one: then(one, Event.REPORTED_FAILED)),
    "a report of another number": ("delivered", "I8", lambda one: with_row(one, to=OTHER_NUMBER)),
    "a report with a token alone": ("delivered", "I8", lambda one: with_row(one, trust=Trust.TOKEN)),
    "a report of a shared account": ("proved by number", "I8", lambda one: with_row(one, shared=True)),
    "a report of an older message": (
        "proved by number",
        "I8",
        lambda one: with_row(one, at=one.attempts[0].intended_at - LATER),
    ),
    "a report without an id": ("proved without an id", "I8", lambda one: with_row(one, by_number=False)),
    "begun after its expiry": (
        "taken",
        "I9",
        lambda one: with_delivery(one, expires_at=one.attempts[0].intended_at),
    ),
    "a hole in the audit": ("taken", "I12", lambda one: without(one, "transitions", 0)),
    "a gap in the audit": (
        "another copy",
        "I12",
        lambda one: without(one, "transitions", 3),
    ),
    "another state": ("parked", "I12", lambda one: with_delivery(one, state=State.CANCELLED)),
    "a step that the table does not know": (
        "cancelled",
        "I12",
        lambda one: attrs.evolve(one, transitions=(attrs.evolve(one.transitions[0], event=Event.PARK),)),
    ),
    "a refusal without a reason": ("failed", "I12", lambda one: with_attempt(one, 1, reason=None)),
    "an outcome without a time": ("taken", "I12", lambda one: with_attempt(one, 1, settled_at=None)),
    "an id of what was not taken": ("in doubt", "I12", lambda one: with_attempt(one, 1, vendor_id=VendorId("7"))),
    "a doubt without a cause": ("in doubt", "I12", lambda one: with_attempt(one, 1, cause="")),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_dossier_breaks_its_invariant(damage):
    """Each damage to what is known of one delivery breaks its own invariant, and no other."""
    kind, invariant, harm = DAMAGES[damage]

    found = list(check_delivery(harm(lived(kind))))

    assert {one.invariant for one in found} == {invariant}, found


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_violation_names_ids_alone(damage):
    """What a violation says holds no number and no text, and it says where to look by an id."""
    kind, _, harm = DAMAGES[damage]
    dossier = harm(lived(kind))

    for one in check_delivery(dossier):
        assert one.where.startswith(dossier.delivery.id)
        assert "1390000000" not in one.what
        assert "disk full" not in one.what


def test_a_state_under_way_without_an_attempt():
    """What is being sent has an attempt; without one it is I4, for no INTENT stands behind it, and I2 says so, too."""
    dossier = attrs.evolve(lived("sending"), attempts=())

    assert {one.invariant for one in check_delivery(dossier)} == {"I2", "I4"}


@pytest.mark.parametrize("kind", ["after silence", "another copy", "after a failed report"])
def test_the_words_of_version_1_are_not_complained_of(kind):
    """Decisions of version 1 name neither trigger nor copy: what cannot be known is no violation."""
    dossier = lived(kind)
    old = [
        attrs.evolve(one, explanation={"decision": "submit", "why": "so it is", "account": "main"})
        for one in dossier.chapters
    ]

    assert list(check_delivery(attrs.evolve(dossier, chapters=tuple(old)))) == []


@pytest.fixture
def damaged(tmp_path):
    """Return a function that runs SQL on a file with one whole life, and then lists what is wrong with it."""
    path = tmp_path / "tocsin.db"
    with closing(open_rows(path)) as rows:
        life = LIVES["both copies"](Life(rows))
        message = InboundMessage(sender=NUMBER, text="on my way")
        change = Change(account=MAIN, prefix="+86139", before=100, after=90, reason="so it is", at=life.at())
        life.outbox.accounts.save_changes((change,))
        life.outbox.apply_inbound(life.spool(kind="inbound"), Batch(rows=(message,)), life.at())
        assert list(check_store(life.outbox)) == []

    def harm(*statements):
        with closing(sqlite3.connect(path, isolation_level=None)) as file:
            for statement in statements:
                assert file.execute(statement).rowcount, "the damage did nothing"
        with closing(open_rows(path)) as rows:
            store = Outbox(rows, lambda _: False)
            return {(one.invariant, one.where.removeprefix(life.name[:-2])) for one in check_store(store)}

    return harm


SQL_DAMAGES = {
    "DELETE FROM message": {("I1", ".1"), ("I11", "")},
    "DELETE FROM delivery": {("I1", ""), ("I12", ".1")},
    "UPDATE message SET recipients = recipients || ' +8613900000009'": {("I1", "")},
    "UPDATE delivery SET recipient = '+8613900000009'": {("I1", ".1"), ("I8", ".1")},
    "UPDATE delivery SET holder = 'nobody'": {("I1", ".1")},
    "DELETE FROM chapter WHERE seq = 1": {("I2", ".1")},
    "DELETE FROM chapter": {("I2", ".1")},
    "UPDATE attempt SET state = 'intent', settled_at = NULL, cause = '' WHERE number = 2": {
        ("I4", ".1.2"),
        ("I12", ".1.2"),
    },
    "UPDATE decision SET body = replace(body, '\"max_copies\": 2', '\"max_copies\": 1')": {("I5", ".1.2")},
    "DELETE FROM report": {("I6", ".1.1")},
    "UPDATE attempt SET report = 2 WHERE number = 1": {("I6", ".1.1"), ("I6", ".1")},
    "UPDATE report SET raw = 99": {("I7", "raw 99")},
    "UPDATE inbound SET raw = 98": {("I7", "raw 98")},
    "UPDATE raw SET read = 0 WHERE kind = 'reports'": {("I7", "raw 1")},
    "UPDATE report SET account = 'backup'": {("I6", ".1.1"), ("I8", ".1")},
    "UPDATE delivery SET expires_at = 0": {("I9", ".1.1"), ("I9", ".1.2")},
    "UPDATE idempotency SET message = 'gone'": {("I11", "gone")},
    "UPDATE delivery SET state = 'parked'": {("I12", ".1"), ("I6", ".1")},
    "DELETE FROM audit WHERE seq = 3": {("I12", ".1")},
    "UPDATE audit SET after = 'queued' WHERE seq = 3": {("I12", ".1")},
    "DELETE FROM spending": {("I10", ".1.1"), ("I10", ".1.2")},
    "UPDATE spending SET messages = 0": {("I10", ".1.1"), ("I10", ".1.2")},
    "UPDATE spending SET cost = cost + 1 WHERE resends = 0": {("I10", ".1.1")},
    "UPDATE spending SET at = at + 1 WHERE resends = 0": {("I10", ".1.1")},
    "UPDATE spending SET account = 'another' WHERE resends = 0": {("I10", ".1.1")},
    "UPDATE spending SET resends = 0": {("I10", ".1.2")},
    "INSERT INTO spending SELECT 'gone', account, at, class, 0, 0, 1, 0 FROM spending LIMIT 1": {("I10", "gone")},
    "UPDATE weight SET points = 100": {("I12", "main +86139")},
    "DELETE FROM weight_change": {("I12", "main +86139")},
    "UPDATE chapter SET delivery = 'gone.1'": {("I12", "gone.1"), ("I2", ".1")},
}


@pytest.mark.parametrize("statement", SQL_DAMAGES)
def test_a_damaged_file_breaks_its_invariants(damaged, statement):
    """Rows that another hand has changed are found, by the invariants that they break and by no other."""
    assert damaged(statement) == SQL_DAMAGES[statement]


def test_an_answer_that_nobody_has_read_is_a_note(make_life):
    """A raw answer that waits for its reader is no violation: it is named, and the next poll reads it."""
    life = make_life()
    raw = life.spool()

    assert list(check_store(life.outbox)) == []
    assert unread_answers(life.outbox) == (f"raw {raw}",)


def test_a_store_is_read_in_pages(make_life, monkeypatch):
    """However many deliveries there are, each is looked at once, and no more than a page is in memory."""
    monkeypatch.setattr("tocsin.verify.PAGE", 2)
    life = make_life()
    for draw in range(5):
        name = new_message_id(life.at(), lambda _, drawn=draw: drawn)
        message = Message(id=name, to=(NUMBER,), text="x", cls=MessageClass.ALERT, accepted_at=life.now)
        new = NewDelivery(id=delivery_id(name, 1), to=NUMBER, route="all", due_at=life.now, expires_at=life.now + LATER)
        life.outbox.accept(Acceptance(message=message, deliveries=(new,), fingerprint="f"), life.now)
    pages = []

    assert list(check_store(life.outbox, pages.append)) == []
    assert pages == [2, 2, 2]
    assert sum(life.outbox.counts().values()) == len(life.outbox.deliveries(Filter()))


def test_counts_tell_states_and_accounts_apart(make_life):
    """Deliveries are counted by their state, and by the account of their newest attempt."""
    life = make_life()
    assert life.outbox.counts() == {(State.QUEUED, None): 1}
    life.submit(MAIN, LOST)
    assert life.outbox.counts() == {(State.IN_DOUBT, MAIN): 1}
    assert life.dossier.attempts[0].state is AttemptState.UNKNOWN


def broadcast(life, *accounts):
    """Accept a message that has a delivery to one recipient for each of the accounts; return its id."""
    name = new_message_id(life.at(), lambda _: 99)
    message = Message(id=name, to=(NUMBER,), text="x", cls=MessageClass.ALERT, accepted_at=life.now)
    each = tuple(
        NewDelivery(
            id=delivery_id(name, place),
            to=NUMBER,
            route="all",
            due_at=life.now,
            expires_at=life.now + LATER,
            only=account,
        )
        for place, account in enumerate(accounts, start=1)
    )
    return life.outbox.accept(Acceptance(message=message, deliveries=each, fingerprint="f"), life.now)


def test_a_broadcast_breaks_nothing(make_life):
    """A recipient has a delivery for each account of a broadcast, and no invariant complains of that."""
    life = make_life()
    broadcast(life, MAIN, BACKUP)

    assert list(check_store(life.outbox)) == []


@pytest.mark.parametrize("accounts", [(MAIN, MAIN), (None, None)])
def test_a_recipient_has_one_delivery_for_each_account(make_life, accounts):
    """Two deliveries of one message to one recipient, through the same account or any, break I1."""
    life = make_life()
    name = broadcast(life, *accounts)

    found = {(one.invariant, one.where) for one in check_store(life.outbox)}

    assert ("I1", name) in found


@pytest.mark.parametrize("outcome", [UNREACHED, REFUSED, LOST, TAKEN])
def test_a_refund_that_is_not_due_breaks_i10(outcome):
    """What a vendor took, or may have taken, stays debited, and what it did not take is given back: else I10."""
    life = Life(MemoryRows())
    life.submit(MAIN, outcome)
    assert list(check_store(life.outbox)) == []
    spending = life.rows.books.get_spending([life.dossier.attempts[0].submit])

    life.rows.books.save_spending(attrs.evolve(one, messages=1 - one.messages) for one in spending.values())

    assert [one.invariant for one in check_store(life.outbox)] == ["I10"]


def test_requests_from_before_debits_are_not_complained_of(damaged):
    """A store of version 2 wrote no debits: an attempt without segments is one of its own."""
    assert damaged("UPDATE attempt SET segments = 0", "DELETE FROM spending") == set()


def test_requests_in_memory_from_before_debits_are_not_complained_of():
    """The same in memory: who writes no segments writes no debits."""
    life = Life(MemoryRows())
    life.submit(MAIN, REFUSED)
    life.rows.save_attempts([attrs.evolve(life.dossier.attempts[0], segments=0)])
    life.rows._tables.pages.spending.clear()

    assert list(check_store(life.outbox)) == []
