"""What `send` promises: the exact text on the exact phones, once, and ids by which it is found again."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SIGNATURE = "【Example】"
NUMBER = "13900000001"

TEXTS = {
    "plain": "disk full on db1",
    "lines": "line one\nline two\n\nline four",
    "carriage-returns": "one\r\ntwo\rthree",
    "emoji": "db1 is down 🔥👩‍🚒",
    "markup": "<b>load</b> <!-- high --> <?php <script>",
    "markup-with-carriage-returns": "<b>\r\nnext\rlast",
    "references": "&#60; &lt; &amp; &",
    "form": "a+b=c&d=%20 100% ?x;y#z",
    "quotes": "\"double\" 'single' `back` \\ \\n",
    "cdata": "]]> <![CDATA[x]]>",
    "blanks": "  \t around\t  ",
    "brackets": "【db1】 is down",
    "dash": "--now",
    "chinese": "数据库 db1 磁盘已满，请处理",
    "long": "very " * 200 + "long",
}
MANY = [f"139000{index:05}" for index in range(1200)]


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in TEXTS.items()])
def test_the_exact_text_reaches_the_exact_number_once(terminal, vendor, text):
    """What the operator typed is what one phone receives, signed, once; nobody else receives anything."""
    terminal.configure(vendor)

    ran = terminal.send(NUMBER, text)

    assert (ran.status, ran.err) == (0, "")
    assert [(one.number, one.text) for one in vendor.ledger.received] == [(NUMBER, text + SIGNATURE)]
    assert len(vendor.ledger.submits) == 1


def test_a_shell_hands_the_text_over_unchanged(terminal, vendor):
    """The arguments of a process carry a text as it was written, whatever it is made of."""
    terminal.configure(vendor)
    text = "".join(TEXTS.values())

    assert terminal.run("send", "--now", "--to", NUMBER, "--text", text).status == 0
    assert vendor.ledger.texts_to(NUMBER) == (text + SIGNATURE,)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1).filter(str.strip))
def test_any_text_arrives_as_written_or_is_refused_here(terminal, vendor, text):
    """A text without control characters arrives letter for letter, or no vendor ever hears of it."""
    vendor.ledger.clear()
    terminal.configure(vendor)

    ran = terminal.send(NUMBER, text)

    signed = vendor.ledger.texts_to(NUMBER)
    assert signed in ((), (text,), (text + SIGNATURE,))
    assert (ran.status, len(vendor.ledger.submits)) == ((0, 1) if signed else (1, 0))


def test_a_signature_of_the_text_is_kept(terminal, vendor):
    """A text that ends in a signature goes unchanged."""
    terminal.configure(vendor)

    assert terminal.send(NUMBER, "disk full【Other】").status == 0
    assert vendor.ledger.texts_to(NUMBER) == ("disk full【Other】",)


def test_validated_text_can_be_widened(terminal, vendor):
    """With `validated_text = "widen"` what a form would not pass is written in full width, by the form."""
    header = f"[accounts.{vendor.vendor}]\n"
    terminal.configure(vendor, swap={header: f'{header}validated_text = "widen"\n'})

    assert terminal.send(NUMBER, "load <b> & &#1;").status == 0
    assert vendor.ledger.texts_to(NUMBER) == (f"load ＜b> & ＆#1;{SIGNATURE}",)


@pytest.mark.parametrize("text", ["bell \x07", "escape \x1b[31m", "delete \x7f"])
def test_a_control_character_is_refused_here(terminal, vendor, text):
    """What no vendor can carry is refused in one sentence, and no request is made."""
    terminal.configure(vendor)

    ran = terminal.send(NUMBER, text)

    assert ran.status == 1
    assert "control character" in ran.err
    assert vendor.ledger.submits == ()


def test_the_json_of_send_and_every_way_back_to_it(terminal, vendor):
    """The contract's fields are there, and both kinds of id are found by status, list and explain."""
    terminal.configure(vendor)

    sent = terminal.run("send", "--now", "--json", "--to", NUMBER, "--to", "+8613900000002", "--text", "t").json

    assert sent.keys() >= {"id", "deliveries"}
    shown = [(one["to"], one["state"], one["account"]) for one in sent["deliveries"]]
    assert shown == [(f"+86{NUMBER}", "submitted", vendor.vendor), ("+8613900000002", "submitted", vendor.vendor)]
    first, second = (one["id"] for one in sent["deliveries"])
    for command in ("status", "explain"):
        told = terminal.call(command, sent["id"], "--json").json
        assert told["id"] == sent["id"]
        assert [one["id"] for one in told["deliveries"]] == [first, second]
        alone = terminal.call(command, second, "--json").json
        assert [one["to"] for one in alone["deliveries"]] == ["+8613900000002"]
    assert {one["id"] for one in terminal.call("list", "--json").json} == {first, second}


def test_what_people_see(terminal, winnerlook):
    """Without --json, `send` names the message and each recipient with its state; `status` shows the same."""
    terminal.configure(winnerlook)

    out = terminal.call("send", "--now", "--to", NUMBER, "--text", "t").out

    assert out.startswith("message ")
    for word in (f"+86{NUMBER}", "submitted", "winnerlook"):
        assert word in out
        assert word in terminal.call("status", out.split()[1]).out


@pytest.mark.parametrize("written", ["13900000001", "+86 139 0000 0001", "0086-139-0000-0001", "8613900000001"])
def test_a_number_is_read_in_each_usual_form(terminal, winnerlook, written):
    """However a mainland number is written, the same phone rings."""
    terminal.configure(winnerlook)

    assert terminal.call("send", "--now", "--to", written, "--text", "t").status == 0
    assert winnerlook.ledger.copies(NUMBER, f"t{SIGNATURE}") == 1


@pytest.mark.parametrize("way", ["file", "stdin", "group"])
def test_many_recipients_leave_in_few_submits(terminal, vendor, way):
    """1,200 recipients of one text leave in ceil(1200 / 500) submits, and each receives it once."""
    quoted = json.dumps(MANY)
    terminal.configure(vendor, more=f"\n[groups]\neverybody = {quoted}\n")
    (terminal.home / "numbers").write_text("# on call\n" + "\n".join(MANY) + "\n", encoding="utf-8")
    recipients = {"file": ("--to", "@numbers"), "stdin": ("--to", "@-"), "group": ("--group", "everybody")}[way]

    ran = terminal.run("send", "--now", "--json", *recipients, "--text", "t", stdin=",".join(MANY))

    assert (ran.status, ran.err) == (0, "")
    assert [len(submit.numbers) for submit in vendor.ledger.submits] == [500, 500, 200]
    assert sorted(one.number for one in vendor.ledger.received) == MANY
    assert len({one["id"] for one in ran.json["deliveries"]}) == 1200


def test_a_recipient_given_twice_receives_one_copy(terminal, vendor):
    """The same phone, however often and in whatever form it is named, is one recipient."""
    terminal.configure(vendor, more='\n[groups]\noncall = ["+8613900000001", "13900000002"]\n')

    sent = terminal.send([NUMBER, f"+86{NUMBER}"], "t", "--group", "oncall").json

    assert len(sent["deliveries"]) == 2
    assert sorted(one.number for one in vendor.ledger.received) == [NUMBER, "13900000002"]


@pytest.mark.parametrize("cls", ["otp", "critical"])
def test_urgent_groups_are_small(terminal, vendor, cls):
    """One lost answer may put at most 20 recipients of an otp or critical message in doubt."""
    terminal.configure(vendor)

    assert terminal.send(MANY[:45], "t", "--class", cls).status == 0
    assert [len(submit.numbers) for submit in vendor.ledger.submits] == [20, 20, 5]
    assert sorted(one.number for one in vendor.ledger.received) == MANY[:45]


def test_an_account_can_ask_for_smaller_submits(terminal, vendor):
    """`max_recipients` of an account's limits bounds its submits."""
    header = f"[accounts.{vendor.vendor}]\n"
    terminal.configure(vendor, swap={header: f"{header}limits = {{ max_recipients = 4 }}\n"})

    assert terminal.send(MANY[:10], "t").status == 0
    assert [len(submit.numbers) for submit in vendor.ledger.submits] == [4, 4, 2]


def test_without_now_it_is_durable_and_nobody_is_asked(terminal, vendor):
    """Exit 0 without --now means stored, queued, and not one request to a vendor."""
    terminal.configure(vendor)

    ran = terminal.call("send", "--json", "--to", NUMBER, "--text", "t", "--class", "otp", "--tag", "team=db")

    assert ran.status == 0
    assert [(one["state"], one["account"]) for one in ran.json["deliveries"]] == [("queued", None)]
    assert terminal.states() == ["queued"]
    assert vendor.ledger.submits == ()


def test_at_postpones_the_time_that_expiry_counts_from(terminal, winnerlook):
    """A message for later is queued, and its class's time begins then."""
    terminal.configure(winnerlook)

    at = ("--at", "2099-01-31T08:00+08:00")
    sent = terminal.call("send", "--json", "--to", NUMBER, "--text", "t", "--class", "otp", *at).json

    expires_at = datetime.fromisoformat(sent["deliveries"][0]["expires_at"])
    assert expires_at == datetime.fromisoformat("2099-01-31T08:05+08:00")


def test_an_extension_number_goes_where_it_can_be_carried(terminal, winnerlook, ipyy):
    """An account that takes no extension number is passed over, and the next one sends from it."""
    terminal.configure(winnerlook, ipyy, swap={'channel = "37"': 'channel = "37"\nencrypt = true'})

    assert terminal.send(NUMBER, "t", "--extension", "42").status == 0
    assert [(one.number, one.extension) for one in ipyy.ledger.received] == [(NUMBER, "42")]
    assert winnerlook.ledger.submits == ()
