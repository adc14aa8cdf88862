"""Commands that change nothing at a vendor: what is installed, configured, chosen, and what has become of it all."""

from __future__ import annotations

import os
import stat

import pytest

from tocsin.sandbox import Fault

NUMBER, TEXT = "13900000001", "disk full on db1"

OPTIONS = {
    "init": ("--force",),
    "check": ("--online", "--json"),
    "demo": (),
    "send": (
        "--to", "--group", "--text", "--class", "--at", "--extension", "--subject", "--attach", "--tag", "--key",
        "--now", "--wait", "--json",
    ),
    "status": ("--json",),
    "list": ("--state", "--to", "--limit", "--json"),
    "explain": ("--json",),
    "balance": ("--json",),
    "reports": ("--fetch", "--json"),
    "inbox": ("--fetch", "--json"),
    "vendors": ("--json",),
    "route": ("--to", "--class", "--text", "--tag", "--source", "--at", "--test", "--json"),
    "worker": ("--drain",),
    "cancel": ("--json",),
    "call": ("--json",),
    "accounts": ("--json",),
    "accounts drain": ("--json",),
    "accounts resume": ("--json",),
    "accounts test": ("--to", "--text", "--class", "--wait", "--json"),
    "opt-outs": ("--json",),
    "opt-outs add": ("--json",),
    "opt-outs remove": ("--json",),
    "verify": ("--json",),
    "sandbox": ("--port", "--json"),
}  # fmt: skip


def test_help_lists_every_command(terminal):
    """`tocsin --help` ends with 0, names each command, and says where to start."""
    ran = terminal.run("--help")

    assert (ran.status, ran.err) == (0, "")
    assert [command for command in OPTIONS if " " not in command and f"  {command} " not in ran.out] == []
    assert "tocsin demo" in ran.out
    assert terminal.call("--version").out.startswith("tocsin")


@pytest.mark.parametrize(("command", "options"), OPTIONS.items(), ids=OPTIONS)
def test_help_names_every_option(terminal, command, options):
    """A command's help ends with 0, wants no configuration, says what it does, and names its options."""
    ran = terminal.call(*command.split(), "--help")

    assert (ran.status, ran.err) == (0, "")
    assert [option for option in (*options, "--config", "--help") if option not in ran.out] == []
    assert ran.out.splitlines()[2].startswith("  ")


def test_without_a_command_the_help_is_shown(terminal):
    """`tocsin` alone shows what can be asked of it, and is a usage error."""
    ran = terminal.call()

    assert ran.status == 2
    assert "Usage: tocsin" in ran.out + ran.err


def test_init_writes_a_file_that_loads(terminal):
    """What `init` writes is a configuration once its passwords are set, and is not overwritten unasked."""
    assert terminal.run("init").status == 0
    written = terminal.config.read_text(encoding="utf-8")

    without = terminal.run("check")
    passwords = {"WINNERLOOK_PASSWORD": "demo-password", "IPYY_PASSWORD": "demo-password"}
    checked = terminal.run("check", "--json", **passwords)
    again = terminal.run("init")

    assert without.status == 2
    assert "WINNERLOOK_PASSWORD" in without.err
    assert "IPYY_PASSWORD" in without.err
    assert (checked.status, checked.json["accounts"]) == (0, ["main", "backup"])
    assert (again.status, again.err.count("\n")) == (2, 1)
    assert terminal.config.read_text(encoding="utf-8") == written
    assert terminal.call("init", "--force").status == 0
    assert terminal.call("init", "no/such/directory/tocsin.toml").status == 2


def test_check_says_that_all_is_well(terminal, winnerlook, ipyy):
    """`check` reads the configuration and asks nobody; with --online each account answers for itself."""
    terminal.configure(winnerlook, ipyy)

    offline, online = terminal.call("check", "--json"), terminal.call("check", "--online", "--json")

    assert (offline.status, offline.json["online"]) == (0, None)
    assert offline.json["accounts"] == ["winnerlook", "ipyy"]
    assert online.status == 0
    assert [(one["account"], one["ok"]) for one in online.json["online"]] == [("winnerlook", True), ("ipyy", True)]
    assert "10000" in terminal.call("check", "--online").out


def test_check_online_tells_good_accounts_from_bad(terminal, winnerlook, ipyy):
    """An account with a wrong password is named with the vendor's word; the other is well."""
    terminal.configure(winnerlook, ipyy, swap={'user_id = "12"\naccount = "demo"': 'user_id = "12"\naccount = "demi"'})

    ran = terminal.call("check", "--online", "--json")

    assert ran.status == 1
    assert [(one["account"], one["ok"]) for one in ran.json["online"]] == [("winnerlook", True), ("ipyy", False)]
    assert ran.err == "tocsin: ipyy refused: authentication (Faild)\n"


def test_vendors_need_no_configuration(terminal):
    """Each installed vendor is listed with what it can do."""
    ran = terminal.run("vendors", "--json")

    assert ran.status == 0
    listed = {one["name"]: one for one in ran.json}
    assert {"winnerlook", "ipyy"} <= listed.keys()
    assert all(one["available"] for one in listed.values())
    assert listed["winnerlook"]["capabilities"]["max_recipients"] == 500
    assert listed["ipyy"]["capabilities"]["extension_digits"] == 5
    people = terminal.call("vendors").out
    assert "winnerlook" in people
    assert "500 recipients a request" in people


def test_route_tells_the_choice_and_stores_nothing(terminal, winnerlook, ipyy):
    """`route` names the account that would be chosen now and what is thought of each; nothing is stored or sent."""
    terminal.configure(winnerlook, ipyy)

    ran = terminal.call("route", "--to", NUMBER, "--json")

    assert ran.status == 0
    assert (ran.json["route"], ran.json["account"]) == ("all", "winnerlook")
    assert ran.json["why"]
    verdicts = [(one["account"], one["verdict"]) for one in ran.json["candidates"]]
    assert verdicts == [("winnerlook", "chosen"), ("ipyy", "eligible")]
    assert terminal.states() == []
    people = terminal.call("route", "--to", NUMBER).out
    assert "winnerlook" in people
    assert "chosen" in people


def test_route_tells_why_nobody_can(terminal, winnerlook, ipyy):
    """A number abroad can be carried by neither vendor; each one's reason is told, and exit 1 says so."""
    terminal.configure(winnerlook, ipyy)

    ran = terminal.call("route", "--to", "+441632960000", "--json")

    assert (ran.status, ran.json["account"]) == (1, None)
    assert [one["verdict"] for one in ran.json["candidates"]] == ["cannot_carry", "cannot_carry"]
    assert all("mainland" in one["detail"] for one in ran.json["candidates"])

    sent = terminal.call("send", "--now", "--to", "+441632960000", "--text", TEXT)

    assert sent.status == 1
    assert "mainland" in sent.err
    assert winnerlook.ledger.submits + ipyy.ledger.submits == ()


def test_routes_are_chosen_by_class_tag_and_prefix(terminal, winnerlook, ipyy):
    """The first route that fits takes the message; `route` and `send` agree on it."""
    second = '\n[[routes]]\nname = "rest"\naccounts = ["ipyy"]\n'
    terminal.configure(winnerlook, ipyy, more=f'match = {{ class = "otp", tags = {{ team = "db" }} }}\n{second}')

    for words, account in ((("--class", "otp", "--tag", "team=db"), "winnerlook"), (("--class", "otp"), "ipyy")):
        assert terminal.call("route", "--to", NUMBER, *words, "--json").json["account"] == account
        assert terminal.send(NUMBER, TEXT, *words).json["deliveries"][0]["account"] == account


@pytest.fixture
def history(terminal, winnerlook):
    """Leave four deliveries behind, each in another state, the newest last."""
    terminal.configure(winnerlook)
    winnerlook.set_terms(blocked=["13900000002"])
    terminal.send(NUMBER, TEXT)
    terminal.call("reports", "--fetch")
    terminal.send("13900000002", TEXT)
    winnerlook.inject(Fault("reset"))
    terminal.send("13900000003", TEXT)
    terminal.call("send", "--to", NUMBER, "--text", TEXT)


def test_list_shows_every_delivery_newest_first(terminal, history):
    """Without a filter each delivery in each state is listed."""
    listed = terminal.call("list", "--json").json

    assert [one["state"] for one in listed] == ["queued", "in_doubt", "failed", "delivered"]
    assert all(one.keys() >= {"id", "to", "state", "account"} for one in listed)


@pytest.mark.parametrize(
    ("words", "states"),
    [
        (("--state", "in_doubt"), ["in_doubt"]),
        (("--state", "parked"), []),
        (("--to", NUMBER), ["queued", "delivered"]),
        (("--to", "+86 139-0000-0001", "--state", "delivered"), ["delivered"]),
        (("--limit", "2"), ["queued", "in_doubt"]),
        (("--limit", "1", "--to", NUMBER), ["queued"]),
    ],
    ids=" ".join,
)
def test_list_filters(terminal, history, words, states):
    """Filters narrow the list, together as well; the order stays."""
    assert [one["state"] for one in terminal.call("list", *words, "--json").json] == states


def test_list_as_people_see_it(terminal, history):
    """The table shows whole numbers and states in words; an empty list is said in words."""
    people = terminal.call("list").out

    assert f"+86{NUMBER}" in people
    assert "in doubt" in people
    assert terminal.call("list", "--state", "parked").out == "no deliveries\n"


def test_explain_tells_every_attempt_and_why(terminal, winnerlook, ipyy):
    """The story holds each attempt with its outcome, and for each decision what was thought of every account."""
    terminal.configure(winnerlook, ipyy)
    winnerlook.inject(Fault("code", value="-7"))
    ipyy.inject(Fault("reset", when="after"))
    sent = terminal.send(NUMBER, TEXT).json
    terminal.call("reports", "--fetch")

    people = terminal.call("explain", sent["id"]).out
    (told,) = terminal.call("explain", sent["id"], "--json").json["deliveries"]

    for sentence in (
        "accepted as alert from cli, on route all",
        "decided to submit through winnerlook: the first account of the route that can take it [ipyy: eligible]",
        "attempt 1, winnerlook: refused, balance (-7)",
        "decided to submit through ipyy: winnerlook refused: balance (-7)",
        "outcome unknown, reset",
        "report for attempt 2: delivered",
        "now delivered",
    ):
        assert sentence in people
    attempts = [(one["account"], one["state"], one["reason"], one["report"]) for one in told["attempts"]]
    assert attempts == [("winnerlook", "refused", "balance", None), ("ipyy", "accepted", None, "delivered")]
    verdicts = [[(one["account"], one["verdict"]) for one in each["candidates"]] for each in told["decisions"]]
    assert verdicts == [
        [("winnerlook", "chosen"), ("ipyy", "eligible")],
        [("winnerlook", "already_tried"), ("ipyy", "chosen")],
    ]
    assert TEXT not in people


def test_explain_tells_why_an_account_was_passed_over(terminal, winnerlook, ipyy):
    """An account that cannot carry a message is judged with its reason, and no attempt is made of it."""
    terminal.configure(winnerlook, ipyy, swap={'channel = "37"': 'channel = "37"\nencrypt = true'})
    sent = terminal.send(NUMBER, TEXT, "--extension", "42").json

    assert "no encrypted method takes an extension number" in terminal.call("explain", sent["id"]).out


@pytest.mark.parametrize("command", ["status", "explain", "list"])
def test_what_is_shown_in_json_is_all_that_stands_on_standard_output(terminal, history, command):
    """With --json standard output is one document, whatever goes to standard error."""
    arguments = () if command == "list" else (terminal.call("list", "--json").json[1]["message"],)

    ran = terminal.call("-vv", command, *arguments, "--json")

    assert ran.status == 0
    assert ran.json


def test_the_store_belongs_to_its_owner(terminal, winnerlook):
    """Texts and numbers stand in the store, so nobody else may read it."""
    terminal.configure(winnerlook)
    before = os.umask(0o022)
    try:
        terminal.call("send", "--to", NUMBER, "--text", TEXT)
    finally:
        os.umask(before)

    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in terminal.home.glob("tocsin.db*")}
    assert [name for name, mode in modes.items() if mode & 0o077] == []
