"""Limits across processes: what one has sent, the next one counts; and a bad message spoils no account."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from tocsin.sandbox import Fault

NUMBER, OTHER = "13900000001", "13900000002"


def send(terminal, text, to=NUMBER):
    """Send by a process of its own."""
    return terminal.run("send", "--now", "--json", "--to", to, "--text", text)


def let_pass(terminal, time):
    """Let everything in the store have happened that much earlier."""
    earlier = time // timedelta(microseconds=1)
    with closing(sqlite3.connect(terminal.home / "tocsin.db")) as store, store:
        store.execute(
            "UPDATE attempt SET intended_at = intended_at - ?, settled_at = settled_at - ?", (earlier, earlier)
        )
        store.execute("UPDATE spending SET at = at - ?", (earlier,))


def explained(terminal, ran):
    """Return what `explain` tells of the only delivery that was sent."""
    (delivery,) = ran.json["deliveries"]
    return terminal.call("explain", delivery["id"]).out


def test_three_in_three_minutes_hold_across_processes(terminal, ipyy):
    """Each message by a process of its own: the fourth to a number never reaches ipyy, and is told why; others do."""
    terminal.configure(ipyy)
    ran = [send(terminal, f"disk {number} is full") for number in range(4)]

    assert [one.status for one in ran] == [0, 0, 0, 1]
    assert [one.json["deliveries"][0]["state"] for one in ran] == ["submitted"] * 3 + ["failed"]
    assert len(ipyy.ledger.submits) == 3
    assert "the number has had as many messages as it may until" in explained(terminal, ran[-1])
    assert send(terminal, "disk 9 is full", OTHER).status == 0
    assert len(ipyy.ledger.submits) == 4


def test_ten_a_day_hold_across_processes(terminal, ipyy):
    """Three each quarter of an hour: the eleventh of a day never reaches ipyy, and does when the first is a day old."""
    terminal.configure(ipyy)
    for number in range(10):
        assert terminal.send(NUMBER, f"disk {number} is full").status == 0
        if number % 3 == 2:
            let_pass(terminal, timedelta(minutes=15))

    eleventh = send(terminal, "disk 10 is full")

    assert (eleventh.status, len(ipyy.ledger.submits)) == (1, 10)
    assert "the number has had as many messages as it may until" in explained(terminal, eleventh)
    let_pass(terminal, timedelta(hours=23, minutes=20))
    assert send(terminal, "disk 11 is full").status == 0
    assert len(ipyy.ledger.submits) == 11


def test_what_one_account_may_not_the_next_one_does(terminal, ipyy, winnerlook):
    """With a second account on the route the fourth message goes there, and the story says why not by the first."""
    terminal.configure(ipyy, winnerlook)
    ran = [send(terminal, f"disk {number} is full") for number in range(4)]

    assert [one.json["deliveries"][0]["account"] for one in ran] == ["ipyy"] * 3 + ["winnerlook"]
    assert (len(ipyy.ledger.submits), len(winnerlook.ledger.submits)) == (3, 1)
    assert "the number has had as many messages as it may until" in explained(terminal, ran[-1])


def test_a_process_that_died_has_spent_what_it_began(terminal, ipyy):
    """A submit whose outcome nobody knows counts: two in doubt and one taken leave no room for a fourth."""
    terminal.configure(ipyy)
    ipyy.inject(Fault("reset", times=2, when="after"))
    ran = [terminal.send(NUMBER, f"disk {number} is full") for number in range(3)]
    ran.append(send(terminal, "disk 3 is full"))

    assert [one.json["deliveries"][0]["state"] for one in ran] == ["in_doubt", "in_doubt", "submitted", "failed"]
    assert len(ipyy.ledger.submits) == 3


def test_a_refusal_uses_nothing_up(terminal, ipyy):
    """What ipyy refused, or what never reached it, leaves the number its three messages."""
    terminal.configure(ipyy)
    ipyy.inject(Fault("code", value="1106", times=3))
    for number in range(3):
        assert terminal.send(NUMBER, f"disk {number} is full").status == 1
    ran = [terminal.send(NUMBER, f"disk {number} is full again") for number in range(4)]

    assert [one.json["deliveries"][0]["state"] for one in ran] == ["submitted"] * 3 + ["failed"]


# What is wrong with one message.

WRONG = [
    ("winnerlook", "-16", "an invalid number"),
    ("winnerlook", "-14", "a blocked recipient"),
    ("winnerlook", "-6", "a bad text"),
    ("ipyy", "1108", "an invalid number"),
    ("ipyy", "1109", "a blocked recipient"),
    ("ipyy", "2107", "a bad text"),
]


def standing(terminal, name):
    """Return how an account stands, and for how many failures in a row."""
    (found,) = [one for one in terminal.call("accounts", "--json").json if one["account"] == name]
    with closing(sqlite3.connect(terminal.home / "tocsin.db")) as store:
        ((body,),) = store.execute("SELECT body FROM health WHERE account = ?", (name,)).fetchall()
    return found["mode"], '"failures": []' in body


@pytest.mark.parametrize(("name", "code", "what"), WRONG, ids=[f"{one[0]}-{one[1]}" for one in WRONG])
def test_no_message_poisons_an_account(terminal, request, name, code, what):
    """Thirty in a row, each refused for its number or its text: the health of the account does not move."""
    vendor = request.getfixturevalue(name)
    terminal.configure(vendor)
    vendor.inject(Fault("code", value=code, times=None))
    numbers = [f"139000001{number:02}" for number in range(30)]
    for number in numbers:
        ran = terminal.send(number, "disk full on db1")
        assert ran.json["deliveries"][0]["state"] == "failed", what

    assert standing(terminal, name) == ("closed", True)
    vendor.clear_faults()
    assert terminal.send(OTHER, "disk full on db2").status == 0


@pytest.mark.parametrize("name", ["winnerlook", "ipyy"])
def test_a_vendor_that_never_answers_is_left(terminal, request, name):
    """Answers that are lost are the vendor's: after a few in a row its breaker is open."""
    vendor = request.getfixturevalue(name)
    terminal.configure(vendor)
    vendor.inject(Fault("reset", times=None, when="after"))
    for number in range(5):
        terminal.send(f"1390000010{number}", "disk full on db1")

    assert standing(terminal, name)[0] == "open"
