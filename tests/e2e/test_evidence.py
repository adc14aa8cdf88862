"""What vendors say afterwards: reports that settle, replies as they were written, balances as they stand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tocsin.sandbox import Fault

NUMBER, TEXT, SIGNED = "13900000001", "disk full on db1", "disk full on db1【Example】"
OTHER = "13900000002"
REPORT_FIELDS = {"account", "to", "vendor_id", "state", "code", "at"}


def recent(moment):
    """Whether an ISO time is a few moments ago."""
    return abs(datetime.now(UTC) - datetime.fromisoformat(moment)) < timedelta(minutes=2)


def test_a_report_resolves_a_doubt(terminal, vendor):
    """The report of a submit whose answer was lost proves that it was taken: delivered, one copy, no doubt left."""
    terminal.configure(vendor)
    vendor.inject(Fault("reset", when="after"))
    sent = terminal.send(NUMBER, TEXT)
    assert (sent.status, terminal.states()) == (3, ["in_doubt"])

    fetched = terminal.run("reports", "--fetch", "--json")

    assert fetched.status == 0
    (row,) = fetched.json
    assert row.keys() >= REPORT_FIELDS
    submit = vendor.ledger.submits[0]
    shown = (row["account"], row["to"], row["vendor_id"], row["state"])
    assert shown == (vendor.vendor, f"+86{NUMBER}", submit.vendor_id, "delivered")
    assert recent(row["at"])
    assert terminal.states() == ["delivered"]
    assert vendor.ledger.copies(NUMBER, SIGNED) == 1


def test_reports_are_handed_out_once_and_kept(terminal, vendor):
    """A second fetch is empty, and changes nothing; without --fetch the stored rows are shown, as they came."""
    terminal.configure(vendor)
    terminal.send([NUMBER, OTHER], TEXT)

    fetched = terminal.call("reports", "--fetch", "--json")
    again = terminal.call("reports", vendor.vendor, "--fetch", "--json")
    stored = terminal.call("reports", vendor.vendor, "--json")

    assert {row["to"] for row in fetched.json} == {f"+86{NUMBER}", f"+86{OTHER}"}
    assert (again.status, again.json) == (0, [])
    assert sorted(stored.json, key=str) == sorted(fetched.json, key=str)
    assert terminal.states() == ["delivered", "delivered"]


def test_a_failed_report_is_told(terminal, vendor):
    """A report that says not delivered ends the delivery as undelivered, though the vendor had taken it."""
    terminal.configure(vendor)
    vendor.reports("failed")
    sent = terminal.send(NUMBER, TEXT, "--class", "notice")
    assert sent.status == 0

    (row,) = terminal.call("reports", "--fetch", "--json").json

    assert row["state"] == "undelivered"
    assert row["code"]
    assert terminal.states() == ["undelivered"]
    assert "not delivered" in terminal.call("explain", sent.json["id"]).out


def test_a_failed_report_after_a_doubt_is_told(terminal, vendor):
    """A report settles a doubt either way: what was taken and not delivered is undelivered, not lost."""
    terminal.configure(vendor)
    vendor.reports("failed")
    vendor.inject(Fault("close", when="after"))
    assert terminal.send(NUMBER, TEXT, "--class", "notice").status == 3

    assert [row["state"] for row in terminal.call("reports", "--fetch", "--json").json] == ["undelivered"]
    assert terminal.states() == ["undelivered"]


def test_a_late_report_is_waited_for(terminal, vendor):
    """While no report comes the delivery stays submitted; whenever it comes, it counts."""
    terminal.configure(vendor)
    vendor.reports("late", polls=2)
    terminal.send(NUMBER, TEXT)

    seen = [(terminal.call("reports", "--fetch", "--json").json, terminal.states()) for _ in range(3)]

    assert seen[:2] == [([], ["submitted"])] * 2
    assert [row["state"] for row in seen[2][0]] == ["delivered"]
    assert seen[2][1] == ["delivered"]


def test_no_report_proves_nothing(terminal, vendor):
    """Without a report a submitted delivery stays submitted, and one in doubt stays in doubt."""
    terminal.configure(vendor)
    vendor.reports("never")
    terminal.send(NUMBER, TEXT)
    vendor.inject(Fault("reset", when="after"))
    terminal.send(OTHER, TEXT)

    assert terminal.call("reports", "--fetch", "--json").json == []
    assert terminal.states() == ["in_doubt", "submitted"]


def test_each_recipient_has_a_report_of_its_own(terminal, vendor):
    """Of one submit some are delivered and some are not; each report settles its own delivery."""
    terminal.configure(vendor)
    vendor.reports("failed", number=OTHER)
    vendor.reports("never", number="13900000003")
    terminal.send([NUMBER, OTHER, "13900000003"], TEXT, "--class", "notice")

    terminal.call("reports", "--fetch")

    states = {one["to"]: one["state"] for one in terminal.call("list", "--json").json}
    assert states == {f"+86{NUMBER}": "delivered", f"+86{OTHER}": "undelivered", "+8613900000003": "submitted"}


def test_a_report_that_matches_nothing_is_shown_all_the_same(terminal, vendor, tmp_path_factory):
    """Every row of the answer is shown and stored, whoever had sent the message."""
    terminal.configure(vendor)
    terminal.send(NUMBER, TEXT)
    (terminal.home / "tocsin.db").rename(tmp_path_factory.mktemp("elsewhere") / "tocsin.db")

    fetched = terminal.call("reports", "--fetch", "--json")

    assert [(row["to"], row["state"]) for row in fetched.json] == [(f"+86{NUMBER}", "delivered")]
    assert terminal.call("reports", "--json").json == fetched.json
    assert terminal.states() == []


@pytest.mark.parametrize("shape", ["double-comma", "blanks", "no-last-bar"])
def test_reports_in_the_odd_forms_of_the_document(terminal, winnerlook, shape):
    """What the document's own examples do to the grammar of reports costs none of them."""
    terminal.configure(winnerlook)
    terminal.send([NUMBER, OTHER], TEXT)
    winnerlook.inject(Fault("shape", operation="reports", value=shape))

    assert len(terminal.call("reports", "--fetch", "--json").json) == 2
    assert terminal.states() == ["delivered", "delivered"]


@pytest.mark.parametrize("command", ["reports", "inbox", "balance"])
@pytest.mark.parametrize(
    ("kind", "status"), [("html", 3), ("empty", 3), ("reset", 3), ("status", 3), ("garbage", 3), ("truncated-close", 3)]
)
def test_a_query_without_a_readable_answer_is_told(terminal, vendor, command, kind, status):
    """An answer that proves nothing is never taken for an empty one: exit 3, a sentence, and no row."""
    terminal.configure(vendor)
    vendor.inject(Fault(kind, operation={"inbox": "inbound"}.get(command, command), when=None))
    fetch = () if command == "balance" else ("--fetch",)

    ran = terminal.call(command, *fetch, "--json")

    assert (ran.status, ran.json) == (status, [])
    assert ran.err.startswith(f"tocsin: {vendor.vendor}: ")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("command", [("reports", "--fetch"), ("inbox", "--fetch"), ("balance",), ("check", "--online")])
@pytest.mark.parametrize(("trouble", "status"), [("password", 1), ("dark", 4)])
def test_a_query_that_is_refused_or_reaches_nobody(terminal, vendor, command, trouble, status):
    """A refused query ends with 1, one that reaches nobody with 4, each with a sentence."""
    terminal.secrets.add("not-the-password")
    terminal.configure(vendor, swap={"demo-password": "not-the-password"} if trouble == "password" else None)
    if trouble == "dark":
        vendor.go_dark()

    ran = terminal.call(*command)

    assert ran.status == status
    assert {"password": "authentication", "dark": "connect-refused"}[trouble] in ran.err
    assert ran.err.count("\n") == 1


def test_one_account_in_trouble_keeps_nobody_waiting(terminal, winnerlook, ipyy):
    """Where one account fails, the other's rows are shown all the same, and the exit status tells of the trouble."""
    terminal.configure(winnerlook, ipyy)
    terminal.send(NUMBER, TEXT)
    ipyy.go_dark()

    reports = terminal.call("reports", "--fetch", "--json")
    balances = terminal.call("balance", "--json")

    assert (reports.status, [row["account"] for row in reports.json]) == (4, ["winnerlook"])
    assert (balances.status, [row["account"] for row in balances.json]) == (4, ["winnerlook"])


REPLIES = {
    "plain": "on my way",
    "carriage-return": "one\r\ntwo\rthree",
    "emoji": "👍🏽 ok",
    "commas": "yes, no,, maybe,",
    "bars": "a|b||c|",
    "markup": "<b>&amp; ]]></b>",
    "brackets": "收到【ops】",
    "empty": "",
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in REPLIES.items()])
def test_a_reply_comes_as_it_was_written(terminal, vendor, text):
    """A phone's words reach the operator letter for letter, with who and when, once; later they are still there."""
    terminal.configure(vendor)
    vendor.reply(NUMBER, text)
    vendor.reply(OTHER, "and another")

    fetched = terminal.call("inbox", "--fetch", "--json")

    assert fetched.status == 0
    assert fetched.json[0].keys() >= {"account", "from", "text", "at", "extension"}
    shown = [(row["account"], row["from"], row["text"]) for row in fetched.json]
    assert shown == [(vendor.vendor, f"+86{NUMBER}", text), (vendor.vendor, f"+86{OTHER}", "and another")]
    assert all(recent(row["at"]) for row in fetched.json)
    assert terminal.call("inbox", "--fetch", "--json").json == []
    assert sorted(terminal.call("inbox", vendor.vendor, "--json").json, key=str) == sorted(fetched.json, key=str)


def test_a_control_character_costs_no_reply(terminal, vendor):
    """A character that XML has no place for is replaced; the words around it and the other replies are kept."""
    terminal.configure(vendor)
    vendor.reply(NUMBER, "one\x01two")
    vendor.reply(OTHER, "three")

    texts = [row["text"] for row in terminal.call("inbox", "--fetch", "--json").json]

    assert texts == ["one\ufffdtwo", "three"]


def test_replies_in_the_odd_form_of_the_document(terminal, winnerlook):
    """Records that end in `|;`, as in an example of the document, are read as well."""
    terminal.configure(winnerlook)
    winnerlook.reply(NUMBER, "one")
    winnerlook.reply(OTHER, "two")
    winnerlook.inject(Fault("shape", operation="inbound", value="semicolon-end"))

    assert [row["text"] for row in terminal.call("inbox", "--fetch", "--json").json] == ["one", "two"]


def test_a_reply_to_an_extension_says_so(terminal, ipyy):
    """The extension that a reply came in on stands in its row."""
    terminal.configure(ipyy)
    ipyy.reply(NUMBER, "yes", extension="42")

    (row,) = terminal.call("inbox", "--fetch", "--json").json

    assert (row["text"], row["extension"]) == ("yes", "42")


def test_balances(terminal, winnerlook, ipyy):
    """Each account's balance has amount, unit and time; money is text, never a float."""
    terminal.configure(winnerlook, ipyy)
    winnerlook.set_terms(balance="12.30")

    ran = terminal.run("balance", "--json")

    assert ran.status == 0
    shown = [(one["account"], one["amount"], one["unit"], one["postpaid"]) for one in ran.json]
    assert shown == [("winnerlook", "12.30", "CNY", None), ("ipyy", "10000", "messages", False)]
    assert all(recent(one["at"]) for one in ran.json)


def test_a_negative_balance_is_healthy_where_it_is_postpaid(terminal, ipyy):
    """A postpaid account's negative balance is an amount, not an error, and it can send."""
    terminal.configure(ipyy)
    ipyy.set_terms(balance="-4", postpaid=True)

    ran = terminal.call("balance", "ipyy", "--json")

    assert (ran.status, [(one["amount"], one["postpaid"]) for one in ran.json]) == (0, [("-4", True)])
    assert "postpaid" in terminal.call("balance").out
    assert terminal.send(NUMBER, TEXT).status == 0


def test_evidence_as_people_see_it(terminal, vendor):
    """Without --json the same facts stand in tables; nothing to show is said in words."""
    terminal.configure(vendor)
    assert terminal.call("reports").out == "no reports\n"
    assert terminal.call("inbox").out == "no messages\n"
    terminal.send(NUMBER, TEXT)
    vendor.reply(NUMBER, "on my way")

    reports, inbox = terminal.call("reports", "--fetch").out, terminal.call("inbox", "--fetch").out

    assert f"+86{NUMBER}" in reports
    assert "delivered" in reports
    assert f"+86{NUMBER}" in inbox
    assert "on my way" in inbox
