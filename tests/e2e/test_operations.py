"""Extra operations, keyword lists, turns to ask, and what an account can carry, over the command line."""

import json

import pytest

from tocsin.sandbox import Fault


def also(setting):
    """Return what gives winnerlook's account a further setting."""
    channel = 'channel = "37"'
    return {channel: f"{channel}\n{setting}"}


def test_keywords_are_kept_and_screen_texts(terminal, winnerlook, ipyy):
    """A word on the fetched list keeps a text from that account; the other carries it; no reason says the word."""
    winnerlook.set_terms(keywords=["促销"])
    terminal.configure(winnerlook, ipyy)

    fetched = terminal.call("call", "winnerlook", "keywords", "--json")
    assert json.loads(fetched.out) == ["促销"]

    asked = json.loads(terminal.call("route", "--to", "13900000000", "--text", "今日促销", "--json").out)
    assert asked["account"] == "ipyy"
    reasons = [asked["why"], *(one.get("detail", "") for one in asked["candidates"])]
    assert any("word" in reason for reason in reasons)
    assert not [reason for reason in reasons if "促销" in reason]

    terminal.call("send", "--now", "--to", "13900000000", "--text", "今日促销")
    assert not winnerlook.ledger.submits
    assert ipyy.ledger.texts_to("13900000000") == ("今日促销【Example】",)


def test_encrypted_balances_keep_their_distance(terminal, winnerlook, ipyy):
    """Two encrypted balance queries are kept apart by us, so that the vendor never has to refuse the second."""
    terminal.configure(winnerlook, swap=also("encrypt = true"))

    first, second = (terminal.begin("balance", "--json") for _ in range(2))
    results = [process.communicate(timeout=60) for process in (first, second)]

    assert [process.returncode for process in (first, second)] == [0, 0]
    assert all(json.loads(out)[0]["amount"] for out, _ in results)
    assert sum(b"may ask its balance again" in error for _, error in results) == 1


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "answer lost"])
def test_a_changed_password_is_known_to_be_changed(terminal, ipyy, lost):
    """A change of password whose answer is lost is settled by asking with either password."""
    terminal.configure(ipyy)
    if lost:
        ipyy.inject(Fault("reset", operation="other", when="after"))

    changed = terminal.call("call", "ipyy", "change-password", "new=fresh-password", "--json")

    assert (changed.status, json.loads(changed.out)) == (0, {"changed": True})
    assert ipyy.terms.password == "fresh-password"


def test_a_change_that_never_arrived_is_known_not_to_be(terminal, ipyy):
    """A change of password whose request was lost is found not to have happened."""
    terminal.configure(ipyy)
    ipyy.inject(Fault("reset", operation="other", when="before"))

    changed = terminal.call("call", "ipyy", "change-password", "new=fresh-password", "--json")

    assert json.loads(changed.out) == {"changed": False}


@pytest.mark.parametrize(
    "arguments",
    [
        ("winnerlook", "nothing"),
        ("winnerlook", "keywords", "x=1"),
        ("nobody", "keywords"),
        ("winnerlook", "keywords", "x"),
    ],
)
def test_what_cannot_be_called_is_said(terminal, winnerlook, arguments):
    """An unknown account, operation or argument is a usage error in one sentence."""
    terminal.configure(winnerlook)

    assert terminal.call("call", *arguments).status == 2


def test_a_url_holds_fewer_numbers_than_a_form(terminal, winnerlook):
    """By GET a group is halved, without a request, until its URL fits; everybody gets one copy."""
    terminal.configure(winnerlook, swap=also('interface = "get"'))
    numbers = [f"139{index:08}" for index in range(300)]
    to = [word for number in numbers for word in ("--to", number)]

    sent = terminal.call("send", "--now", *to, "--text", "disk full", "--json")

    assert sent.status == 0
    assert sorted(one.number for one in winnerlook.ledger.received) == numbers
    assert all(one.accepted for one in winnerlook.ledger.submits)


def test_a_minimum_is_kept_by_the_choice(terminal, winnerlook, ipyy):
    """An account with a minimum of recipients takes a message to enough of them, and no smaller one."""
    terminal.configure(winnerlook, ipyy, swap=also("min_recipients = 2"))

    terminal.call("send", "--now", "--to", "13900000000", "--text", "one")
    terminal.call("send", "--now", "--to", "13900000000", "--to", "13900000001", "--text", "two")

    assert [one.text for one in ipyy.ledger.received] == ["one【Example】"]
    assert {one.text for one in winnerlook.ledger.received} == {"two【Example】"}


def test_the_vendor_keeps_a_time_to_send_at(terminal, winnerlook, ipyy):
    """`--now --at` hands the message to an account that can wait with it; one that cannot is not asked."""
    terminal.configure(winnerlook, ipyy)

    terminal.call("send", "--now", "--at", "2027-01-31T08:00+08:00", "--to", "13900000000", "--text", "good morning")

    assert not winnerlook.ledger.submits
    assert [one.planned for one in ipyy.ledger.submits] == ["2027-01-31 08:00:00"]


def test_a_multimedia_message_reaches_the_phone(terminal, ipyy, tmp_path):
    """Subject and attachments from the command line arrive as they are; nothing is appended to the container."""
    picture = tmp_path / "plan.gif"
    picture.write_bytes(bytes(range(256)))
    terminal.configure(ipyy)

    sent = terminal.call(
        "send", "--now", "--to", "13900000000", "--subject", "rota", "--attach", str(picture), "--json"
    )

    assert sent.status == 0
    (received,) = ipyy.ledger.received
    assert (received.subject, [(one.name, one.size) for one in received.attachments]) == ("rota", [("plan.gif", 256)])


def test_a_stale_stamp_is_renewed_once(terminal, ipyy):
    """An answer 1010 to an encrypted submit leads to one more submit with a fresh stamp, and one copy."""
    terminal.configure(ipyy, swap={'user_id = "12"': 'user_id = "12"\ninterface = "encrypted"'})
    ipyy.inject(Fault("code", operation="submit", value="1010"))

    sent = terminal.send("13900000000", "disk full")

    assert sent.status == 0
    assert [one.accepted for one in ipyy.ledger.submits] == [False, True]
    assert ipyy.ledger.copies("13900000000", "disk full【Example】") == 1


def test_a_stamp_that_is_never_right_moves_on(terminal, ipyy, winnerlook):
    """A second 1010 is the account's trouble: the next account takes the message."""
    terminal.configure(ipyy, winnerlook, swap={'user_id = "12"': 'user_id = "12"\ninterface = "encrypted"'})
    ipyy.inject(Fault("code", operation="submit", value="1010", times=9))

    sent = terminal.send("13900000000", "disk full")

    assert (sent.status, len(ipyy.ledger.submits)) == (0, 2)
    assert winnerlook.ledger.copies("13900000000", "disk full【Example】") == 1


INTERFACES = [("winnerlook", "post"), ("winnerlook", "get"), ("winnerlook", "soap11"), ("winnerlook", "soap12"),
              ("ipyy", "xml"), ("ipyy", "gbk"), ("ipyy", "json"), ("ipyy", "encrypted"), ("ipyy", "soap")]  # fmt: skip


@pytest.mark.parametrize(("name", "interface"), INTERFACES, ids=lambda value: value)
def test_every_interface_does_the_main_job(terminal, request, name, interface):
    """By every interface of every vendor: the exact text on the exact phone once, its report, a reply, the balance."""
    vendor = request.getfixturevalue(name)
    field = {"winnerlook": 'channel = "37"', "ipyy": 'user_id = "12"'}[name]
    terminal.configure(vendor, swap={field: f'{field}\ninterface = "{interface}"'})
    text = "磁盘 100% 满: db1 & db2 <b>'\"+?=/\n第二行"

    sent = terminal.send("13900000000", text)
    vendor.reply("13900000000", "收到 & ok")

    assert sent.status == 0
    assert vendor.ledger.texts_to("13900000000") == (f"{text}【Example】",)
    assert [one["state"] for one in terminal.call("reports", "--fetch", "--json").json] == ["delivered"]
    assert [one["text"] for one in terminal.call("inbox", "--fetch", "--json").json] == ["收到 & ok"]
    assert terminal.call("balance", "--json").json[0]["amount"]
