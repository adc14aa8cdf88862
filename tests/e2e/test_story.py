"""A message's story through an outage: what closed an account, what it follows from, and what it cost."""

from __future__ import annotations

import pytest

from tocsin.sandbox import Fault

NUMBER, TEXT = "13900000001", "disk full on db1"


@pytest.fixture
def priced(quick, winnerlook, ipyy):
    """Configure both vendors with a price, and little patience in doubt."""
    quick(
        winnerlook,
        ipyy,
        swap={"strategy =": 'evidence_wait = "200ms"\nstrategy =', "poll =": 'price = "0.05"\npoll ='},
    )
    return winnerlook, ipyy


def _story(terminal, sent):
    """Return the sentences about a message's one delivery, and its document."""
    (told,) = terminal.call("explain", sent["id"], "--json").json["deliveries"]
    return [one["what"] for one in told["story"]], told


def test_an_open_breaker_is_told_with_its_end(terminal, priced):
    """Once three requests have failed, the next message's story says who was left out, why, and until when."""
    winnerlook, _ = priced
    winnerlook.go_dark()
    for last in range(2, 5):
        terminal.send(f"1390000000{last}", TEXT)

    sentences, _ = _story(terminal, terminal.send(NUMBER, TEXT).json)

    (decided,) = [one for one in sentences if one.startswith("decided")]
    why = "decided to submit through ipyy: the first account of the route that can take it"
    assert decided.startswith(f"{why} [winnerlook: its breaker is open until ")
    assert decided.endswith(" UTC]")


def test_what_is_passed_over_is_told(terminal, priced):
    """`send --now` cannot wait: where nobody else is there it goes through an open breaker, and the story says so."""
    winnerlook, _ = priced
    winnerlook.go_dark()
    for last in range(2, 5):
        terminal.send(f"1390000000{last}", TEXT)
    winnerlook.light_up()
    terminal.call("accounts", "drain", "ipyy")

    sentences, told = _story(terminal, terminal.send(NUMBER, TEXT).json)

    assert told["account"] == "winnerlook"
    (decided,) = [one for one in sentences if one.startswith("decided")]
    assert "the first account of the route that can take it, although its breaker is open until " in decided
    assert decided.endswith("[ipyy: an operator has taken it out of use]")


def test_what_was_not_taken_costs_nothing(terminal, priced):
    """Each attempt says what it follows from, and what its vendor bills; a refusal bills nothing."""
    winnerlook, _ = priced
    winnerlook.inject(Fault("code", value="-7"))

    sentences, told = _story(terminal, terminal.send(NUMBER, "磁" * 64).json)

    bills = [(one["trigger"], one["segments"], one["cost"]) for one in told["attempts"]]
    assert bills == [("first", 2, "0"), ("not_taken", 2, "0.10")]
    assert "attempt 1, winnerlook: refused, balance (-7)" in sentences
    (taken,) = [one for one in sentences if one.startswith("attempt 2")]
    assert taken.endswith("; 2 segments, 0.10")


def test_a_copy_out_of_doubt_says_which_it_is(terminal, priced, working):
    """Its decision says that it is the second of two, and whom nobody knows about."""
    winnerlook, ipyy = priced
    winnerlook.reports("never", number=NUMBER)
    winnerlook.inject(Fault("reset", operation="submit", when="after"))
    worker = working()
    sent = terminal.call("send", "--to", NUMBER, "--text", TEXT, "--json").json
    terminal.become("delivered")
    assert worker.end().status == 0

    sentences, told = _story(terminal, sent)

    assert [one["trigger"] for one in told["attempts"]] == ["first", "doubt"]
    (decided,) = [one for one in sentences if "copy 2 of 2" in one]
    assert decided == (
        "decided to submit through ipyy, as copy 2 of 2: nobody knows whether winnerlook took it (reset):"
        " its class sends by another account [winnerlook: already tried]"
    )
    assert len(ipyy.ledger.texts_to(NUMBER)) == 1


def test_a_message_that_waits_says_for_what(terminal, priced, start_worker):
    """Where every account is closed, the story says when somebody is asked again, and the reason stands beside it."""
    for name in ("winnerlook", "ipyy"):
        terminal.call("accounts", "drain", name)
    sent = terminal.call("send", "--to", NUMBER, "--text", TEXT, "--json", "--class", "critical").json
    worker = start_worker()
    assert worker.has_said("tocsin.worker.started")

    def put_off():
        return any("ask again at" in one for one in _story(terminal, sent)[0])

    assert terminal.until(put_off)
    assert worker.end().status == 0
    sentences, told = _story(terminal, sent)
    reason = "winnerlook and ipyy: an operator has taken it out of use"
    assert any(one.startswith("decided to ask again at ") and one.endswith(f"[{reason}]") for one in sentences)
    assert (told["state"], told["why"]) == (
        "queued",
        f"no account that can take it is open just now ({reason})",
    )
