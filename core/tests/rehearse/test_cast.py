"""Parts and names: whom a scenario means in a configuration that it does not know."""

import pytest

from tocsin.rehearse.cast import behaviour_of, players, spoken_of, strangers, troubles_of
from tocsin.rehearse.scenario import Behaviour, Kind, Scenario, Trouble

ACCOUNTS = ("main", "backup", "spare")


def scenario(vendors=(), troubles=()):
    given = {name: Behaviour(accepts=accepts) for name, accepts in dict(vendors).items()}
    return Scenario(
        name="test",
        title="a test",
        duration_s=60,
        settles_s=60,
        traffic=(),
        vendors=given,
        troubles=tuple(Trouble(account=name, kind=Kind.DARK) for name in troubles),
    )


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("first", ("main",)),
        ("third", ("spare",)),
        ("last", ("spare",)),
        ("all", ACCOUNTS),
        ("backup", ("backup",)),
        ("fourth", ()),
        ("nobody", ()),
    ],
)
def test_parts_follow_the_order_of_the_configuration(part, expected):
    """A part is a place in the order in which the accounts are written; a name is a name."""
    assert players(part, ACCOUNTS) == expected


def test_a_name_counts_more_than_a_part():
    """An account that is called `first` is meant by that, wherever it stands."""
    assert players("first", ("main", "first")) == ("first",)


def test_a_name_counts_more_than_a_place_and_a_place_more_than_all():
    """The nearer word about a vendor's behaviour holds, however they are ordered."""
    spoken = scenario(vendors={"all": 0.1, "first": 0.2, "backup": 0.3})

    assert [behaviour_of(spoken, name, ACCOUNTS).accepts for name in ACCOUNTS] == [0.2, 0.3, 0.1]


def test_troubles_are_kept_in_their_order():
    """What troubles an account is what names it, its part or all."""
    spoken = scenario(troubles=("all", "second", "first"))

    assert [one.account for one in troubles_of(spoken, "main", ACCOUNTS)] == ["all", "first"]


def test_strangers_are_names_that_nobody_bears():
    """Neither a part nor an account: most likely a slip."""
    spoken = scenario(vendors={"mian": 1.0}, troubles=("first", "backup", "mian"))

    assert spoken_of(spoken) == ("mian", "first", "backup")
    assert strangers(spoken, ACCOUNTS) == ("mian",)
