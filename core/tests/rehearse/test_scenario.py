"""A scenario's values: how long things take, and when troubles are there."""

from statistics import quantiles

import pytest

from tocsin.rehearse.scenario import Kind, Spread, Trouble
from tocsin.simulate.dice import dice_of


def test_a_spread_has_its_median_and_its_95th_percentile():
    """Of many draws one half lies below the median, and one in twenty above the 95th percentile."""
    dice = dice_of("spread")
    cuts = quantiles([Spread(2.0, 8.0).draw(dice) for _ in range(20_000)], n=20)

    assert cuts[9] == pytest.approx(2.0, rel=0.05)
    assert cuts[18] == pytest.approx(8.0, rel=0.05)


def test_a_spread_without_width_is_always_the_same():
    """Where median and 95th percentile are one, so is every draw."""
    assert {Spread(2.0, 2.0).draw(dice_of("any")) for _ in range(10)} == {2.0}


def test_a_trouble_is_there_from_its_beginning_to_before_its_end():
    """The beginning counts in, the end does not."""
    trouble = Trouble(account="first", kind=Kind.DARK, from_s=60, until_s=120)

    assert [trouble.at(at_s) for at_s in (59.9, 60, 119.9, 120)] == [False, True, True, False]


def test_a_trouble_comes_and_goes():
    """With a period it is there for a part of each, and its spans say the same."""
    trouble = Trouble(account="first", kind=Kind.DARK, from_s=60, until_s=400, every_s=100, for_s=30)

    assert [at_s for at_s in range(0, 500, 10) if trouble.at(at_s)] == [
        *(60, 70, 80),
        *(160, 170, 180),
        *(260, 270, 280),
        *(360, 370, 380),
    ]
    assert trouble.spans(1000) == [(60, 90), (160, 190), (260, 290), (360, 390)]
    assert trouble.spans(170) == [(60, 90), (160, 170)]
    assert trouble.spans(60) == []
