"""When the next account gets a message, and when it must not: by the vendor's own word, never by guessing."""

from __future__ import annotations

import math

import pytest

from tocsin.sandbox import Fault

NUMBER, TEXT, SIGNED = "13900000001", "disk full on db1", "disk full on db1【Example】"

# The codes whose failover column is binding, some that nobody listed, and the vendors' internal errors.
MOVE_ON = [
    ("winnerlook", "-3"),
    ("winnerlook", "-7"),
    ("winnerlook", "-8"),
    ("winnerlook", "-13"),
    ("winnerlook", "-13 Invalid Ip"),
    ("winnerlook", "-99"),
    ("ipyy", "1005"),
    ("ipyy", "1006"),
    ("ipyy", "1007"),
    ("ipyy", "1111"),
    ("ipyy", "通道维护中"),
]
STOP = [("winnerlook", "-5"), ("winnerlook", "-16"), ("winnerlook", "-17"), ("ipyy", "1108"), ("ipyy", "2113")]
PROVE_NOTHING = [("winnerlook", "-1"), ("ipyy", "9999")]


@pytest.fixture
def pair(terminal, winnerlook, ipyy):
    """Configure both vendors in an order of choice; return them in that order."""

    def configure(first, **options):
        chosen = (winnerlook, ipyy) if first == "winnerlook" else (ipyy, winnerlook)
        terminal.configure(*chosen, **options)
        return chosen

    return configure


@pytest.mark.parametrize(("first", "code"), MOVE_ON)
def test_a_refusal_that_is_the_accounts_own_moves_on(terminal, pair, first, code):
    """What is wrong with one account is no reason not to send by the next: one copy, by the second."""
    refusing, second = pair(first)
    refusing.inject(Fault("code", value=code))

    ran = terminal.send(NUMBER, TEXT)

    assert (ran.status, ran.err) == (0, "")
    assert [(one["state"], one["account"]) for one in ran.json["deliveries"]] == [("submitted", second.vendor)]
    assert refusing.ledger.received == ()
    assert second.ledger.texts_to(NUMBER) == (SIGNED,)


@pytest.mark.parametrize(("first", "code"), STOP)
def test_a_refusal_of_the_message_stops(terminal, pair, first, code):
    """What is wrong with message or number is wrong everywhere: the second account is not asked."""
    refusing, second = pair(first)
    refusing.inject(Fault("code", value=code))

    ran = terminal.send(NUMBER, TEXT)

    assert (ran.status, ran.json["deliveries"][0]["state"]) == (1, "failed")
    assert ran.err.count("\n") == 1
    assert second.ledger.submits == ()


@pytest.mark.parametrize(("first", "code"), PROVE_NOTHING)
def test_an_internal_error_proves_nothing(terminal, pair, first, code):
    """The vendor's internal error may have come after it took the message: in doubt, and no copy elsewhere."""
    failing, second = pair(first)
    failing.inject(Fault("code", value=code))

    ran = terminal.send(NUMBER, TEXT)

    assert (ran.status, ran.json["deliveries"][0]["state"]) == (3, "in_doubt")
    assert second.ledger.submits == ()


@pytest.mark.parametrize("first", ["winnerlook", "ipyy"])
@pytest.mark.parametrize("lost", ["before", "after"])
def test_a_lost_answer_never_moves_on_at_once(terminal, pair, first, lost):
    """Whether or not the vendor took it, a lost answer leaves one doubt and sends no copy."""
    losing, second = pair(first)
    losing.inject(Fault("close", when=lost))

    assert terminal.send(NUMBER, TEXT).status == 3
    assert second.ledger.submits == ()
    assert losing.ledger.copies(NUMBER, SIGNED) == (lost == "after")


@pytest.mark.parametrize("first", ["winnerlook", "ipyy"])
def test_an_unreachable_vendor_moves_on(terminal, pair, first):
    """Where no byte left, the next account sends the one copy, and explain says why."""
    dark, second = pair(first)
    dark.go_dark()

    ran = terminal.send(NUMBER, TEXT)

    assert (ran.status, ran.err) == (0, "")
    assert ran.json["deliveries"][0]["account"] == second.vendor
    assert second.ledger.texts_to(NUMBER) == (SIGNED,)
    told = terminal.call("explain", ran.json["id"]).out
    assert f"{dark.vendor} was not reached (connect-refused)" in told


def test_a_refusal_behind_an_unreachable_vendor_is_a_refusal(terminal, pair):
    """Exit 4 is for those whom nobody reached; whom somebody refused is refused."""
    dark, second = pair("winnerlook")
    dark.go_dark()
    second.inject(Fault("code", value="1005"))

    ran = terminal.send(NUMBER, TEXT)

    assert ran.status == 1
    assert ran.err == (
        "tocsin: 1 of 1 failed: winnerlook: not sent, connect-refused, then ipyy: refused, authentication (1005)\n"
    )


@pytest.mark.parametrize("first", ["winnerlook", "ipyy"])
@pytest.mark.parametrize("place", [0, 7, 29])
def test_a_blocked_number_among_many_hurts_nobody_else(terminal, pair, first, place):
    """A culprit whom the vendor does not name is found by halving: all others receive one copy, it fails alone."""
    refusing, second = pair(first)
    numbers = [f"139000000{index:02}" for index in range(30)]
    refusing.set_terms(blocked=[numbers[place]])

    ran = terminal.send(numbers, TEXT)

    assert ran.status == 1
    failed = [one["to"] for one in ran.json["deliveries"] if one["state"] == "failed"]
    assert failed == [f"+86{numbers[place]}"]
    expected = [number for number in numbers if number != numbers[place]]
    assert sorted(one.number for one in refusing.ledger.received) == expected
    assert second.ledger.submits == ()
    # One submit at the top, and two for each level of halving.
    assert len(refusing.ledger.submits) <= 1 + 2 * math.ceil(math.log2(len(numbers)))


@pytest.mark.parametrize(("first", "code"), [("winnerlook", "-14"), ("winnerlook", "-16"), ("ipyy", "1108")])
def test_a_refused_group_is_halved_and_not_given_up(terminal, pair, first, code):
    """A refusal that names no culprit among several says nothing of any one of them: the halves are sent."""
    refusing, _ = pair(first)
    refusing.inject(Fault("code", value=code))
    numbers = [f"139000000{index:02}" for index in range(5)]

    assert terminal.send(numbers, TEXT).status == 0
    assert [len(submit.numbers) for submit in refusing.ledger.submits] == [5, 3, 2]
    assert sorted(one.number for one in refusing.ledger.received) == numbers


def test_a_lost_half_leaves_doubt_about_that_half_alone(terminal, winnerlook):
    """While a group is halved, an answer that is lost puts its own recipients in doubt and no others."""
    terminal.configure(winnerlook)
    winnerlook.inject(Fault("code", value="-14"))
    winnerlook.inject(Fault("reset", when="after"))
    numbers = [f"139000000{index:02}" for index in range(5)]

    ran = terminal.send(numbers, TEXT)

    assert ran.status == 3
    assert [one["state"] for one in ran.json["deliveries"]] == ["in_doubt"] * 3 + ["submitted"] * 2
    assert sorted(one.number for one in winnerlook.ledger.received) == numbers


def test_a_success_that_counts_fewer_is_accepted_and_flagged(terminal, ipyy):
    """A success that counts fewer than were sent and names none is accepted for all, and marked partial."""
    terminal.configure(ipyy)
    ipyy.inject(Fault("shape", value="count-short"))

    ran = terminal.send([NUMBER, "13900000002", "13900000003"], TEXT)

    assert (ran.status, terminal.states()) == (0, ["submitted"] * 3)
    told = terminal.call("status", ran.json["id"], "--json").json
    assert [attempt["partial"] for one in told["deliveries"] for attempt in one["attempts"]] == [True] * 3
    assert "fewer recipients" in terminal.call("explain", ran.json["id"]).out


def test_a_success_without_an_id_is_accepted_once(terminal, pair):
    """Success without an id is accepted, though no report will name it: never a second submit."""
    accepting, second = pair("ipyy")
    accepting.inject(Fault("shape", value="no-task-id"))

    ran = terminal.send(NUMBER, TEXT)

    assert (ran.status, terminal.states()) == (0, ["submitted"])
    told = terminal.call("status", ran.json["id"], "--json").json
    assert told["deliveries"][0]["attempts"][0]["vendor_id"] is None
    assert (len(accepting.ledger.submits), second.ledger.submits) == (1, ())


def test_alarms_are_told_to_those_who_watch(terminal, pair):
    """A refusal that somebody must act on raises an alarm in the log, though the message went another way."""
    refusing, _ = pair("winnerlook")
    refusing.inject(Fault("code", value="-99"))

    ran = terminal.call("-v", "send", "--now", "--to", NUMBER, "--text", TEXT)

    assert ran.status == 0
    alarms = [line for line in ran.err.splitlines() if "tocsin.alarm" in line]
    assert len(alarms) == 1
    assert "unrecognised" in alarms[0]
    assert "account=winnerlook" in alarms[0]
