"""Each safeguard taken out in turn, until a simulation notices."""

import multiprocessing
import tomllib
from pathlib import Path

import attrs

from tocsin.simulate.ablations import ABLATIONS
from tocsin.simulate.life import live
from tocsin.simulate.scenario import draw

MOST_SEEDS = 1000
NOTICED = Path(__file__).with_name("noticed.toml")


@attrs.frozen
class Caught:
    """How an ablation was noticed.

    Args:
        seed: the first that noticed; None where none did.
        what: what was violated, in words.
    """

    name: str
    seed: int | None
    what: str


def noticed():
    """Return of each safeguard, by name, a seed that was seen to notice."""
    return tomllib.loads(NOTICED.read_text(encoding="utf-8"))


def catch(name, first=()):
    """Do without a safeguard, seed after seed, until something is violated; `first` are looked at before the others."""
    ablation = next(one for one in ABLATIONS if one.name == name)
    for seed in (*first, *range(MOST_SEEDS)):
        outcome = live(draw(seed), ablation)
        if outcome.violated:
            return Caught(name, seed, outcome.what)
    return Caught(name, None, "nothing")


def catch_all(progress=lambda _: None, processes=2):
    """Take out each in turn; return how each was noticed, in the order of the list."""
    names = [one.name for one in ABLATIONS]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        caught = []
        for one in pool.imap(catch, names):
            caught.append(one)
            progress(1)
    return caught
