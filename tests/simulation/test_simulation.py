"""The simulator: no invariant is violated, every safeguard is missed, and one seed is one life everywhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.simulation.safeguards import MOST_SEEDS, catch, noticed
from tests.simulation.seeds import Journal, live_chunk, live_seeds

from tocsin.simulate.ablation import Ablation, Cut, without
from tocsin.simulate.ablations import ABLATIONS, PENDING, RULES
from tocsin.simulate.life import live
from tocsin.simulate.scenario import draw
from tocsin.simulate.seen import Kind
from tocsin.simulate.shrink import shrink

ROOT = Path(__file__).parents[2]
BY_NAME = {one.name: one for one in ABLATIONS}


def test_no_life_violates_anything_and_every_kind_of_fault_happens():
    """Whatever befalls workers, clients, vendors and the store, every invariant holds at every step.

    A fault that no life meets would prove nothing: a few hundred seeds see each of them. `make check` lives 2,000.
    """
    total = live_chunk(0, 300)

    assert total.violated == []
    assert total.events > 30_000
    assert set(total.seen) == {kind.value for kind in Kind}


@pytest.mark.parametrize("name", BY_NAME)
def test_each_safeguard_is_missed(name):
    """Without it a simulation violates something within a thousand seeds; that which is written down comes first."""
    caught = catch(name, first=[seed for known, seed in noticed().items() if known == name])

    assert caught.seed is not None, f"{MOST_SEEDS} lives went well without it"


def test_what_is_written_down_is_of_today():
    """Each name that is written down with its seed is an ablation's, and within a thousand."""
    assert set(noticed()) <= set(BY_NAME)
    assert all(0 <= seed < MOST_SEEDS for seed in noticed().values())


def test_no_rule_is_without_an_ablation():
    """Every rule of delivery, invariant and part of routing has one, but for those that are not built, by name."""
    covered = {rule for one in ABLATIONS for rule in one.rules}

    assert covered | set(PENDING) == set(RULES)
    assert PENDING == ("I15", "I16")
    assert covered.isdisjoint(PENDING)
    assert len(BY_NAME) == len(ABLATIONS)


def test_a_safeguard_is_put_back():
    """After a life without it, it is there again; a name that is gone is an error."""
    before = {(cut.owner, cut.name): vars(cut.owner)[cut.name] for one in ABLATIONS for cut in one.cuts}
    for one in ABLATIONS:
        with without(one):
            assert all(vars(cut.owner)[cut.name] is cut.instead for cut in one.cuts)
    assert before == {(owner, name): vars(owner)[name] for owner, name in before}

    with pytest.raises(LookupError), without(Ablation(name="x", rules=("T1",), cuts=(Cut(Ablation, "nobody", None),))):
        raise AssertionError("nothing was taken out")


TRACES = "from tests.simulation.seeds import live_chunk; print(f'{live_chunk(500, 12).digest:032x}')"


def test_a_seed_is_the_same_life_in_every_process():
    """The trace of a seed does not hang on the process, nor on how Python hashes its strings."""
    digests = {
        subprocess.run(
            [sys.executable, "-c", TRACES],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout.strip()
        for hash_seed in ("0", "1", "4711")
    }

    assert digests == {f"{live_chunk(500, 12).digest:032x}"}


def test_another_seed_is_another_life():
    """Traces tell lives apart."""
    assert len({live(draw(seed)).trace for seed in range(40)}) == 40


def test_a_violation_shrinks_and_replays():
    """A life that goes wrong is made small, goes wrong in the same way, and does so again."""
    ablation = BY_NAME["what was being sent is queued again"]
    seed = catch(ablation.name).seed
    whole = live(draw(seed), ablation)

    smallest, outcome = shrink(draw(seed), ablation)

    assert outcome.violated == whole.violated
    assert len(smallest.sendings) == 1
    assert live(smallest, ablation) == outcome
    assert live(smallest).violated == ""


def test_a_run_goes_on_where_it_was_stopped(tmp_path):
    """What the journal has is not lived again, and counts all the same."""
    path = tmp_path / "journal"
    journal = Journal(path)
    journal.note(600, live_chunk(600))
    told = []

    total = live_seeds(600, 100, Journal(path), told.append)

    assert told == [100]
    assert total == journal.done[600]
