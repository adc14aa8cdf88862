"""Before anything is accepted: one bad word rejects the whole command, and one key makes one message."""

from __future__ import annotations

import json

import pytest

NUMBER, TEXT = "13900000001", "disk full on db1"
SEND = ("send", "--now", "--to", NUMBER, "--text", TEXT)


def test_a_key_makes_one_message(terminal, vendor):
    """The same command with the same key gives the same message, and the phone one copy."""
    terminal.configure(vendor)

    first = terminal.call(*SEND, "--key", "k", "--json")
    second = terminal.run(*SEND, "--key", "k", "--json")

    assert (first.status, second.status) == (0, 0)
    assert second.json["id"] == first.json["id"]
    assert [one["state"] for one in second.json["deliveries"]] == ["submitted"]
    assert len(vendor.ledger.submits) == 1


def test_a_key_of_a_queued_message_submits_it_once(terminal, vendor):
    """What a first command stored, the same command with --now submits: the same message, one copy."""
    terminal.configure(vendor)

    stored = terminal.call("send", "--to", NUMBER, "--text", TEXT, "--key", "k", "--json")
    sent = terminal.call(*SEND, "--key", "k", "--json")

    assert sent.json["id"] == stored.json["id"]
    assert terminal.states() == ["submitted"]
    assert len(vendor.ledger.submits) == 1


@pytest.mark.parametrize(
    "changed",
    [
        ("--to", "13900000002", "--text", TEXT),
        ("--to", NUMBER, "--text", "load is high"),
        ("--to", NUMBER, "--text", TEXT, "--class", "otp"),
        ("--to", NUMBER, "--text", TEXT, "--tag", "a=b"),
        ("--to", NUMBER, "--text", TEXT, "--extension", "1"),
        ("--to", NUMBER, "--text", TEXT, "--subject", "s"),
        ("--to", NUMBER, "--text", TEXT, "--at", "2099-01-01T00:00Z"),
    ],
    ids=" ".join,
)
def test_a_key_with_another_body_is_refused(terminal, winnerlook, changed):
    """A key that stands for another message is a usage error; neither message is sent again."""
    terminal.configure(winnerlook)
    assert terminal.call("send", "--to", NUMBER, "--text", TEXT, "--key", "k").status == 0

    ran = terminal.call("send", *changed, "--key", "k")

    assert (ran.status, ran.err.count("\n")) == (2, 1)
    assert "idempotency key" in ran.err
    assert terminal.states() == ["queued"]


def test_one_invalid_number_rejects_all(terminal, winnerlook):
    """The command names the place of what is no number, never the number, and accepts nothing."""
    terminal.configure(winnerlook)
    (terminal.home / "numbers").write_text("13900000002\n\n12345\n13900000003, 23900000000\n", encoding="utf-8")

    ran = terminal.run(
        "send", "--now", "--json", "--to", NUMBER, "--to", "1390000000", "--to", "@numbers", "--text", "t"
    )

    assert (ran.status, ran.out) == (2, "")
    for place in ("--to number 2", "numbers line 3", "numbers line 4"):
        assert place in ran.err
    assert not [number for number in ("12345", "23900000000", "1390000000") if number in ran.err]
    assert terminal.states() == []
    assert winnerlook.ledger.submits == ()


USAGE = {
    "no-recipient": ("send", "--now", "--text", TEXT),
    "no-text": ("send", "--now", "--to", NUMBER),
    "unknown-group": ("send", "--now", "--group", "nobody", "--text", TEXT),
    "missing-list": ("send", "--now", "--to", "@no-such-file", "--text", TEXT),
    "missing-attachment": ("send", "--now", "--to", NUMBER, "--text", TEXT, "--attach", "no-such-file"),
    "bad-time": ("send", "--to", NUMBER, "--text", TEXT, "--at", "tomorrow"),
    "bad-class": (*SEND, "--class", "urgent"),
    "bad-tag": (*SEND, "--tag", "team"),
    "bad-option": (*SEND, "--nwo"),
    "no-command": ("sned",),
    "bad-limit": ("list", "--limit", "0"),
    "bad-state": ("list", "--state", "lost"),
    "bad-filter": ("list", "--to", "12345"),
    "unknown-status": ("status", "00000000000000000000"),
    "unknown-delivery": ("status", "00000000000000000000.1"),
    "unknown-explain": ("explain", "nothing"),
    "unknown-balance": ("balance", "nobody"),
    "unknown-reports": ("reports", "nobody"),
    "unknown-reports-fetch": ("reports", "nobody", "--fetch"),
    "unknown-inbox": ("inbox", "nobody", "--fetch"),
    "route-without-number": ("route", "--class", "otp"),
    "route-bad-number": ("route", "--to", "12345"),
    "unknown-sandbox": ("sandbox", "nobody"),
}


@pytest.mark.parametrize("arguments", [pytest.param(words, id=name) for name, words in USAGE.items()])
def test_a_usage_error_accepts_nothing(terminal, winnerlook, arguments):
    """Whatever cannot be meant ends with exit 2, nothing on standard output, a sentence, and an empty store."""
    terminal.configure(winnerlook)

    ran = terminal.call(*arguments)

    assert (ran.status, ran.out) == (2, "")
    assert ran.err.strip()
    assert terminal.states() == []
    assert winnerlook.ledger.submits == ()


def test_no_route_is_a_usage_error(terminal, winnerlook):
    """A message that no route takes is not accepted, and neither are its other recipients."""
    terminal.configure(winnerlook, more='match = { prefix = "+86" }\n')

    ran = terminal.call(*SEND, "--to", "+441632960000")

    assert (ran.status, ran.err.count("\n")) == (2, 1)
    assert "no route" in ran.err
    assert terminal.states() == []
    assert winnerlook.ledger.submits == ()


def test_every_finding_of_a_configuration_at_once(terminal, winnerlook):
    """A configuration that cannot be used is told of in full: a line for each finding, with file and key path."""
    terminal.secrets.add("in-the-wrong-place")
    terminal.configure(
        winnerlook,
        swap={'insecure_http = "acknowledged"\n': "", 'channel = "37"': 'channel = ""\ncolour = "red"'},
        more='max_copies = "two"\n\n[groups]\noncall = ["12345"]\n\n[accounts.other]\nvendor = "nobody"\n'
        'password = "in-the-wrong-place"\n',
    )

    ran = terminal.run(*SEND)

    assert (ran.status, ran.out) == (2, "")
    lines = ran.err.splitlines()
    for path in (
        "accounts.winnerlook.insecure_http",
        "accounts.winnerlook.channel",
        "accounts.winnerlook.colour",
        "accounts.other.vendor",
        "groups.oncall",
        "max_copies",
    ):
        assert [line for line in lines if path in line and "tocsin.toml" in line], path
    assert winnerlook.ledger.submits == ()


@pytest.mark.parametrize("content", [None, "[store\n", "\xff"], ids=["missing", "no-toml", "no-utf-8"])
@pytest.mark.parametrize("command", ["send", "list", "check", "balance", "route"])
def test_a_configuration_that_cannot_be_read(terminal, content, command):
    """Each command that needs the configuration says in a sentence that there is none, and ends with 2."""
    if content is not None:
        terminal.config.write_bytes(content.encode("latin-1"))
    arguments = {"send": SEND, "route": ("route", "--to", NUMBER)}.get(command, (command,))

    ran = terminal.call(*arguments)

    assert (ran.status, ran.out) == (2, "")
    assert "tocsin.toml" in ran.err


@pytest.mark.parametrize("way", ["option", "option-before", "environment"])
def test_the_configuration_is_found_where_it_is_named(terminal, winnerlook, monkeypatch, way):
    """`--config` before or behind the command, or $TOCSIN_CONFIG, name the file; the store stands beside it."""
    terminal.configure(winnerlook)
    elsewhere = terminal.home / "etc"
    elsewhere.mkdir()
    file = terminal.config.rename(elsewhere / "sms.toml")
    if way == "environment":
        monkeypatch.setenv("TOCSIN_CONFIG", str(file))
    option = [] if way == "environment" else ["--config", str(file)]

    ran = terminal.call(*option, *SEND) if way == "option-before" else terminal.call(*SEND, *option)

    assert ran.status == 0
    assert (elsewhere / "tocsin.db").exists()
    assert len(winnerlook.ledger.received) == 1


def test_a_password_from_the_environment(terminal, winnerlook):
    """A password named by `{ env = … }` works, and its absence is a finding that names the variable."""
    terminal.configure(winnerlook, swap={json.dumps("demo-password"): '{ env = "SMS_PASSWORD" }'})

    missing = terminal.run(*SEND)
    found = terminal.run(*SEND, SMS_PASSWORD="demo-password")

    assert (missing.status, found.status) == (2, 0)
    assert "SMS_PASSWORD" in missing.err
    assert len(winnerlook.ledger.submits) == 1
