"""A vendor's own fields: by type, by validator, all at once, and without a secret in the words."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest

from tocsin.config.findings import Findings
from tocsin.config.secrets import SecretResolver
from tocsin.config.settings import read_settings
from tocsin.config.table import Table
from tocsin.model.account import Capabilities, Vendor
from tocsin.model.secret import Secret

CANARY = "canary-7f3a"


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


def _even(_: object, __: object, value: int) -> None:
    if value % 2:
        raise ValueError("expected an even number")


def _gossip(_: object, __: object, value: Secret) -> None:
    if value.reveal().startswith("canary"):
        raise ValueError(f"expected better than {value.reveal()}")


@attrs.frozen
class Window:
    size: int
    unit: str


@attrs.frozen(kw_only=True)
class Rich:
    word: str = ""
    even: int = attrs.field(default=0, validator=_even)
    exact: Decimal | None = None
    wait: timedelta = timedelta(0)
    colour: Colour = Colour.RED
    level: Literal["low", "high"] = attrs.field(default="low")
    names: tuple[str, ...] = ()
    headers: Mapping[str, str] = attrs.field(factory=dict)
    window: Window | None = None
    anything: Any = None
    _hidden: str = ""
    key: Secret | None = attrs.field(default=None, validator=attrs.validators.optional(_gossip))
    computed: int = attrs.field(init=False, default=7)

    @level.validator
    def _needs_colour(self, _: object, value: str) -> None:
        if value == "high" and self.colour is not Colour.BLUE:
            raise ValueError("expected low where the colour is not blue")


def settle(settings: type, content: dict) -> tuple[object | None, list[str]]:
    """Return the settings built from the content, and the findings."""
    vendor = Vendor(
        name="rich",
        title="Rich",
        settings=settings,
        base_url=None,
        capabilities=Capabilities(max_recipients=1, interfaces=("x",)),
    )
    findings = Findings()
    table = Table("accounts.a", content, findings)
    built = read_settings(
        table, vendor, SecretResolver(directory=Path(), environ={"KEY": "sound", "LEAK": CANARY}, allow_inline=True)
    )
    table.refuse_unasked()
    return built, findings.lines


def test_each_type_takes_its_own_notation():
    """Texts, numbers, amounts, durations, choices, lists, tables and secrets are written as everywhere in the file."""
    built, lines = settle(
        Rich,
        {
            "word": "w",
            "even": 4,
            "exact": "0.10",
            "wait": "5m",
            "colour": "blue",
            "level": "high",
            "names": ["a", "b"],
            "headers": {"x": "y"},
            "window": {"size": 3, "unit": "h"},
            "anything": [1],
            "hidden": "h",
            "key": {"env": "KEY"},
        },
    )

    assert lines == []
    assert built.key.reveal() == "sound"
    assert attrs.evolve(built, key=None) == Rich(
        word="w",
        even=4,
        exact=Decimal("0.10"),
        wait=timedelta(minutes=5),
        colour=Colour.BLUE,
        level="high",
        names=("a", "b"),
        headers={"x": "y"},
        window=Window(3, "h"),
        anything=[1],
        hidden="h",
    )


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ({"word": 1}, 'accounts.a.word: expected a text in quotes, such as "…"'),
        ({"even": "4"}, f"accounts.a.even: expected a whole number from {1 - 2**63} to {2**63 - 1}, without quotes"),
        ({"even": True}, f"accounts.a.even: expected a whole number from {1 - 2**63} to {2**63 - 1}, without quotes"),
        ({"even": 3}, "accounts.a.even: expected an even number"),
        (
            {"exact": 0.1},
            'accounts.a.exact: expected the amount in quotes, such as "0.10": a fraction without quotes is not exact',
        ),
        ({"wait": 5}, "accounts.a.wait: expected a duration such as 8s, 5m or 4h, in quotes"),
        ({"colour": "blu"}, 'accounts.a.colour: expected one of red, blue; did you mean "blue"?'),
        ({"level": "middle"}, "accounts.a.level: expected one of low, high"),
        ({"level": "high"}, "accounts.a.level: expected low where the colour is not blue"),
        ({"names": "ab"}, "accounts.a.names: expected a list such as [ … ]"),
        ({"names": ["a", 1]}, 'accounts.a.names[1]: expected a text in quotes, such as "…"'),
        ({"headers": {"x": 1}}, "accounts.a.headers['x']: expected a text in quotes, such as \"…\""),
        ({"headers": 1}, "accounts.a.headers: expected another kind of value"),
        ({"window": {"size": 1, "unit": 2}}, 'accounts.a.window.unit: expected a text in quotes, such as "…"'),
        ({"window": {"size": 1, "unit": "s", "x": 1}}, "accounts.a.window: expected another kind of value"),
        ({"key": {"env": "LEAK"}}, "accounts.a.key: expected another value"),
    ],
)
def test_what_does_not_fit_is_one_finding_at_its_field(content, line):
    """cattrs' refusals and the validators' own words become findings at the field's key path."""
    assert settle(Rich, content) == (None, [line])


def test_a_field_that_the_class_sets_itself_is_unknown():
    """What the settings class does not take (`init=False`) cannot be written."""
    assert settle(Rich, {"computed": 1})[1] == ["accounts.a.computed: unknown key"]


def test_fields_are_judged_all_at_once():
    """A field of the wrong kind hides neither a missing field nor one that its validator refuses."""

    @attrs.frozen(kw_only=True)
    class Three:
        number: str = attrs.field(validator=attrs.validators.matches_re("[0-9]+"))
        wrong: bool
        missing: str

    _, lines = settle(Three, {"number": "x", "wrong": "true"})

    assert [line.split(": ")[0] for line in lines] == ["accounts.a.wrong", "accounts.a.number", "accounts.a.missing"]


def test_what_spans_fields_is_judged_when_the_whole_is_built():
    """A class that refuses fields together is a finding of the account."""

    @attrs.frozen(kw_only=True)
    class Pair:
        low: int
        high: int

        def __attrs_post_init__(self) -> None:
            if self.low > self.high:
                raise ValueError("expected low to be at most high")

    assert settle(Pair, {"low": 2, "high": 1}) == (None, ["accounts.a: expected low to be at most high"])


def test_a_validator_that_tells_the_secret_is_not_repeated():
    """A vendor's words that hold the secret's value are replaced, wherever they are said."""

    @attrs.frozen(kw_only=True)
    class Chatty:
        key: Secret

        def __attrs_post_init__(self) -> None:
            raise ValueError(f"bad {self.key.reveal()}")

    assert settle(Chatty, {"key": {"env": "LEAK"}}) == (None, ["accounts.a: expected another value"])


def test_a_validator_sees_no_other_fields_secret():
    """A field that is judged by a secret is judged when the whole is built, where its words are watched."""

    @attrs.frozen(kw_only=True)
    class Nosy:
        key: Secret
        word: str = attrs.field()

        @word.validator
        def _like_the_key(self, _: object, value: str) -> None:
            if value != self.key.reveal():
                raise ValueError(f"expected {self.key.reveal()}")

    assert settle(Nosy, {"key": {"env": "LEAK"}, "word": "x"}) == (None, ["accounts.a: expected another value"])
    assert settle(Nosy, {"key": {"env": "KEY"}, "word": "sound"})[1] == []


def test_a_short_secret_does_not_silence_other_fields():
    """A password that happens to be part of a validator's words leaves those words as they are."""

    @attrs.frozen(kw_only=True)
    class Plain:
        even: int = attrs.field(validator=_even)
        key: Secret

    assert settle(Plain, {"key": "even", "even": 1})[1] == ["accounts.a.even: expected an even number"]
