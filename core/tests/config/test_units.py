"""Durations, rates and amounts: what is read, what is not, and that nothing else is ever raised."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.config import units
from tocsin.config.findings import Findings, Unfit
from tocsin.model.account import Rate

PARSERS = (units.text, units.flag, units.duration, units.interval, units.rate, units.amount, units.price, units.budget)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("500ms", timedelta(milliseconds=500)),
        ("8s", timedelta(seconds=8)),
        ("5m", timedelta(minutes=5)),
        ("4h", timedelta(hours=4)),
        ("2d", timedelta(days=2)),
        ("0s", timedelta(0)),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text, length):
    """Milliseconds, seconds, minutes, hours and days."""
    assert units.duration(text) == length


@pytest.mark.parametrize(
    "value", ["", "5", "m", "5 m", "-5m", "+5m", "1.5h", "5M", "5min", "５m", "5m\n", 5, 5.0, True, []]
)
def test_nothing_else_is_a_duration(value):
    """No other notation is guessed at, neither a bare number nor a fraction."""
    with pytest.raises(Unfit, match="expected a duration such as"):
        units.duration(value)


@given(st.integers(0, 366 * 86_400_000))
def test_milliseconds_survive(count):
    """Every whole number of milliseconds up to the bound is read exactly."""
    if count < 10**9:
        assert units.duration(f"{count}ms") == timedelta(milliseconds=count)


@pytest.mark.parametrize(
    ("text", "rate"),
    [("50/s", Rate(50, 1)), ("3/3m", Rate(3, 180)), ("10/d", Rate(10, 86_400)), ("100/h", Rate(100, 3_600))],
)
def test_a_rate_is_a_count_in_a_window(text, rate):
    """A window without a number is one unit long."""
    assert units.rate(text) == rate


@pytest.mark.parametrize(
    "value", ["", "50", "0/s", "50/0s", "50/ms", "50 /s", "/s", "1.5/s", "-1/s", "50/s\n", 50, 0.5, True]
)
def test_nothing_else_is_a_rate(value):
    """A rate of none, a window of none and every other notation are refused."""
    with pytest.raises(Unfit, match="expected a rate such as"):
        units.rate(value)


@given(st.decimals(-(10**12), 10**12, places=4))
def test_an_amount_is_exact(exact):
    """A decimal in quotes is read digit for digit."""
    assert units.amount(f"{exact:f}") == exact


@pytest.mark.parametrize(
    "value", ["", "1e3", "NaN", "Infinity", "1,5", "1_000", ".5", "５", " 1", 10**15, True, None, []]
)
def test_nothing_else_is_an_amount(value):
    """Exponents, separators, infinities and other digits are refused, and so is what cannot be held exactly."""
    with pytest.raises(Unfit):
        units.amount(value)


@pytest.mark.parametrize("value", [0.1, 1.0, float("nan"), float("inf")])
def test_a_float_is_told_to_be_quoted(value):
    """A TOML float is never money, not even a whole one."""
    with pytest.raises(Unfit, match="in quotes"):
        units.amount(value)


def test_a_whole_number_is_an_amount():
    """An integer is exact as it stands."""
    assert units.amount(20) == Decimal(20)
    assert units.amount(-5) == Decimal(-5)


@given(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(),
        st.binary(),
        st.dates(),
        st.lists(st.integers()),
    )
)
def test_a_parser_raises_unfit_alone(value):
    """Whatever a parser is given, it returns or says what it expected."""
    for parser in PARSERS:
        findings = Findings()
        findings.parse("key", parser, value)

        assert all(line.startswith("key: expected ") for line in findings.lines)
