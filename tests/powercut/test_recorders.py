"""The two recorders: what the one hears from within SQLite is what the other sees from without."""

import re

import pytest

from .recording import ROOT, Recording, scratch
from .strace import find_strace, read_log, watch
from .tape import Kind, load_tape

pytestmark = pytest.mark.xdist_group("powercut")


@pytest.fixture
def place():
    with scratch() as directory:
        (directory / "store").mkdir()
        yield directory


@pytest.fixture
def shim(recorder):
    """The name of the recorder within; skips where it is not to be had."""
    if recorder != "shim":
        pytest.skip("this Python's SQLite hides its functions, so that only strace can record it")
    return recorder


def test_shim_hears_what_the_kernel_is_asked(place, shim):
    """Every write, truncation, sync, and change of a name that strace sees is on the tape, in order, and no other."""
    if find_strace() is None:
        pytest.skip("strace is not installed, or may not trace here: nothing to compare the recorder with")
    recording = Recording(seed=3, share=0.1, by=shim)
    tape, log = place / "tape", place / "log"
    watch(recording.command("bounded log", place / "store", tape), log, ROOT)
    with log.open(encoding="ascii") as lines:
        seen = list(read_log(lines, place / "store", (), None))

    heard = [op for op in load_tape(tape).ops if op.kind is not Kind.ACKNOWLEDGE]
    assert heard == seen
    assert {op.kind for op in seen} >= {Kind.WRITE, Kind.TRUNCATE, Kind.SYNC, Kind.LINK, Kind.SYNC_DIRECTORY}


def test_strace_records_a_life_as_well():
    """Where only strace can record, its tape has an acknowledgement for each commit, in its place."""
    if find_strace() is None:
        pytest.skip("strace is not installed, or may not trace here")
    tape = Recording(seed=3, by="strace").of(["short"])

    assert tape.acknowledged[0].name == "open"
    assert len(tape.acknowledged) > 1
    assert all(op.rows for op in tape.acknowledged[1:])


def test_same_seed_same_tape(shim):
    """A life of the same seed writes the same bytes: a failure can be looked at again."""
    recording = Recording(seed=5, share=0.1, by=shim)
    first, second = (without_drawn_names(recording.of(["checkpoints"])) for _ in range(2))

    assert first == second


def without_drawn_names(tape):
    """The store is made under a name that the system draws."""
    return [op._replace(name=re.sub(r"^\.tocsin\.db-\w{8}", "new", op.name)) for op in tape.ops]
