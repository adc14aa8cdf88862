"""Other people's plugins, installed as real distributions: broken ones take nobody down, good ones are first-class."""

from __future__ import annotations

import pytest

from tocsin.sandbox import Fault

NUMBER, TEXT, SIGNED = "13900000001", "disk full on db1", "disk full on db1【Example】"
SEND = ("send", "--now", "--json", "--to", NUMBER, "--text", TEXT)


def vendors(terminal):
    """Return what `vendors` lists: the available by name, and for the others their reasons by distribution."""
    ran = terminal.run("vendors", "--json")
    assert ran.status == 0
    available = {one["name"]: one for one in ran.json if one["available"]}
    return available, {one["distribution"]: one["reason"] for one in ran.json if not one["available"]}


BROKEN = {
    "missing-module": ("import a_library_that_is_not_there", "a_library_that_is_not_there"),
    "syntax-error": ("def send(:\n", "SyntaxError"),
    "no-hooks": ("", "describe_vendor"),
    "another-name": ("from tocsin_winnerlook import capabilities, describe_vendor, fits, send", "winnerlook"),
    "unknown-argument": (
        """
        from tocsin.plugin import hookimpl
        from tocsin_winnerlook import capabilities, describe_vendor, fits

        @hookimpl
        def send(account, submission, colour):
            return None
        """,
        "colour",
    ),
    "unknown-hook": (
        """
        from tocsin.plugin import hookimpl
        from tocsin_winnerlook import capabilities, describe_vendor, fits, send

        @hookimpl
        def snd(account):
            return None
        """,
        "snd",
    ),
    "describes-nothing": (
        """
        from tocsin.plugin import hookimpl
        from tocsin_winnerlook import capabilities, fits, send

        @hookimpl
        def describe_vendor():
            return {"name": "describes-nothing"}
        """,
        "describe_vendor",
    ),
    "describes-with-an-error": (
        """
        from tocsin.plugin import hookimpl
        from tocsin_winnerlook import capabilities, fits, send

        @hookimpl
        def describe_vendor():
            raise KeyError("acme")
        """,
        "KeyError",
    ),
}


def test_broken_plugins_take_nobody_down(terminal, install, winnerlook):
    """Each is listed as unavailable with its reason in one line, and everybody else sends."""
    for name, (source, _) in BROKEN.items():
        module = name.replace("-", "_")
        install(f"acme-{name}", {"tocsin.vendors": f"{name} = {module}"}, **{module: source})
    terminal.configure(winnerlook)

    available, reasons = vendors(terminal)
    sent = terminal.run(*SEND)

    assert available.keys() == {"winnerlook", "ipyy"}
    assert reasons.keys() == {f"acme-{name}" for name in BROKEN}
    assert [name for name, (_, word) in BROKEN.items() if word not in reasons[f"acme-{name}"]] == []
    assert [name for name, reason in reasons.items() if "\n" in reason] == []
    assert (sent.status, sent.err) == (0, "")
    assert winnerlook.ledger.copies(NUMBER, SIGNED) == 1


def test_a_plugin_that_wants_to_end_the_process_does_not(terminal, install, winnerlook):
    """A module that calls `sys.exit` when it is imported is one more broken plugin."""
    install("acme-sms", {"tocsin.vendors": "acme = acme"}, acme="raise SystemExit('no licence file')")
    terminal.configure(winnerlook)

    assert terminal.run(*SEND).status == 0
    assert "no licence file" in vendors(terminal)[1]["acme-sms"]


@pytest.mark.parametrize("distribution", ["zz-copycat", "aa-copycat"])
def test_a_duplicate_does_not_take_a_vendors_place(terminal, install, winnerlook, distribution):
    """Whatever a second distribution is called, the vendor's own plugin goes on; the other is listed, and why."""
    copycat = """
        from tocsin.plugin import hookimpl
        from tocsin_winnerlook import capabilities, describe_vendor, fits

        @hookimpl
        def send(account, submission):
            raise RuntimeError("not the vendor's plugin")
        """
    install(distribution, {"tocsin.vendors": "winnerlook = copycat"}, copycat=copycat)
    terminal.configure(winnerlook)

    available, reasons = vendors(terminal)

    assert "winnerlook" in available
    assert list(reasons) == [distribution]
    assert "already" in reasons[distribution]
    assert terminal.run(*SEND).status == 0
    assert winnerlook.ledger.copies(NUMBER, SIGNED) == 1


def test_an_account_of_a_broken_plugin_is_passed_over(terminal, install, winnerlook):
    """A route goes on behind the account of a plugin that is not there, and `explain` gives the plugin's reason."""
    install("acme-sms", {"tocsin.vendors": "acme = acme"}, acme="raise RuntimeError('no licence file')")
    terminal.configure(
        winnerlook,
        swap={'accounts = ["winnerlook"]': 'accounts = ["first", "winnerlook"]'},
        more='\n[accounts.first]\nvendor = "acme"\n',
    )

    sent = terminal.run(*SEND)

    assert (sent.status, sent.json["deliveries"][0]["account"]) == (0, "winnerlook")
    assert "no licence file" in terminal.run("explain", sent.json["id"]).out


def test_a_plugin_whose_send_is_at_fault_sends_nothing(terminal, install, winnerlook, ipyy):
    """What a plugin raises before any request is proof that nothing left: the next account gets the one copy."""
    faulty = """
        from tocsin.plugin import hookimpl
        from tocsin_ipyy import capabilities, fits, describe_vendor as _describe
        import attrs

        @hookimpl
        def describe_vendor():
            return attrs.evolve(_describe(), name="acme")

        @hookimpl
        def send(account, submission, now):
            raise RuntimeError(f"{submission.text} {submission.to[0].full} {account.settings.password.reveal()}")
        """
    install("acme-sms", {"tocsin.vendors": "acme = faulty"}, faulty=faulty)
    terminal.configure(ipyy, winnerlook, swap={'vendor = "ipyy"': 'vendor = "acme"'})

    sent = terminal.run("-vv", "--debug", *SEND)

    assert (sent.status, sent.json["deliveries"][0]["account"]) == (0, "winnerlook")
    assert ipyy.ledger.submits == ()
    assert winnerlook.ledger.copies(NUMBER, SIGNED) == 1


def test_middleware_rewrites_the_text(terminal, install, vendor):
    """What `rewrite_message` returns is what is stored and sent; the account's signature comes behind it."""
    stamp = """
        import attrs
        from tocsin.plugin import hookimpl

        @hookimpl
        def rewrite_message(message):
            return attrs.evolve(message, text=f"[prod] {message.text}")
        """
    install("stamp", {"tocsin.middleware": "stamp = stamp"}, stamp=stamp)
    terminal.configure(vendor)

    assert terminal.run(*SEND).status == 0
    assert vendor.ledger.texts_to(NUMBER) == (f"[prod] {SIGNED}",)


OBSERVER = """
    import os
    from tocsin.plugin import hookimpl

    @hookimpl
    def observe_outcome(notice):
        with open(os.environ["OBSERVED"], "a", encoding="utf-8") as file:
            file.write(f"{notice.delivery} {notice.account} {type(notice.outcome).__name__}\\n")
    """


def test_middleware_observes_every_outcome(terminal, install, winnerlook, ipyy):
    """`observe_outcome` is told of each attempt, in order, with delivery, account and outcome."""
    install("watch", {"tocsin.middleware": "watch = watch"}, watch=OBSERVER)
    terminal.configure(winnerlook, ipyy)
    terminal.environ["OBSERVED"] = str(terminal.home / "observed")
    winnerlook.inject(Fault("code", value="-7"))

    (delivery,) = terminal.run(*SEND).json["deliveries"]

    observed = (terminal.home / "observed").read_text(encoding="utf-8").splitlines()
    assert observed == [f"{delivery['id']} winnerlook Refused", f"{delivery['id']} ipyy Accepted"]


def test_an_observer_that_fails_changes_nothing(terminal, install, winnerlook):
    """An observer's error is logged without what it quotes; state and exit status stay as they are."""
    failing = """
        from tocsin.plugin import hookimpl

        @hookimpl
        def observe_outcome(notice):
            raise RuntimeError("13900000001 disk full on db1 demo-password")
        """
    install("watch", {"tocsin.middleware": "watch = failing"}, failing=failing)
    terminal.configure(winnerlook)

    sent = terminal.run("-v", *SEND)

    assert (sent.status, sent.json["deliveries"][0]["state"]) == (0, "submitted")
    assert "observer_failed" in sent.err


def test_middleware_that_fails_to_rewrite_rejects_the_message(terminal, install, winnerlook):
    """It is better not accepted than accepted without what was asked for: a sentence, and an empty store."""
    failing = """
        from tocsin.plugin import hookimpl

        @hookimpl
        def rewrite_message(message):
            raise RuntimeError(message.text)
        """
    install("stamp", {"tocsin.middleware": "stamp = failing"}, failing=failing)
    terminal.configure(winnerlook)

    sent = terminal.run(*SEND)

    assert (sent.status, sent.out) == (70, "")
    assert sent.err == "tocsin: plugin stamp: rewrite_message raised RuntimeError\n"
    assert terminal.states() == []
    assert winnerlook.ledger.submits == ()
