"""`tocsin notify`, as Icinga and Nagios start it: durable when it ends, whatever stands in its way, and told once."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tocsin.cli.notify import notify

ALICE, BOB = "+8613900000001", "+8613900000002"
LONG = ("--patience", "30s")
"""Long enough for the store, however busy the machine."""

NAGIOS = {
    "NAGIOS_NOTIFICATIONTYPE": "PROBLEM",
    "NAGIOS_HOSTNAME": "db1",
    "NAGIOS_SERVICEDESC": "disk",
    "NAGIOS_SERVICESTATE": "CRITICAL",
    "NAGIOS_SERVICEOUTPUT": "$HOME $(id) \"q\" 'q' <b>",
    "NAGIOS_LASTSERVICESTATECHANGE": "1795303983",
    "NAGIOS_CONTACTPAGER": ALICE,
}


def problem(host="db1", *more, to=ALICE, state="CRITICAL"):
    """Return a command that tells of a problem."""
    given = ("--type", "PROBLEM", "--host", host, "--service", "disk", "--state", state, "--output", "DISK FULL")
    return ("notify", "--to", to, *given, *more)


def recovery(host="db1", *more, to=ALICE):
    """Return a command that tells of its end."""
    return ("notify", "--to", to, "--type", "RECOVERY", "--host", host, "--service", "disk", "--state", "OK", *more)


@pytest.fixture
def spool(terminal):
    """The directory beside the store."""
    return terminal.home / "tocsin.db.spool"


@pytest.fixture
def ready(terminal, winnerlook):
    """A terminal with a configuration and a store."""
    terminal.configure(winnerlook)
    terminal.call("list")
    return terminal


@contextmanager
def locked(terminal):
    """Keep everybody else from writing into the store."""
    with closing(sqlite3.connect(terminal.home / "tocsin.db", isolation_level=None)) as file:
        file.execute("BEGIN IMMEDIATE")
        yield


def waiting(spool):
    """Return the files that wait on the spool, oldest first."""
    return sorted(spool.glob("*.slip")) if spool.exists() else []


def texts(terminal):
    """Return the texts of all messages, oldest first."""
    with closing(sqlite3.connect(terminal.home / "tocsin.db")) as file:
        return [text for (text,) in file.execute("SELECT text FROM message ORDER BY id")]


def ends_within(process, seconds):
    """Say whether a process ends within so many seconds."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


FULL, OVER = "FIRING CRITICAL db1/disk: DISK FULL", "RESOLVED db1/disk"


def test_a_notification_goes_straight_into_the_store(ready, spool):
    """Without gateway and worker: durable, told once for each transition, and nothing on the spool."""
    first = ready.run(*problem("db1", *LONG))
    assert (first.status, first.err) == (0, "")
    assert first.out.startswith("message ")
    assert ready.run(*problem("db1", *LONG)).out == "nothing new\n"
    assert ready.run(*problem("db1", *LONG, to=BOB)).out.startswith("message ")
    assert ready.run(*recovery("db1", *LONG, "--json")).json["spooled"] is False
    assert texts(ready) == [FULL, FULL, OVER]
    assert not spool.exists()


def test_a_change_of_level_is_told(ready):
    """A warning that becomes critical is told again."""
    ready.run(*problem("db1", *LONG, state="WARNING"))
    ready.run(*problem("db1", *LONG))
    assert texts(ready) == ["FIRING WARNING db1/disk: DISK FULL", FULL]


def test_a_store_that_is_busy_is_not_waited_for(ready, spool):
    """While another process keeps the store, it waits on the spool; the next notification takes both in, in order."""
    with locked(ready):
        ran = ready.run(*problem())
        assert (ran.status, ran.out) == (0, "spooled\n")
        assert ran.err.startswith("tocsin: on the spool: ")
        assert len(waiting(spool)) == 1
    assert ready.run(*recovery("db1", *LONG)).out.startswith("message ")
    assert texts(ready) == [FULL, OVER]
    assert waiting(spool) == []


def test_a_worker_takes_up_the_spool(ready, spool, winnerlook, working):
    """What was spooled before a worker began, and while it works, is delivered, once."""
    ready.run(*problem("db1", "--spool-only"))
    working()
    ready.run(*problem("db2", "--spool-only"))
    assert ready.become("delivered", "delivered") == ["delivered", "delivered"]
    assert [FULL in text for text in winnerlook.ledger.texts_to(ALICE[3:])] == [True, False]
    assert waiting(spool) == []


def test_many_at_once_are_all_durable(ready, spool):
    """Eight hosts fail at the same moment: each is told once, whether it went into the store or onto the spool."""
    processes = [ready.begin(*problem(f"db{number}")) for number in range(8)]
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    ready.run("worker", "--drain")
    assert waiting(spool) == []
    assert sorted(texts(ready)) == [f"FIRING CRITICAL db{number}/disk: DISK FULL" for number in range(8)]


def test_one_alert_at_once_is_told_once(ready, spool):
    """Six contacts have the same number: their phone is told once, whichever way each notification takes."""
    more = [(), ("--spool-only",)] * 3
    processes = [ready.begin(*problem("db1", *options, "--contact", f"c{n}")) for n, options in enumerate(more)]
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    ready.run("worker", "--drain")
    assert (texts(ready), waiting(spool)) == ([FULL], [])


def test_without_a_store_there_is_still_the_spool(ready, spool):
    """A configuration that cannot be used as a whole costs nobody a page, as long as it says where the store is."""
    ready.config.write_text(ready.config.read_text() + "\n[[routes]]\nnonsense = 1\n")
    ran = ready.run(*problem("db1", *LONG))
    assert (ran.status, ran.out) == (0, "spooled\n")
    assert "routes[1]" in ran.err
    assert len(waiting(spool)) == 1


def test_a_store_of_another_version_is_left_alone(ready, spool):
    """While the store is newer than this program, in the middle of an upgrade, notifications wait for it."""
    with closing(sqlite3.connect(ready.home / "tocsin.db")) as file:
        file.execute("PRAGMA user_version = 99")
    ran = ready.run(*problem("db1", *LONG))
    assert (ran.status, ran.out) == (0, "spooled\n")
    assert "version 99" in ran.err
    assert len(waiting(spool)) == 1


def test_no_secret_is_needed(ready):
    """Who only hands in need not be able to read a password."""
    text = ready.config.read_text().replace('"demo-password"', '{ env = "NOT_SET" }')
    assert "NOT_SET" in text
    ready.config.write_text(text)
    assert ready.run(*problem("db1", *LONG)).out.startswith("message ")


def test_nowhere_durable_is_said(ready, spool):
    """Where neither can take it, one sentence says so, and the status is no success."""
    spool.write_text("in the way")
    with locked(ready):
        ran = ready.run(*problem("db1", "--spool-only"))
    assert (ran.status, ran.out) == (70, "")
    assert len(ran.err.splitlines()) == 1
    assert "cannot be written" in ran.err


def test_where_the_spool_fails_the_store_is_waited_for(ready, spool):
    """A store that is only slow takes it after all, where the spool cannot."""
    spool.write_text("in the way")
    with locked(ready):
        process = ready.begin(*problem())
        assert not ends_within(process, 2.0)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out[:8]) == (0, b"message ")


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="no prlimit")
def test_a_full_disk_is_said(ready, spool):
    """Where no file may grow, nothing is promised: no status 0, and the next notification is told like a first one."""
    command = ["prlimit", "--fsize=0", sys.executable, "-m", "tocsin", *problem()]
    done = subprocess.run(command, cwd=ready.home, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (70, "", 1)
    assert list(spool.iterdir()) == []
    assert ready.run(*problem("db1", *LONG)).out.startswith("message ")


def test_a_damaged_file_is_set_aside_with_an_alarm(ready, spool):
    """What is no slip is kept under another name, alarmed about, and holds nothing up."""
    ready.run(*problem("db1", "--spool-only"))
    (whole,) = waiting(spool)
    (spool / "20000101T000000.000000Z-0.slip").write_bytes(whole.read_bytes()[:-20])
    ran = ready.run("worker", "--drain")
    assert "reason=spool-damaged" in ran.err
    assert texts(ready) == [FULL]
    assert [path.name for path in spool.iterdir()] == ["20000101T000000.000000Z-0.slip.bad"]


def test_what_nobody_can_be_told_is_set_aside_with_an_alarm(ready, spool):
    """A group that is gone when its notification is taken up: kept, alarmed about, mended by its old name."""
    ready.run("notify", "--group", "ops", "--type", "PROBLEM", "--host", "db1", "--spool-only")
    assert "reason=spool-refused" in ready.run("worker", "--drain").err
    (aside,) = spool.iterdir()
    ready.config.write_text(ready.config.read_text() + f'\n[groups]\nops = ["{ALICE}"]\n')
    aside.rename(aside.with_suffix(""))
    ready.run("worker", "--drain")
    assert texts(ready) == ["FIRING db1"]


def test_no_page_about_yesterday(ready, spool, winnerlook):
    """What waited beyond its expiry is taken in and expires: listed, logged, and not sent."""
    ready.run(*problem("db1", "--spool-only"))
    (slip,) = waiting(spool)
    document = json.loads(slip.read_bytes())
    document["heard_at"] = (datetime.now(UTC) - timedelta(hours=5)).isoformat()
    slip.write_text(json.dumps(document))
    ran = ready.run("worker", "--drain")
    assert "event=tocsin.spool.expired count=1" in ran.err
    assert ready.states() == ["expired"]
    assert not winnerlook.ledger.texts_to(ALICE[3:])


def test_the_variables_of_nagios_are_enough(ready):
    """Without an option the environment says it all, characters that a shell would act on included."""
    assert ready.run("notify", "--from-env", *LONG, **NAGIOS).out.startswith("message ")
    assert texts(ready) == ["FIRING CRITICAL db1/disk: $HOME $(id) \"q\" 'q' <b>"]
    assert ready.run("notify", "--from-env").status == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("notify", "--to", "", "--type", "PROBLEM", "--host", "db1"), "not a phone number"),
        (("notify", "--to", "$user.pager$", "--type", "PROBLEM", "--host", "db1"), "not a phone number"),
        (("notify", "--type", "PROBLEM", "--host", "db1"), "give --to or --group"),
        (("notify", "--group", "", "--type", "PROBLEM", "--host", "db1"), "expected the name of a group"),
        (("notify", "--to", ALICE, "--host", "db1"), "--type: missing"),
        (("notify", "--to", ALICE, "--type", "ALARM", "--host", "db1"), "--type: expected one of"),
        (("notify", "--to", ALICE, "--type", "PROBLEM"), "--host: missing"),
        (("notify", ALICE, "--type", "PROBLEM", "--host", "db1"), "unexpected extra argument"),
        (("notify", "--class", ALICE, "--to", ALICE), "Invalid value for '--class'"),
        (("notify", "--to", ALICE, "--type", "PROBLEM", "--host", "db1", "--patience", "long"), "--patience"),
        (("sendsms", ALICE), "Missing argument"),
        (("sendsms", "hello", "world"), "not a phone number"),
        (("sendsms", ALICE, ""), "nothing to say"),
    ],
)
def test_a_wrong_command_is_answered_with_what_was_expected(ready, spool, arguments, said):
    """Status 2, a sentence that quotes no number, and nothing stored anywhere."""
    ran = ready.call(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err
    assert (texts(ready), waiting(spool)) == ([], [])


def test_a_group_that_is_not_there_is_an_error_at_once(ready, spool):
    """A wrong group is said to whoever asks, and does not wait on the spool to be found out."""
    ready.config.write_text(ready.config.read_text() + f'\n[groups]\nops = ["{ALICE}"]\n')
    for way in (("--spool-only",), LONG):
        ran = ready.run("notify", "--group", "oops", "--type", "PROBLEM", "--host", "db1", *way)
        assert (ran.status, ran.err) == (2, "tocsin: no group is called oops\n")
    assert waiting(spool) == []


def test_sendsms_is_called_like_the_script(ready):
    """Numbers without their plus, a text at the end, also one that looks like an option; each call is a message."""
    for _ in range(2):
        assert ready.run("sendsms", *LONG, "13900000001", "491700000000", "-5 degrees").status == 0
    assert texts(ready) == ["-5 degrees", "-5 degrees"]
    assert {one["to"] for one in ready.call("list", "--json").json} == {ALICE, "+491700000000"}


@pytest.fixture
def open_place():
    """A directory that other users may look into; those of tests are closed to them."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root, to be somebody else")
def test_another_user_hands_in_by_a_shared_spool(ready, winnerlook, open_place):
    """A user who may neither read nor write the store puts notifications where the worker takes them from."""
    place = open_place
    spool = place / "spool"
    spool.mkdir()
    os.chown(spool, 0, 65534)
    spool.chmod(0o2770)
    config = place / "notify.toml"
    config.write_text(f'[store]\nspool = "{spool}"\n')
    config.chmod(0o644)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    command = [*nobody, sys.executable, "-m", "tocsin", *problem("db1", "--config", str(config))]
    if subprocess.run([*nobody, sys.executable, "-c", "import tocsin"], cwd=place, capture_output=True).returncode:
        pytest.skip("the interpreter is closed to other users")
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "spooled\n", "")
    (slip,) = spool.iterdir()
    assert (slip.stat().st_uid, stat.S_IMODE(slip.stat().st_mode)) == (65534, 0o640)

    ready.config.write_text(ready.config.read_text().replace("[store]", f'[store]\nspool = "{spool}"'))
    ready.run("worker", "--drain")
    assert winnerlook.ledger.texts_to(ALICE[3:])
    assert list(spool.iterdir()) == []


def test_it_ends_within_a_second_of_patience(ready):
    """A store that takes for ever is given up when patience ends; what is left is the time of one small file."""
    with locked(ready):
        began = time.monotonic()
        ran = ready.run(*problem("db1", "--patience", "1ms"))
        took_s = time.monotonic() - began
    assert (ran.status, ran.out) == (0, "spooled\n")
    assert took_s < 9.0, "it waited for the store: SQLite's own patience is ten seconds"


def test_a_gateway_takes_up_the_spool_at_its_start(ready, spool):
    """Where no worker runs yet, a gateway that starts has the store know of what waits."""
    ready.run(*problem("db1", "--spool-only"))
    ready.config.write_text(ready.config.read_text() + '\n[gateway]\nlisten = "127.0.0.1:0"\n')
    gateway = ready.begin("gateway")
    try:
        assert ready.until(lambda: texts(ready) == [FULL])
        assert ready.until(lambda: waiting(spool) == [])
    finally:
        gateway.terminate()
        gateway.communicate(timeout=60)


@pytest.mark.parametrize("page", ["icinga.md", "nagios.md"])
def test_the_definitions_of_the_pages_give_options_that_there_are(page):
    """What a reader copies names no option that the command does not know, and none twice."""
    text = (Path(__file__).parents[2] / "docs" / "how-to" / page).read_text(encoding="utf-8")
    known = {name for parameter in notify.params for name in parameter.opts}
    blocks = "".join(re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    definitions = re.findall(r"(?:object Notif|define command).*?^}", blocks, re.MULTILINE | re.DOTALL)
    assert len(definitions) == 2
    for definition in definitions:
        given = re.findall(r"--[a-z-]+", definition)
        assert set(given) <= known
        assert len(given) == len(set(given)) > 10
