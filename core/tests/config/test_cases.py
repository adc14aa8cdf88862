"""Files of policy tests: read whole or not at all, every finding at once."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tocsin.config.cases import NOON, load_cases
from tocsin.errors import ConfigError
from tocsin.model.message import MessageClass
from tocsin.model.phone import parse_number
from tocsin.policy.case import AccountState, Breaker, Case, Expectation
from tocsin.policy.judge import Verdict

CONFIG = """
[accounts.main]
vendor = "ipyy"
user_id = "12"
account = "demo"
password = { env = "IPYY_PASSWORD" }
[accounts.backup]
vendor = "ipyy"
user_id = "12"
account = "demo"
password = { env = "IPYY_PASSWORD" }
[[routes]]
name = "otp"
accounts = ["main", "backup"]
"""
HEAD = '[[case]]\nto = "13900000000"\n'
EVERYTHING = """
[[case]]
name = "everything"
to = "13900000000"
class = "otp"
text = "your code is 4711"
tags = { team = "db" }
source = "api"
at = "2026-11-25T03:00:00+08:00"
opted_out = true
accounts.main = { breaker = "half-open", drained = true, refused = true, disabled = true, tried = true }
accounts.backup = { balance = "12.5", used = { submits = 50, recipient = 3, spent = "9.95" }, quality = 40 }
expect = { account = "main", why = "its breaker", route = "otp", order = ["main", "backup"], verdict.main = "closed" }
"""


@pytest.fixture
def load(read, tmp_path):
    """Read a text as a file of cases."""

    def load(text):
        path = tmp_path / "cases.toml"
        path.write_text(text, encoding="utf-8")
        return load_cases(path, read(CONFIG))

    return load


def test_every_key_of_a_case_is_read(load):
    """Each key ends in the value that it stands for."""
    assert load(EVERYTHING) == (
        Case(
            name="everything",
            to=parse_number("13900000000"),
            cls=MessageClass.OTP,
            text="your code is 4711",
            tags={"team": "db"},
            source="api",
            at=datetime(2026, 11, 24, 19, tzinfo=UTC),
            opted_out=True,
            states={
                "main": AccountState(breaker=Breaker.HALF_OPEN, drained=True, refused=True, disabled=True, tried=True),
                "backup": AccountState(
                    balance=Decimal("12.5"), submits=50, recipient=3, spent=Decimal("9.95"), quality=40
                ),
            },
            expect=Expectation(
                account="main",
                why="its breaker",
                route="otp",
                order=("main", "backup"),
                verdicts={"main": Verdict.CLOSED},
            ),
        ),
    )


def test_what_is_left_out_is_as_plain_as_can_be(load):
    """Recipient and expectation are all that a case needs; TOML's own times are read, too."""
    first, second = load(HEAD + "expect = { none = true }\n" + HEAD + "at = 2026-11-25T03:00:00Z\nexpect.route = 'otp'")

    assert (first.name, first.cls, first.at, first.text) == ("case 1", MessageClass.ALERT, NOON, "test")
    assert (first.states, first.opted_out, first.expect) == ({}, False, Expectation(none=True))
    assert (second.name, second.at) == ("case 2", datetime(2026, 11, 25, 3, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("", "case: missing; expected at least one [[case]]"),
        ("[[csae]]", "case: missing; expected at least one [[case]]"),
        ("[[case]]\nexpect.none = true", "case[0].to: missing; expected a phone number"),
        ('[[case]]\nto = "1"\nexpect.none = true', 'case[0].to: expected a phone number such as "+8613900000000"'),
        (HEAD, 'case[0].expect: missing; expected a table such as { account = "…" }'),
        (
            HEAD + "expect = {}",
            "case[0].expect: expected at least one of account, none, why, route, order, verdict",
        ),
        (HEAD + 'expect.acount = "main"', 'case[0].expect.acount: unknown key; did you mean "account"?'),
        (HEAD + 'expect.account = "mian"', 'case[0].expect.account: no account is named "mian"; did you mean "main"?'),
        (HEAD + "expect.none = false", "case[0].expect.none: expected true, or nothing"),
        (
            HEAD + 'expect = { none = true, account = "main" }',
            "case[0].expect.none: expected either an account or none",
        ),
        (HEAD + 'expect.route = "sms"', 'case[0].expect.route: no route is named "sms"; there is "otp"'),
        (HEAD + "expect.order = []", "case[0].expect.order: expected at least one item in the list"),
        (
            HEAD + 'expect.verdict.main = "shut"',
            "case[0].expect.verdict.main: expected one of chosen, eligible, already_tried, rests, closed,"
            " cannot_carry, not_asked",
        ),
        (
            HEAD + 'expect.verdict.mian = "closed"',
            'case[0].expect.verdict.mian: no account is named "mian"; did you mean "main"?',
        ),
        (
            HEAD + 'accounts.mian.breaker = "open"\nexpect.none = true',
            'case[0].accounts.mian: no account is named "mian"; did you mean "main"?',
        ),
        (
            HEAD + 'accounts.main.breaker = "ajar"\nexpect.none = true',
            "case[0].accounts.main.breaker: expected one of closed, open, half-open",
        ),
        (
            HEAD + "accounts.main.used.submits = 1001\nexpect.none = true",
            "case[0].accounts.main.used.submits: expected a whole number from 0 to 1000, without quotes",
        ),
        (
            HEAD + 'at = "2026-11-25T03:00:00"\nexpect.none = true',
            "case[0].at: expected a time with its offset, such as 2027-01-31T08:00:00+08:00",
        ),
        (
            HEAD + 'at = "soon"\nexpect.none = true',
            "case[0].at: expected a time with its offset, such as 2027-01-31T08:00:00+08:00",
        ),
        (
            f'{HEAD}name = "one"\nexpect.none = true\n{HEAD}name = "one"\nexpect.none = true',
            'case[1].name: another case is named "one"',
        ),
        (HEAD + "expect.none = true\n[cases]", 'cases: unknown key; did you mean "case"?'),
        ("[[case]", "expected TOML: "),
    ],
)
def test_what_does_not_fit_is_named(load, text, finding):
    """A finding names the key and what was expected there; a file without a case tests nothing, and is one."""
    with pytest.raises(ConfigError) as error:
        load(text)

    assert error.value.findings[0].startswith(finding)


def test_every_finding_is_told_at_once(load):
    """Nothing hides behind the first finding, and no number is repeated."""
    with pytest.raises(ConfigError) as error:
        load('[[case]]\nto = "1397777777"\ncolour = 1\n[[case]]\nto = "13900000000"')

    assert len(error.value.findings) == 4
    assert "1397777777" not in str(error.value)


def test_a_file_that_is_not_there_is_a_finding(read, tmp_path):
    """A missing file ends as any that cannot be read."""
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read: No such file"):
        load_cases(tmp_path / "nowhere.toml", read(CONFIG))
