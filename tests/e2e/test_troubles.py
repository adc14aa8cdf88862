"""Each trouble of one vendor, and the one honest end that it leads to.

The ledger holds the truth, the state what can be known of it, the exit status what a script may conclude, and standard
error says why in one sentence. Nothing is ever submitted twice.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tocsin.sandbox import Fault

WRONG_PASSWORD = {"winnerlook": "-3", "ipyy": "1005"}
NUMBER, TEXT, SIGNED = "13900000001", "disk full on db1", "disk full on db1【Example】"


class Row(NamedTuple):
    """A fault, what a phone receives of it, and why nobody knows; without a reason, everybody does."""

    kind: str
    when: str
    value: str = ""
    copies: int = 1
    why: str = ""


ROWS = (
    Row("reset", "before", copies=0, why="reset"),
    Row("reset", "after", why="reset"),
    Row("close", "before", copies=0, why="closed"),
    Row("close", "after", why="closed"),
    Row("status", "after", "302", why="HTTP status 302"),
    Row("status", "before", "404", copies=0, why="HTTP status 404"),
    Row("status", "before", "429", copies=0, why="HTTP status 429"),
    Row("status", "before", "500", copies=0, why="HTTP status 500"),
    Row("status", "after", "500", why="HTTP status 500"),
    Row("status", "after", "503", why="HTTP status 503"),
    Row("status-html", "after", "502", why="HTTP status 502"),
    Row("html", "before", copies=0, why="undecodable"),
    Row("html", "after", why="undecodable"),
    Row("empty", "before", copies=0, why="undecodable"),
    Row("empty", "after", why="undecodable"),
    Row("garbage", "after", why="charset"),
    Row("cut-headers", "after", why="cut-in-headers"),
    Row("truncated", "after", why="cut-in-body"),
    Row("truncated-close", "after", why="undecodable"),
    Row("oversized", "after", why="oversized"),
    # Not pretty, and yet answers: whole, in the vendor's grammar, and in a charset that can be told for certain. What
    # a client did not ask for (gzip), or mislabelled (GBK that says utf-8), it still reads in one way alone.
    Row("oversized", "after", "100000"),
    Row("drip", "after", "0.001"),
    Row("delay", "after", "0.1"),
    Row("gzip", "after"),
    Row("gb2312", "after"),
    Row("charset", "after"),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(filter(None, row[:3])))
def test_one_fault_one_honest_end(terminal, vendor, row):
    """After one submit the state is in doubt exactly where the answer proves nothing, and the exit status says so."""
    terminal.configure(vendor)
    vendor.inject(Fault(row.kind, when=row.when, value=row.value))

    ran = terminal.call("send", "--now", "--json", "--to", NUMBER, "--text", TEXT)

    state = "in_doubt" if row.why else "submitted"
    assert (ran.status, ran.json["deliveries"][0]["state"]) == (3 if row.why else 0, state)
    assert [line for line in ran.err.splitlines() if row.why not in line] == []
    assert len(ran.err.splitlines()) == bool(row.why)
    assert len(vendor.ledger.submits) == 1
    assert [(one.number, one.text) for one in vendor.ledger.received] == [(NUMBER, SIGNED)] * row.copies
    assert terminal.states() == [state]


# source: delivery.md, "Requests": 8 s to the first byte. The one test that waits so long, once for each vendor.
def test_silence_is_doubt(terminal, vendor):
    """A vendor that takes the message and never answers leaves doubt behind, and one copy."""
    terminal.configure(vendor)
    vendor.inject(Fault("silence"))

    ran = terminal.run("send", "--now", "--to", NUMBER, "--text", TEXT)

    assert ran.status == 3
    assert sentence(ran) == f"1 of 1 in doubt: nobody knows whether {vendor.vendor} took it (first-byte-timeout)"
    assert vendor.ledger.copies(NUMBER, SIGNED) == 1


def test_nobody_reachable(terminal, vendor):
    """Where nothing listens, exit 4 says that no byte left, and nothing stays queued."""
    terminal.configure(vendor)
    vendor.go_dark()

    ran = terminal.run("send", "--now", "--json", "--to", NUMBER, "--text", TEXT)

    assert (ran.status, ran.json["deliveries"][0]["state"]) == (4, "failed")
    assert sentence(ran) == f"1 of 1 failed: {vendor.vendor}: not sent, connect-refused"
    assert vendor.ledger.submits == ()
    assert terminal.states() == ["failed"]


def test_all_vendors_dark(terminal, winnerlook, ipyy):
    """Each account is tried, none is reached, and the one sentence names both."""
    terminal.configure(winnerlook, ipyy)
    winnerlook.go_dark()
    ipyy.go_dark()

    ran = terminal.run("send", "--now", "--to", NUMBER, "--text", TEXT)

    assert ran.status == 4
    assert sentence(ran) == (
        "1 of 1 failed: winnerlook: not sent, connect-refused, then ipyy: not sent, connect-refused"
    )


@pytest.mark.parametrize("verbosity", [(), ("-v",), ("-vv", "--debug")], ids=lambda words: " ".join(words) or "quiet")
def test_a_wrong_password_is_refused_and_never_shown(terminal, vendor, verbosity):
    """The vendor refuses it; neither the wrong password nor the right one stands in any output, in any mode."""
    terminal.secrets.add("not-the-password")
    terminal.configure(vendor, swap={"demo-password": "not-the-password"})

    ran = terminal.run(*verbosity, "send", "--now", "--to", NUMBER, "--text", TEXT)

    assert ran.status == 1
    assert sentence(ran) == f"1 of 1 failed: {vendor.vendor}: refused, authentication ({WRONG_PASSWORD[vendor.vendor]})"
    assert vendor.ledger.received == ()


def test_no_balance_is_a_refusal(terminal, vendor):
    """An account without balance refuses, and the sentence says so."""
    terminal.configure(vendor)
    vendor.set_terms(balance="0")

    ran = terminal.run("send", "--now", "--to", NUMBER, "--text", TEXT)

    assert ran.status == 1
    assert "refused, balance" in sentence(ran)
    assert vendor.ledger.received == ()


def test_no_signature_is_refused_here(terminal, vendor):
    """A text without a signature, by an account that has none, is refused without a request."""
    terminal.configure(vendor, swap={'signature = "【Example】"\n': ""})

    ran = terminal.run("send", "--now", "--json", "--to", NUMBER, "--text", TEXT)

    assert (ran.status, ran.json["deliveries"][0]["state"]) == (1, "failed")
    assert "signature" in sentence(ran)
    assert vendor.ledger.submits == ()


def test_a_signature_that_the_vendor_rejects(terminal, vendor):
    """The vendor's own word that the signature is wrong is a refusal, told with its code."""
    terminal.configure(vendor)
    code = {"winnerlook": "-5", "ipyy": "2113"}[vendor.vendor]
    vendor.inject(Fault("code", value=code))

    ran = terminal.run("send", "--now", "--to", NUMBER, "--text", TEXT)

    assert ran.status == 1
    assert sentence(ran) == f"1 of 1 failed: {vendor.vendor}: refused, signature ({code})"


def test_doubt_outweighs_refusal(terminal, vendor):
    """Of several ends the exit status tells the one that wants a person most; each recipient keeps its own."""
    header = f"[accounts.{vendor.vendor}]\n"
    terminal.configure(vendor, swap={header: f"{header}limits = {{ max_recipients = 1 }}\n"})
    vendor.set_terms(blocked=["13900000002"])

    assert terminal.send([NUMBER, "13900000002"], TEXT).status == 1

    vendor.inject(Fault("reset", after=2))
    ran = terminal.send([NUMBER, "13900000002", "13900000003"], TEXT)

    assert ran.status == 3
    assert [one["state"] for one in ran.json["deliveries"]] == ["submitted", "failed", "in_doubt"]
    assert [line.split(":")[1] for line in ran.err.splitlines()] == [" 1 of 3 failed", " 1 of 3 in doubt"]


def sentence(ran):
    """Return the one sentence on standard error; log lines stand before it."""
    (told,) = [line for line in ran.err.splitlines() if line.startswith("tocsin: ")]
    return told.removeprefix("tocsin: ")
