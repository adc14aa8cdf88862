"""Canaries: whatever goes wrong, however much is asked for, no log line and no error holds a secret, number or text."""

from __future__ import annotations

import pytest

from tocsin.sandbox import Fault

NUMBER, TEXT, REPLY = "13912345678", "canary-in-a-text <b>", "canary-in-a-reply"
TROUBLES = (
    None,
    Fault("reset", operation="any", times=None, when="after"),
    Fault("html", operation="any", times=None, when="after"),
    Fault("garbage", operation="any", times=None, when="after"),
    Fault("truncated-close", operation="any", times=None),
    Fault("status", operation="any", times=None, when="after"),
)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda fault: fault.kind.value if fault else "none")
def test_no_command_shows_what_it_must_not(terminal, winnerlook, ipyy, trouble):
    """Every command, with -vv and --debug, in fair weather and foul: standard error holds no canary."""
    terminal.configure(winnerlook, ipyy, more=f'\n[groups]\noncall = ["{NUMBER}"]\n')
    terminal.private |= {NUMBER, TEXT, REPLY, "canary"}
    for vendor in (winnerlook, ipyy):
        vendor.reply(NUMBER, REPLY)
        if trouble is not None:
            vendor.inject(trouble)

    sent = terminal.call("-vv", "--debug", "send", "--now", "--group", "oncall", "--text", TEXT)

    assert sent.status == (0 if trouble is None else 3)
    assert "tocsin.send." in sent.err
    assert winnerlook.ledger.texts_to(NUMBER) == (f"{TEXT}【Example】",)  # the canaries did travel
    message = sent.out.split()[1]
    for command in (
        ("reports", "--fetch"),
        ("inbox", "--fetch"),
        ("balance",),
        ("check", "--online"),
        ("status", message),
        ("explain", message),
        ("list",),
        ("route", "--to", NUMBER, "--text", TEXT),
        ("vendors",),
    ):
        assert terminal.call("-vv", "--debug", *command).status in (0, 3)


@pytest.mark.parametrize("code", ["-6:canary", "-3", "-5", "-14", "-99"])
def test_a_vendors_words_are_not_repeated(terminal, winnerlook, code):
    """A refusal may quote the text; its code is shown, its words are not."""
    terminal.configure(winnerlook)
    terminal.private.add("canary")
    winnerlook.inject(Fault("code", value=code))

    ran = terminal.call("-vv", "--debug", "send", "--now", "--to", NUMBER, "--text", TEXT)

    assert ran.status == 1
    assert f"({code.partition(':')[0]})" in ran.err


def test_a_password_is_not_shown_by_a_finding(terminal, winnerlook):
    """A configuration error names the key of a secret, never its value."""
    terminal.configure(winnerlook, swap={"allow_inline_secrets = true\n": "", 'channel = "37"': "channel = true"})

    ran = terminal.call("-vv", "--debug", "check")

    assert ran.status == 2
    assert "accounts.winnerlook.password" in ran.err
