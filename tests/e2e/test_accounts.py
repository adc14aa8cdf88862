"""An operator looks after the accounts: takes one out of use, brings it back, and has each prove that it delivers."""

from __future__ import annotations

import pytest

from tocsin.sandbox import Fault

NUMBER, OTHER = "13900000001", "13900000002"
DRILL = 'drill = { to = "13900000009", every = "1h", text = "are you there" }\nsignature'


@pytest.fixture
def pair(quick, winnerlook, ipyy):
    """Configure both vendors, polled often."""
    quick(winnerlook, ipyy)
    return winnerlook, ipyy


def _account(terminal, name):
    return next(one for one in terminal.call("accounts", "--json").json if one["account"] == name)


def test_a_drained_account_gets_nothing_until_it_is_resumed(terminal, pair):
    """`drain` holds for every process that opens the store; `resume` lifts it; both say what they did."""
    winnerlook, ipyy = pair

    drained = terminal.run("accounts", "drain", "winnerlook")
    sent = terminal.send(NUMBER, "disk full on db1")
    again = terminal.call("accounts", "drain", "winnerlook", "--json")
    resumed = terminal.call("accounts", "resume", "winnerlook")
    after = terminal.send(OTHER, "disk full on db2")

    assert (drained.status, drained.out.split(" until ")[0]) == (0, "winnerlook is out of use")
    assert [one["account"] for one in sent.json["deliveries"]] == ["ipyy"]
    assert winnerlook.ledger.texts_to(NUMBER) == ()
    assert again.json == {"account": "winnerlook", "was": "disabled", "mode": "disabled"}
    assert resumed.out == "winnerlook is in use again; it was out of use\n"
    assert [one["account"] for one in after.json["deliveries"]] == ["winnerlook"]
    assert len(ipyy.ledger.received) == 1


def test_the_operator_is_told_what_waits_for_a_drained_account(terminal, quick, winnerlook):
    """Where a route has no other account, `drain` says so; an account that nobody has is a usage error."""
    quick(winnerlook)

    drained = terminal.call("accounts", "drain", "winnerlook")

    assert drained.err == "tocsin: no other account is on all: what comes there waits\n"
    assert terminal.call("accounts", "drain", "nobody").status == 2
    assert terminal.call("accounts", "--json", "drain", "winnerlook").status == 2


def test_resume_closes_a_breaker(terminal, pair):
    """An account whose breaker is open stands so, with the time until when; the operator's word closes it."""
    winnerlook, _ = pair
    winnerlook.go_dark()
    for _ in range(3):
        terminal.send(NUMBER, "disk full on db1")
    opened = _account(terminal, "winnerlook")
    table = terminal.call("accounts").out

    resumed = terminal.call("accounts", "resume", "winnerlook", "--json")

    assert opened["mode"] == "open"
    assert opened["until"] > opened["since"]
    assert "breaker open until" in table
    assert resumed.json == {"account": "winnerlook", "was": "open", "mode": "closed"}
    assert _account(terminal, "winnerlook")["until"] is None


def test_an_account_shows_what_it_has_left_and_what_went_out(terminal, quick, winnerlook, ipyy):
    """Balance, floor, days left, what went out in 24 hours, and when it last delivered."""
    quick(winnerlook, ipyy, swap={"signature": 'price = "0.05"\nbalance_floor = "20"\nsignature'})
    assert _account(terminal, "ipyy")["balance"] == {
        "amount": None, "unit": None, "postpaid": None, "at": None, "fresh": False, "floor": "20", "days_left": None,
    }  # fmt: skip
    terminal.call("accounts", "drain", "winnerlook")
    terminal.send(NUMBER, "disk full on db1")
    terminal.call("reports", "--fetch")

    shown = _account(terminal, "ipyy")
    out = terminal.call("accounts").out

    assert (shown["balance"]["amount"], shown["balance"]["unit"], shown["balance"]["fresh"]) == (
        "9999",
        "messages",
        True,
    )
    assert shown["balance"]["days_left"] == "9979"
    assert shown["last_24h"] == {"messages": 1, "spent": "0.05"}
    assert shown["proved_at"] is not None
    assert (shown["quality"], _account(terminal, "winnerlook")["proved_at"]) == ([], None)
    assert "taken out of use" in out
    assert "floor 20, 9979 days left" in out


@pytest.mark.parametrize("name", ["winnerlook", "ipyy"])
def test_a_drill_proves_one_account_alone(terminal, pair, name):
    """The message goes through the account that is named, whichever the route prefers, and its report is awaited."""
    vendors = {sandbox.vendor: sandbox for sandbox in pair}

    ran = terminal.call("accounts", "test", name, "--to", NUMBER, "--text", "are you there", "--wait", "20s")

    assert (ran.status, ran.err) == (0, "")
    assert ran.out.splitlines()[-1] == f"{name}: it delivers"
    assert [step in ran.out for step in ("accepted as alert from drill", "report for attempt 1: delivered")] == [
        True,
        True,
    ]
    other = next(sandbox for vendor, sandbox in vendors.items() if vendor != name)
    assert vendors[name].ledger.texts_to(NUMBER) == ("are you there【Example】",)
    assert other.ledger.received == ()


def test_a_drill_that_is_not_delivered_is_refused(terminal, pair):
    """A failed report is exit 1: no other account takes it over."""
    winnerlook, ipyy = pair
    winnerlook.reports("failed", number=NUMBER)

    ran = terminal.call("accounts", "test", "winnerlook", "--to", NUMBER, "--wait", "20s", "--json")

    assert (ran.status, ran.json["state"]) == (1, "undelivered")
    assert ran.json["story"][-1]["what"] == "now undelivered"
    assert ipyy.ledger.received == ()


def test_a_drill_without_a_report_is_in_doubt(terminal, pair):
    """Taken, and silent until the end of the wait: exit 3."""
    pair[0].reports("never", number=NUMBER)

    ran = terminal.call("accounts", "test", "winnerlook", "--to", NUMBER, "--wait", "500ms")

    assert (ran.status, ran.out.splitlines()[-1]) == (3, "winnerlook: no report in time")


def test_a_drill_that_nobody_can_tell_about_is_in_doubt(terminal, pair):
    """The answer is lost, and no report comes: exit 3."""
    pair[0].reports("never", number=NUMBER)
    pair[0].inject(Fault("reset", operation="submit", when="after"))

    ran = terminal.call("accounts", "test", "winnerlook", "--to", NUMBER, "--wait", "500ms")

    assert (ran.status, ran.out.splitlines()[-1]) == (3, "winnerlook: nobody knows whether it took the message")


def test_a_drill_that_reaches_nobody_says_so(terminal, pair):
    """A dark vendor is exit 4, although another account would be there."""
    winnerlook, ipyy = pair
    winnerlook.go_dark()

    ran = terminal.call("accounts", "test", "winnerlook", "--to", NUMBER)

    assert (ran.status, ran.out.splitlines()[-1]) == (4, "winnerlook: it was not reached")
    assert ipyy.ledger.received == ()


def test_a_drill_goes_where_the_configuration_says(terminal, quick, winnerlook):
    """Without --to the account's own drill says to whom, and what; without either it is a usage error."""
    quick(winnerlook)
    assert terminal.call("accounts", "test", "winnerlook").status == 2
    quick(winnerlook, swap={"signature": DRILL})

    ran = terminal.call("accounts", "test", "winnerlook", "--wait", "20s")

    assert ran.status == 0
    assert winnerlook.ledger.texts_to("13900000009") == ("are you there【Example】",)


def test_a_drill_beside_a_worker_leaves_the_polls_to_it(terminal, pair, working):
    """Where a worker fetches the reports, the drill awaits them all the same, and disturbs nobody."""
    worker = working()

    ran = terminal.run("accounts", "test", "ipyy", "--to", NUMBER, "--wait", "20s")

    assert (ran.status, ran.err) == (0, "")
    ended = worker.end()
    assert ended.status == 0
    assert "tocsin.poll.failed" not in ended.err


def test_a_worker_holds_the_drill_and_follows_it(terminal, quick, working, winnerlook, ipyy):
    """The configured drill goes out by itself, once, and its report proves the account."""
    quick(winnerlook, ipyy)
    configured = terminal.config.read_text(encoding="utf-8")
    at = configured.rindex("signature")
    terminal.config.write_text(configured[:at] + DRILL + configured[at + len("signature") :], encoding="utf-8")
    worker = working()

    assert terminal.become("delivered") == ["delivered"]
    assert worker.end().status == 0
    again = working()
    assert _account(terminal, "ipyy")["proved_at"] is not None
    assert again.end().status == 0
    assert ipyy.ledger.texts_to("13900000009") == ("are you there【Example】",)
    assert winnerlook.ledger.received == ()


def test_who_opted_out_gets_nothing(terminal, pair):
    """An operator puts a number on the list and takes it off again; in between nothing is sent to it."""
    assert terminal.call("opt-outs").out == "nobody has opted out\n"

    added = terminal.call("opt-outs", "add", NUMBER)
    again = terminal.call("opt-outs", "add", NUMBER)
    refused = terminal.send(NUMBER, "buy now")
    listed = terminal.call("opt-outs", "--json").json
    table = terminal.call("opt-outs").out
    removed = terminal.call("opt-outs", "remove", NUMBER, "--json")
    absent = terminal.call("opt-outs", "remove", NUMBER)

    assert (added.out, again.out) == (
        "+8613900000001 gets no more messages\n",
        "+8613900000001 had opted out already\n",
    )
    assert (refused.status, refused.json["deliveries"][0]["state"]) == (1, "failed")
    assert "the recipient wants no more messages" in refused.err
    assert [(one["number"], one["account"], one["word"]) for one in listed] == [("+8613900000001", None, None)]
    assert "an operator" in table
    assert removed.json == {"number": "+8613900000001", "opted_out": False}
    assert absent.out == "+8613900000001 had not opted out\n"
    assert terminal.call("opt-outs", "add", "1").status == 2
    assert terminal.send(NUMBER, "thank you").status == 0


def test_a_word_puts_its_sender_on_the_list(terminal, pair):
    """Who answers with a word of the list is shown with it, and with the account that it came in through."""
    winnerlook, _ = pair
    winnerlook.reply(NUMBER, "td.")
    terminal.call("inbox", "--fetch")

    (one,) = terminal.call("opt-outs", "--json").json
    assert (one["number"], one["account"], one["word"]) == ("+8613900000001", "winnerlook", "TD")
    assert "TD, through winnerlook" in terminal.call("opt-outs").out
