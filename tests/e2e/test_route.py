"""`tocsin route` asks "what if", and runs files of policy tests without store or vendor."""

from __future__ import annotations

import pytest

NUMBER = "13900000001"
CASES = """
[[case]]
name = "the first account has it"
to = "13900000001"
expect = { account = "winnerlook", route = "all" }

[[case]]
name = "its breaker is open"
to = "13900000001"
accounts.winnerlook.breaker = "open"
expect = { account = "ipyy", verdict.winnerlook = "closed", why = "its breaker is open" }
"""
WRONG = """
[[case]]
name = "the second one has it"
to = "13900000001"
expect.account = "ipyy"
"""


@pytest.fixture
def pair(terminal, winnerlook, ipyy):
    """Configure both vendors, the second one cheaper."""
    terminal.configure(winnerlook, ipyy, swap={"signature": 'price = "0.05"\nsignature'})


def test_route_shows_what_each_account_would_send(terminal, pair):
    """Text with its signature, segments and price, in the order of the strategy; eligible accounts, too."""
    text = "磁" * 64
    ran = terminal.call("route", "--to", NUMBER, "--text", text, "--json")
    people = terminal.call("route", "--to", NUMBER, "--text", text).out

    assert (ran.status, ran.json["strategy"], ran.json["accounts"]) == (0, "failover", ["winnerlook"])
    assert ran.json["candidates"] == [
        {"account": name, "verdict": verdict, "text": f"{text}【Example】", "segments": 2, "price": "0.10"}
        for name, verdict in (("winnerlook", "chosen"), ("ipyy", "eligible"))
    ]
    assert [word in people for word in ("segments", "price", "0.10", "【Example】")] == [True] * 4


def test_route_says_when_somebody_is_asked_again(terminal, pair):
    """Where every account is closed, exit 1; the time is told, and why each is closed."""
    for name in ("winnerlook", "ipyy"):
        terminal.call("accounts", "drain", name)

    ran = terminal.call("route", "--to", NUMBER, "--json")
    people = terminal.call("route", "--to", NUMBER)

    assert (ran.status, ran.json["account"], ran.json["accounts"]) == (1, None, [])
    assert ran.json["until"] is not None
    assert [one["verdict"] for one in ran.json["candidates"]] == ["closed", "closed"]
    assert people.out.count("an operator has taken it out of use") == 2
    assert "asked again at" in people.out


def test_route_asks_about_another_time_and_source(terminal, winnerlook, ipyy):
    """--at and --source are looked at as a route looks at them."""
    night = 'match = { hours = "22:00-06:00 Asia/Shanghai", source = "zabbix" }\n'
    terminal.configure(winnerlook, ipyy, more=night + '[[routes]]\nname = "day"\naccounts = ["ipyy"]\n')

    for words, route in (
        (("--at", "2027-01-31T23:00+08:00", "--source", "zabbix"), "all"),
        (("--at", "2027-01-31T23:00+08:00"), "day"),
        (("--at", "2027-01-31T12:00+08:00", "--source", "zabbix"), "day"),
    ):
        assert terminal.call("route", "--to", NUMBER, *words, "--json").json["route"] == route


def test_policy_tests_that_hold(terminal, pair):
    """All cases as expected: exit 0, a line to each; no store is made and no vendor asked."""
    (terminal.home / "cases.toml").write_text(CASES, encoding="utf-8")

    ran = terminal.run("route", "--test", "cases.toml")

    assert (ran.status, ran.err) == (0, "")
    assert [line.split(maxsplit=2)[-1] for line in ran.out.splitlines()] == [
        "the first account has it",
        "its breaker is open",
        "as expected",
    ]
    assert not (terminal.home / "tocsin.db").exists()


def test_a_policy_test_that_does_not_hold(terminal, pair):
    """A difference is exit 1, told as expected and found, with what was thought of each account."""
    (terminal.home / "cases.toml").write_text(CASES + WRONG, encoding="utf-8")

    ran = terminal.call("route", "--test", "cases.toml")
    document = terminal.call("route", "--test", "cases.toml", "--json")

    assert ran.status == document.status == 1
    assert ran.out.splitlines()[2:] == [
        "NOT SO       the second one has it",
        "    account: expected ipyy; found winnerlook",
        "    because: the first account of the route that can take it",
        "    winnerlook: chosen",
        "    ipyy: eligible",
        "1 of 3 cases found something else",
    ]
    assert (document.json["ok"], [one["ok"] for one in document.json["cases"]]) == (False, [True, True, False])
    assert document.json["cases"][2]["differences"] == [{"what": "account", "expected": "ipyy", "found": "winnerlook"}]


def test_a_file_that_cannot_be_read_is_a_usage_error(terminal, pair):
    """Every finding at once, exit 2; so are options that would be ignored, and a question without a number."""
    (terminal.home / "cases.toml").write_text("[[case]]\ncolour = 1\n[[case]]\n", encoding="utf-8")

    ran = terminal.call("route", "--test", "cases.toml")

    assert (ran.status, ran.err.count("\n"), ran.out) == (2, 5, "")
    assert terminal.call("route", "--test", "nowhere.toml").status == 2
    assert terminal.call("route", "--test", "cases.toml", "--to", NUMBER).status == 2
    assert terminal.call("route").status == 2
