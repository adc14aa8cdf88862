"""`tocsin verify` and `tocsin accounts`: what an operator sees of a store, whole or damaged, at rest or at work."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing

import pytest

from tocsin.app import Tocsin
from tocsin.outbox.role import WorkerRole
from tocsin.outbox.state import State
from tocsin.sandbox import Fault
from tocsin.verify import INVARIANTS, check_store

PACE = 'poll = { reports = "100ms", inbound = "1s", balance = "1h" }'
NUMBER, OTHER, TEXT = "13900000001", "13900000002", "disk full on db1"


@pytest.fixture
def used(terminal, winnerlook, ipyy):
    """A terminal whose store holds a delivery that arrived, one in doubt, and one that waits for a worker."""
    terminal.configure(winnerlook, ipyy)
    assert terminal.send(NUMBER, TEXT).status == 0
    assert terminal.call("reports", "--fetch").status == 0
    winnerlook.inject(Fault("reset", when="after"))
    assert terminal.send(OTHER, TEXT).status == 3
    assert terminal.call("send", "--to", NUMBER, "--text", TEXT).status == 0
    return terminal


def damage(terminal, statement):
    """Change rows behind tocsin's back."""
    with closing(sqlite3.connect(terminal.home / "tocsin.db", isolation_level=None)) as file:
        assert file.execute(statement).rowcount, "the damage did nothing"


def test_a_whole_store_is_found_whole(used):
    """Every invariant is listed, none is broken, and the exit status is 0."""
    found = used.call("verify", "--json")
    shown = used.call("verify")

    assert (found.status, shown.status) == (0, 0)
    assert found.json["ok"] is True
    assert found.json["deliveries"] == 3
    assert [one["invariant"] for one in found.json["invariants"]] == list(INVARIANTS)
    assert {one["violations"] for one in found.json["invariants"]} == {0}
    assert "3 deliveries: every invariant holds" in shown.out


def test_a_damaged_store_is_found_out(used):
    """A row that another hand changed is named by its invariant and its id, without number or text; exit 1."""
    damage(used, "UPDATE attempt SET report = 2 WHERE report = 3")

    found = used.run("verify", "--json")
    shown = used.run("verify")

    assert (found.status, shown.status) == (1, 1)
    assert {one["invariant"] for one in found.json["violations"]} == {"I6"}
    assert NUMBER not in found.out + shown.out
    assert TEXT not in found.out + shown.out
    ids = {one["where"] for one in found.json["violations"]}
    assert all(one.split(".")[0] in used.call("list").out for one in ids)


def test_what_no_tocsin_writes_is_named_and_not_stumbled_over(used):
    """A row that cannot be read at all is a violation of its own, and says behind which delivery it stands."""
    damage(used, "UPDATE delivery SET state = 'nowhere' WHERE position = 1 AND state = 'in_doubt'")

    found = used.call("verify", "--json")

    assert found.status == 1
    assert [one["invariant"] for one in found.json["violations"]] == ["file"]
    assert found.json["violations"][0]["where"].startswith("behind ")


def test_a_torn_page_is_found_out(used):
    """An index that lacks a row is damage to the file, and is found, though every row can be read."""
    with closing(sqlite3.connect(used.home / "tocsin.db", isolation_level=None)) as file:
        file.execute("PRAGMA writable_schema = ON")
        file.execute("UPDATE sqlite_schema SET sql = sql || ' WHERE 0' WHERE name = 'delivery_by_recipient'")

    found = used.run("verify", "--json")

    assert found.status == 1
    assert {one["invariant"] for one in found.json["violations"]} == {"file"}


def test_verifying_changes_nothing(used):
    """Not a byte of the store's rows is changed, and claims of the dead are left for who works."""
    damage(used, "UPDATE delivery SET state = 'claimed', holder = 'the dead' WHERE state = 'queued'")
    before = dump(used.home / "tocsin.db")

    assert used.run("verify").status == 1
    assert dump(used.home / "tocsin.db") == before


def dump(path):
    with closing(sqlite3.connect(path)) as file:
        return list(file.iterdump())


def test_verifying_runs_beside_a_worker(used):
    """Who holds the worker role keeps nobody from looking."""
    with WorkerRole(used.home / "tocsin.db"):
        assert used.run("verify").status == 0


def test_a_store_at_work_is_found_whole(terminal, winnerlook, ipyy):
    """However often it is looked at while messages are accepted, sent and reported on, each look sees one moment."""
    terminal.configure(winnerlook, ipyy, swap={'signature = "【Example】"': f'signature = "【Example】"\n{PACE}'})
    looks = 0
    with Tocsin.from_config(terminal.config) as tocsin:
        worker = terminal.begin("worker")
        try:
            for number in range(40):
                tocsin.send(to=[f"139{number:08d}"], text=f"{TEXT}, {number}")
                assert list(check_store(tocsin.parts.store)) == []
            until = time.monotonic() + 60
            while {state for state, _ in tocsin.parts.store.counts()} != {State.DELIVERED}:
                assert time.monotonic() < until, "not all was delivered in time"
                assert list(check_store(tocsin.parts.store)) == []
                looks += 1
        finally:
            worker.terminate()
            worker.communicate(timeout=60)
    assert looks
    assert worker.returncode == 0


def test_verifying_makes_no_store(terminal, winnerlook):
    """Where there is no store yet, that is said, and none is made."""
    terminal.configure(winnerlook)

    ran = terminal.call("verify")

    assert ran.status == 2
    assert "there is no store" in ran.err
    assert not (terminal.home / "tocsin.db").exists()


def test_a_backup_can_be_verified(used):
    """A copy that SQLite made while the store was in use is a store like any other."""
    backup = used.home / "backup.db"
    with closing(sqlite3.connect(used.home / "tocsin.db")) as file, closing(sqlite3.connect(backup)) as copy:
        file.backup(copy)
    config = used.config.read_text("utf-8")
    assert "sqlite:///tocsin.db" in config
    used.config.write_text(config.replace("sqlite:///tocsin.db", "sqlite:///backup.db"), "utf-8")
    (used.home / "tocsin.db").unlink()

    assert used.call("verify", "--json").json["deliveries"] == 3


def test_accounts_tell_what_is_open_and_how_polls_went(used, winnerlook):
    """Each account shows its open deliveries, when its polls last brought a whole answer, and what went wrong since."""
    winnerlook.go_dark()
    used.call("reports", "winnerlook", "--fetch")

    listed = {one["account"]: one for one in used.call("accounts", "--json").json}
    shown = used.call("accounts").out

    assert listed.keys() == {"winnerlook", "ipyy"}
    assert listed["winnerlook"]["open"]["in_doubt"] == 1
    assert listed["winnerlook"]["polls"]["reports"]["heard_at"] is not None
    assert listed["winnerlook"]["polls"]["reports"]["trouble"] == "connect-refused"
    assert listed["ipyy"]["polls"]["reports"]["trouble"] is None
    assert listed["ipyy"]["polls"]["balance"] == {"asked_at": None, "heard_at": None, "trouble": None, "gaps": 0}
    assert "1 in doubt" in shown
    assert "connect-refused" in shown
    assert "queued, and not tried yet: 1" in shown
