"""What the lives that are recorded go through: a proof over a tame life would prove little."""

import pytest

from .facts import digest_of
from .image import LOG
from .session import AFTERWARDS, LIFE, RETRIED, SESSIONS
from .table import count_life
from .tape import STORE, Kind

pytestmark = pytest.mark.xdist_group("powercut")


@pytest.fixture(scope="module")
def tape(laboratory):
    """A short life."""
    return laboratory.life("FULL")[1]


def positions(tape, kind, name):
    return [number for number, op in enumerate(tape.ops) if op.kind is kind and op.name == name]


def test_every_session_is_led():
    """No session stands in the table for nothing."""
    assert set(SESSIONS) == {*LIFE, *RETRIED, *AFTERWARDS}


def test_log_begins_anew_again_and_again(tape):
    """The log is checkpointed, begun anew over its old frames, cut off, deleted, made again, and left by a kill."""
    counted = count_life(tape)

    assert counted["checkpoints"] > 12
    assert counted["beginnings of the log"] > 12
    assert positions(tape, Kind.TRUNCATE, LOG)
    assert len(positions(tape, Kind.CREATE, LOG)) > 2
    assert len(positions(tape, Kind.UNLINK, LOG)) < len(LIFE), "a process that is killed leaves its log"


def test_transactions_spill_before_they_commit(tape):
    """Some transactions write frames before they commit, and write over them when their pages change again."""
    pending, again = set(), 0
    for op in tape.ops:
        if op.name == LOG and op.kind is Kind.SYNC:
            pending.clear()
        elif op.name == LOG and op.kind is Kind.WRITE:
            again += op.at in pending
            pending.add(op.at)

    assert again > 20


def test_every_commit_is_acknowledged_with_what_it_changed(tape):
    """Each kind of transaction occurs, and what it changed is named: messages, their deliveries, and audit rows."""
    names = {op.name for op in tape.acknowledged}
    accepted = [{row.split()[0] for row in op.rows} for op in tape.acknowledged if op.name == "accept" and op.rows]

    assert names >= {"open", "accept", "intend", "settle", "cancel", "release", "spool", "reports", "keywords"}
    assert all({"message", "delivery"} <= tables for tables in accepted if tables != {"idempotency"})
    assert {"idempotency"} in accepted, "to repeat a key is a write of its own"
    assert any("audit" in tables for tables in accepted)


def test_nothing_is_acknowledged_before_it_is_synced(tape):
    """Between a commit's last frame and its acknowledgement the log was synced, at FULL."""
    pending = False
    for op in tape.ops:
        if op.name == LOG and op.kind in (Kind.WRITE, Kind.SYNC):
            pending = op.kind is Kind.WRITE
        assert not (op.kind is Kind.ACKNOWLEDGE and op.rows and pending)


def test_digest_tells_rows_apart():
    """A row that is missing, changed, or in another table changes the digest; an empty table does not."""
    digests = [
        digest_of(facts)
        for facts in (
            {"a": [(1, "x")]},
            {"a": [(1, "y")]},
            {"b": [(1, "x")]},
            {"a": [(1, "x"), (2, "x")]},
            {"a": [(1, "x")], "b": [(1, "x")]},
            {},
        )
    ]

    assert len(set(digests)) == len(digests)
    assert digest_of({"a": [(1, "x")], "b": []}) == digests[0]
    assert digest_of({STORE: []}) == digest_of({})
