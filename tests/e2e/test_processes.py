"""What only a process of its own can show: signals, pipes, the demo, a sandbox, an internal error."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress

import pytest

from tocsin.sandbox import Fault

NUMBER, TEXT, SIGNED = "13900000001", "disk full on db1", "disk full on db1【Example】"


def test_the_demo_tells_its_story(terminal):
    """`tocsin demo` needs no configuration, ends with 0 within 30 s, and its last line is the vendors' ledger."""
    began = terminal.begin("demo")
    out, err = began.communicate(timeout=30)

    assert (began.returncode, err) == (0, b"")
    assert out.decode().splitlines()[-1].startswith("lost 0, unasked duplicates 0 in ")
    assert list(terminal.home.iterdir()) == []


def test_an_interrupt_during_a_silent_submit_leaves_doubt(terminal, vendor):
    """Ctrl-C while a vendor is silent ends with 130; what was on its way is in doubt, and no second copy is sent."""
    terminal.configure(vendor)
    vendor.inject(Fault("silence"))
    command = ("send", "--now", "--to", NUMBER, "--text", TEXT, "--key", "k")

    began = terminal.begin(*command)
    assert vendor.ledger.wait_until(lambda page: bool(page.submits), timeout_s=30)
    began.send_signal(signal.SIGINT)
    out, err = began.communicate(timeout=20)

    assert (began.returncode, out, err.strip()) == (130, b"", b"tocsin: interrupted")
    assert terminal.states() == ["in_doubt"]
    assert terminal.call(*command).status == 3
    assert vendor.ledger.copies(NUMBER, SIGNED) == 1


def test_an_interrupt_while_reading_a_list_accepts_nothing(terminal, winnerlook):
    """Ctrl-C before anything is accepted leaves nothing behind."""
    terminal.configure(winnerlook)
    reader, writer = os.pipe()
    began = terminal.begin("send", "--now", "--to", "@-", "--text", TEXT, stdin=reader)
    os.close(reader)
    try:
        os.write(writer, b"13900000001\n" * 20_000)  # more than a pipe holds: when it is written, somebody reads
        _, err = interrupt(began)
    finally:
        os.close(writer)

    assert began.returncode == 130
    assert err.strip() == b"tocsin: interrupted"
    assert terminal.states() == []


def interrupt(process, times=8):
    """Press Ctrl-C, and once more where nothing comes of it: a signal just before a read does not wake the read."""
    for _ in range(times):
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=5)
    raise AssertionError("it cannot be interrupted")


@pytest.mark.parametrize("command", [("list",), ("list", "--json"), ("explain",)], ids=" ".join)
def test_a_reader_that_goes_away_sees_no_traceback(terminal, winnerlook, command):
    """`tocsin … | head` ends without a word on standard error."""
    terminal.configure(winnerlook)
    numbers = [f"139000{index:05}" for index in range(700)]
    sent = terminal.send(numbers, TEXT).json

    began = terminal.begin(*command, *([sent["id"]] if command == ("explain",) else []))
    began.stdout.read(10)
    began.stdout.close()
    err = began.stderr.read()
    began.stderr.close()

    assert began.wait(timeout=20) != 70
    assert err == b""


@pytest.mark.parametrize("closed", ["stdout", "stderr", "stdin"])
def test_a_closed_stream_hinders_no_message(terminal, winnerlook, closed):
    """A process that was started without one of its streams (cron, a supervisor) sends all the same."""
    terminal.configure(winnerlook)
    number = {"stdin": 0, "stdout": 1, "stderr": 2}[closed]

    began = terminal.begin("send", "--now", "--to", NUMBER, "--text", TEXT, preexec_fn=lambda: os.close(number))
    out, err = began.communicate(timeout=20)

    assert began.returncode == 0
    assert b"Traceback" not in out + err
    assert winnerlook.ledger.copies(NUMBER, SIGNED) == 1


def test_a_full_disk_under_standard_output_is_told(terminal, winnerlook):
    """Where the answer cannot be written, the message was sent once all the same, and no traceback is shown."""
    terminal.configure(winnerlook)
    with open("/dev/full", "wb") as full:
        began = terminal.begin("send", "--now", "--to", NUMBER, "--text", TEXT, "--key", "k", stdout=full)
        _, err = began.communicate(timeout=20)

    assert began.returncode != 0
    assert b"Traceback" not in err
    assert err.count(b"\n") == 1
    assert winnerlook.ledger.copies(NUMBER, SIGNED) == 1


def test_a_terminal_of_another_charset_still_shows_the_rest(terminal, winnerlook):
    """A terminal that lacks a character is no reason to fail, neither before nor after the message is sent."""
    terminal.configure(winnerlook)
    winnerlook.reply(NUMBER, "收到 👍")

    ran = terminal.run("inbox", "--fetch", PYTHONIOENCODING="ascii", PYTHONUTF8="0")

    assert ran.status == 0
    assert NUMBER in ran.out


def test_verbose_twice_is_still_one_line_each(terminal, winnerlook):
    """`-v` may stand before and behind the command; each event is logged once."""
    terminal.configure(winnerlook)

    ran = terminal.run("-v", "send", "-v", "--now", "--to", NUMBER, "--text", TEXT)

    assert ran.status == 0
    assert ran.err.count("tocsin.send.accepted") == 1


def test_a_sandbox_runs_until_it_is_stopped(terminal):
    """`tocsin sandbox` prints a configuration that works as it stands, takes orders, and ends well when told to."""
    began = terminal.begin("sandbox", "winnerlook", "ipyy", "--json")
    try:
        announced = _first_document(began)
        terminal.config.write_text(announced["config"], encoding="utf-8")
        sent = terminal.send(NUMBER, TEXT)
    finally:
        began.send_signal(signal.SIGTERM)
        out, err = began.communicate(timeout=20)

    assert (sent.status, [one["vendor"] for one in announced["sandboxes"]]) == (0, ["winnerlook", "ipyy"])
    assert (began.returncode, out, err) == (0, b"", b"")


def _first_document(began: subprocess.Popen[bytes]):
    """Read lines until they are one JSON document."""
    lines = b""
    for line in began.stdout:
        lines += line
        if line == b"}\n":
            return json.loads(lines)
    raise AssertionError("the process ended before it had announced anything")


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to look like one" * 40, b""])
def test_a_store_that_is_none_is_told(terminal, winnerlook, content):
    """A file that is no store of ours is a configuration error in one sentence; an empty one is a new store."""
    terminal.configure(winnerlook)
    (terminal.home / "tocsin.db").write_bytes(content)

    ran = terminal.call("send", "--now", "--to", NUMBER, "--text", TEXT)

    assert (ran.status, ran.err.count("\n")) == ((2, 1) if content else (0, 0))
    assert (terminal.home / "tocsin.db").read_bytes().startswith(content)


@pytest.mark.parametrize("debug", [False, True], ids=["quiet", "debug"])
def test_an_internal_error_is_one_sentence(terminal, winnerlook, debug):
    """What nobody foresaw ends with 70 and a sentence; only --debug shows where, and even that shows no secret."""
    terminal.configure(winnerlook)
    (terminal.home / "tocsin.db-holders").write_text("in the way")
    words = ("--debug",) if debug else ()

    began = terminal.begin(*words, "send", "--now", "--to", NUMBER, "--text", TEXT)
    _, err = began.communicate(timeout=20)

    shown = err.decode()
    assert began.returncode == 70
    assert ("Traceback" in shown) is debug
    assert shown.startswith("tocsin: ")
    assert not [word for word in ("demo-password", NUMBER, TEXT) if word in shown]
    assert winnerlook.ledger.submits == ()
