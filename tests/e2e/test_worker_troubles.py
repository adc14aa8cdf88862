"""What may befall a worker: signals, `kill -9`, a store that it cannot use, silent vendors, closed streams."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing

import pytest

from tocsin.sandbox import Fault

NUMBER, TEXT, SIGNED = "13900000001", "disk full on db1", "disk full on db1【Example】"
OTHER = "13900000002"
NO_POLLS = {"signature": 'poll = { reports = "0s", inbound = "0s", balance = "0s" }\nsignature'}
TROUBLES = ("reset", "html", "garbage", "truncated-close", "status", "cut-headers")


def queue(terminal, to=NUMBER, text=TEXT, *more):
    """Queue a message; return its id."""
    ran = terminal.call("send", "--json", "--to", to, "--text", text, *more)
    assert ran.status == 0, ran.err
    return ran.json["id"]


def under_way(vendor):
    """Wait until the vendor has seen a submit."""
    return vendor.ledger.wait_until(lambda page: bool(page.submits), timeout_s=30)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_lets_it_settle_what_is_under_way(terminal, quick, vendor, working, number):
    """Told to end while a vendor takes its time, it waits for the answer, and ends with 0: submitted, not in doubt."""
    quick(vendor)
    vendor.inject(Fault("delay", value="2"))
    queue(terminal)
    worker = working()
    assert under_way(vendor)

    worker.signal(number)
    queue(terminal, OTHER, "load is high")
    ended = worker.ended()

    assert (ended.status, ended.out) == (0, "")
    assert "tocsin: ending" in ended.err
    assert "tocsin.worker.stopped" in ended.err
    later, settled = terminal.states()
    assert (later, settled in ("submitted", "delivered")) == ("queued", True)
    assert vendor.ledger.texts_to(OTHER) == ()


def test_a_signal_under_a_silent_vendor_ends_in_time(terminal, quick, winnerlook, working):
    """A vendor that never answers holds it no longer than a request may take: in doubt, and exit 0."""
    quick(winnerlook)
    winnerlook.reports("never")
    winnerlook.inject(Fault("silence"))
    queue(terminal)
    worker = working()
    assert under_way(winnerlook)

    ended = worker.end()

    assert (ended.status, terminal.states()) == (0, ["in_doubt"])
    assert "tocsin.send.unknown" in ended.err


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_second_signal_ends_it_at_once(terminal, quick, winnerlook, working, second):
    """Whoever cannot wait says so again, by either signal: it is gone, and what was under way is in doubt."""
    terminal.configure(winnerlook, swap=NO_POLLS)
    winnerlook.inject(Fault("silence"))
    queue(terminal, NUMBER, TEXT, "--class", "notice")
    worker = working()
    assert under_way(winnerlook)
    worker.signal(signal.SIGTERM)
    assert worker.has_said("once more ends at once")

    worker.signal(second)

    assert worker.ended().status == -second
    assert terminal.states() == ["in_doubt"]
    quick(winnerlook)
    working()
    assert terminal.become("delivered") == ["delivered"]
    assert winnerlook.ledger.copies(NUMBER, SIGNED) == 1


def test_after_a_kill_the_next_worker_goes_on(terminal, quick, winnerlook, working):
    """`kill -9` while a vendor is silent: that one is in doubt until its report comes, the others are delivered."""
    terminal.configure(winnerlook, swap=NO_POLLS)
    winnerlook.inject(Fault("silence"))
    queue(terminal, NUMBER, TEXT, "--class", "notice")
    worker = working()
    assert under_way(winnerlook)
    worker.signal(signal.SIGKILL)
    worker.ended()
    queue(terminal, OTHER, "load is high")
    assert terminal.states() == ["queued", "in_doubt"]

    quick(winnerlook)
    again = working()

    assert terminal.become("delivered", "delivered") == ["delivered", "delivered"]
    assert again.end().status == 0
    assert [winnerlook.ledger.copies(NUMBER, SIGNED), winnerlook.ledger.copies(OTHER, "load is high【Example】")] == [
        1,
        1,
    ]


def test_one_worker_to_a_store(terminal, quick, winnerlook, working, start_worker):
    """A second one is refused with a sentence and exit 2; the first goes on; after its end there may be another."""
    quick(winnerlook)
    first = working()

    second = start_worker().ended()

    assert (second.status, second.err.count("\n")) == (2, 1)
    assert f"(process {first.process.pid})" in second.err
    queue(terminal)
    assert terminal.become("delivered") == ["delivered"]
    assert first.end().status == 0
    assert start_worker("--drain").ended().status == 0


def of_a_newer_version(path):
    with closing(sqlite3.connect(path)) as store:
        store.execute("PRAGMA user_version = 99")


def of_somebody_else(path):
    path.unlink()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE theirs (a)")


def torn(path):
    path.write_bytes(b"\xff" * 100 + path.read_bytes()[100:])


def no_database(path):
    path.write_bytes(b"a shopping list\n" * 400)


@pytest.mark.parametrize("spoil", [of_a_newer_version, of_somebody_else, torn, no_database])
def test_a_store_that_it_cannot_use_is_left_alone(terminal, quick, winnerlook, start_worker, spoil):
    """Newer, somebody else's, torn or no database at all: exit 2, one sentence, and not a byte of it is changed."""
    quick(winnerlook)
    queue(terminal)
    store = terminal.home / "tocsin.db"
    spoil(store)
    before = store.read_bytes()

    ended = start_worker().ended()

    assert (ended.status, ended.err.count("\n")) == (2, 1), ended.err
    assert store.read_bytes() == before
    assert winnerlook.ledger.submits == ()


def test_a_configuration_that_is_wrong_is_told(terminal, start_worker):
    """Without a configuration, or with findings, it does not begin: exit 2, a line for each."""
    missing = start_worker().ended()
    terminal.config.write_text("[accounts.main]\nvendor = 7\n", encoding="utf-8")
    wrong = start_worker().ended()

    assert (missing.status, missing.err.count("\n")) == (2, 1)
    assert wrong.status == 2
    assert "accounts.main.vendor" in wrong.err
    assert sorted(one.name for one in terminal.home.iterdir() if "db" in one.name) == []


@pytest.mark.parametrize("closed", ["stdin", "stdout", "stderr"])
def test_a_closed_stream_hinders_no_worker(terminal, quick, winnerlook, start_worker, closed):
    """Started by a supervisor without one of its streams it delivers all the same."""
    quick(winnerlook)
    queue(terminal)
    number = {"stdin": 0, "stdout": 1, "stderr": 2}[closed]

    ended = start_worker("--drain", preexec_fn=lambda: os.close(number)).ended()

    assert (ended.status, ended.out) == (0, "")
    assert winnerlook.ledger.copies(NUMBER, SIGNED) == 1
    assert terminal.states() == ["submitted"]


def test_a_log_that_nobody_reads_hinders_no_worker(terminal, quick, winnerlook, start_worker):
    """Its standard error is a pipe whose reader has gone: it delivers, and ends when it is told."""
    quick(winnerlook)
    reader, writer = os.pipe()
    os.close(reader)
    worker = start_worker(stderr=writer)
    os.close(writer)
    queue(terminal)

    assert terminal.become("delivered") == ["delivered"]
    assert worker.end().status == 0


@pytest.mark.parametrize("trouble", TROUBLES)
def test_its_log_shows_nobodys_business(terminal, quick, winnerlook, ipyy, working, trouble):
    """Whatever goes wrong with sends and polls: no line holds number, text, reply or secret, and each is of ours."""
    quick(winnerlook, ipyy)
    terminal.private |= {"canary"}
    for vendor in (winnerlook, ipyy):
        vendor.reply("13912345678", "canary in a reply")
        vendor.inject(Fault(trouble, operation="any", times=4))
    worker = working("-vv")
    queue(terminal, "13912345678", "canary in a text")
    queue(terminal, "13912345679", "canary in an alarm", "--class", "critical")

    assert worker.has_said("kind=reports")
    assert worker.has_said("tocsin.send.")
    assert worker.has_said("tocsin.poll.done")
    ended = worker.end()

    assert ended.status == 0
    said = [line for line in ended.err.splitlines() if not line.startswith("tocsin: ending")]
    assert [line for line in said if " event=tocsin." not in line] == []


def test_deaf_and_dumb_vendors_do_not_keep_it_from_ending(terminal, quick, winnerlook, ipyy, working):
    """Every poll of both vendors hangs: told to end, it ends as soon as those polls have."""
    quick(winnerlook, ipyy)
    for vendor in (winnerlook, ipyy):
        vendor.inject(Fault("silence", operation="any", times=None))
    worker = working()
    assert worker.has_said("tocsin.poll.report_gap")

    assert worker.end().status == 0


def test_every_submit_that_it_made_is_on_record(terminal, quick, winnerlook, ipyy, working):
    """Answers lost on both sides of acceptance, again and again: each phone rings, at most twice, and is reported."""
    quick(winnerlook, ipyy, more='evidence_wait = "500ms"\n')
    for vendor in (winnerlook, ipyy):
        for after in range(0, 12, 3):
            vendor.inject(Fault("reset", after=after, when="after"))
    winnerlook.inject(Fault("close", after=1, times=3, when="before"))
    worker = working()
    for position in range(20):
        queue(terminal, f"139000001{position:02}", f"text {position}")

    assert terminal.become(*["delivered"] * 20) == ["delivered"] * 20
    assert worker.end().status == 0
    for position in range(20):
        number, text = f"139000001{position:02}", f"text {position}【Example】"
        assert 1 <= sum(vendor.ledger.copies(number, text) for vendor in (winnerlook, ipyy)) <= 2
    assert terminal.call("verify").status == 0
