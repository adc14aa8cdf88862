"""A message's id: twenty digits of Crockford's base 32, in the order of time."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tocsin.model.ids import new_message_id

DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

moments = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
draws = st.integers(0, 2**52 - 1)


def number_of(name):
    """Read an id as the number that it stands for, digit by digit."""
    number = 0
    for digit in name:
        number = number * 32 + DIGITS.index(digit)
    return number


@given(moments, draws)
def test_it_holds_its_moment_and_what_was_drawn(moment, drawn):
    """48 bits of milliseconds, then 52 drawn ones, the highest digit first."""
    name = new_message_id(moment, lambda _: drawn)

    assert len(name) == 20
    assert number_of(name) == int(moment.timestamp() * 1000) << 52 | drawn


@given(moments, draws, st.timedeltas(timedelta(milliseconds=2), timedelta(days=9999)), draws)
def test_ids_sort_as_their_moments_do(moment, drawn, later, drawn_then):
    """As texts, two milliseconds apart, whatever was drawn; what is nearer may share its first digits."""
    assert new_message_id(moment, lambda _: drawn) < new_message_id(moment + later, lambda _: drawn_then)


def test_the_first_and_a_known_one():
    """The lowest of all, and the highest of its first millisecond: 52 bits are ten digits and two bits."""
    assert new_message_id(EPOCH, lambda _: 0) == "0" * 20
    assert new_message_id(EPOCH, lambda _: 2**52 - 1) == "000000000" + "3" + "z" * 10
