"""Laws of the table of failure codes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.plugin import Reason, Refused, Scope, Unknown
from tocsin_winnerlook.codes import REFUSALS, parse_failure

# Written from the document's tables and the rows that the product's design binds: scope, and whether to go elsewhere.
BINDING = {
    "-3": (Scope.ACCOUNT, True),
    "-5": (Scope.MESSAGE, False),
    "-7": (Scope.ACCOUNT, True),
    "-8": (Scope.ACCOUNT, True),
    "-13": (Scope.ACCOUNT, True),
    "-16": (Scope.RECIPIENT, False),
    "-17": (Scope.RECIPIENT, False),
}


def test_every_documented_code_is_known():
    """The table holds -3 and -5 to -23; -1 alone proves nothing."""
    assert set(REFUSALS) == {f"-{number}" for number in (3, *range(5, 24))}
    assert parse_failure("-1") == parse_failure("-1", 2) == Unknown("application-exception")


@pytest.mark.parametrize(("code", "traits"), BINDING.items())
def test_binding_rows(code, traits):
    """The rows that routing stands on blame what they should and fail over where that helps."""
    refused = parse_failure(code)

    assert isinstance(refused, Refused)
    assert (refused.reason.scope, refused.reason.elsewhere) == traits


@pytest.mark.parametrize("code", ["-3", "-7", "-13", "-21", "-22"])
def test_codes_that_somebody_must_act_on(code):
    """What only the account's owner can mend raises an alarm."""
    assert REFUSALS[code].alarm


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_hidden_culprit_asks_for_a_split(code):
    """A code about numbers that names none asks for a split of several; of one number it has its own reason."""
    hidden = code in {"-9", "-10", "-14", "-15", "-16", "-17"}

    assert parse_failure(code, 1) == Refused(REFUSALS[code], code)
    assert parse_failure(code, 2) == Refused(Reason.SPLIT if hidden else REFUSALS[code], code)
    assert REFUSALS[code] is not Reason.SPLIT


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_hidden_text_asks_for_a_split(code):
    """Of several texts, a code about one of them asks for a split, and -19 for each by itself; of one text neither."""
    hidden = code in {"-5", "-6", "-12", "-20", "-9", "-10", "-14", "-15", "-16", "-17"}
    other = Reason.ONE_BY_ONE if code == "-19" else REFUSALS[code]

    assert parse_failure(code, 2, 2) == Refused(Reason.SPLIT if hidden else other, code)
    assert parse_failure(code, 1, 1) == Refused(REFUSALS[code], code)


@pytest.mark.parametrize(
    ("value", "words"), [("-6:促销", "促销"), ("-6", ""), ("-13 Invalid Ip", "Invalid Ip"), ("-6:a:b\nc", "a:b\nc")]
)
def test_words_are_kept(value, words):
    """What stands behind a known code is kept to the letter, and never in a repr."""
    refused = parse_failure(value)

    assert isinstance(refused, Refused)
    assert refused.text == words
    assert not words or words not in repr(refused)


@pytest.mark.parametrize("number", sorted(set(range(100)) - {1, 3, *range(5, 24)}))
def test_unlisted_code_is_a_refusal_that_raises_an_alarm(number):
    """A bare negative number of one or two digits is a failure even where the document does not list it."""
    refused = parse_failure(f"-{number}")

    assert refused == Refused(Reason.UNRECOGNISED, f"-{number}")
    assert Reason.UNRECOGNISED.alarm


@given(st.text())
def test_other_values_are_no_failure(value):
    """A value that does not begin with a minus sign and a digit is no failure; nor is a longer number."""
    assert parse_failure(f"x{value}") is None
    assert parse_failure(f"-100{value}") is None
    assert parse_failure(f"-99 {value}") is None
    assert parse_failure(f"-٣{value}") is None
