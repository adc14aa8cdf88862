"""A sample of the power-cut proof, its controls, and the laws that its parts keep. `make powercut` runs all of it."""

from contextlib import closing

import pytest

from tocsin.outbox.sqlite_file import open_file

from .damage import PATTERNS, Fill
from .disk import Disk
from .image import Image, Moment
from .judge import Judge, Verdict
from .proof import TRIALS
from .table import render
from .tape import STORE
from .trial import Tally, examine

pytestmark = pytest.mark.xdist_group("powercut")


@pytest.fixture(scope="module")
def tried(laboratory):
    """Try what is named, with so many images."""

    def tried(name, images):
        if not TRIALS[name].can_run:
            pytest.skip("only the recorder within SQLite can end a process in its commit, and it is not to be had here")
        tally = Tally()
        for piece in TRIALS[name].prepare(laboratory, images):
            tally.add(examine(piece))
        return tally

    return tried


def test_power_cut_loses_nothing(tried):
    """Whenever the power goes, the store is as the last commit that returned left it, or the one under way."""
    tally = tried("power cut", 1200)

    assert tally.count() > 1100
    assert not tally.examples
    assert set(Moment) == {moment for moment, _ in tally.found}
    assert set(tally.damage) == {
        *(f"{pattern.__name__}, old" for pattern in PATTERNS),
        *(f"{pattern.__name__}, {fill.value}" for pattern in PATTERNS[1:] for fill in (Fill.ZEROS, Fill.NOISE)),
    }


def test_second_power_cut_loses_nothing(tried):
    """A store that a power cut left, and that was opened and written to, outlives the next one as well."""
    tally = tried("second power cut", 300)

    assert tally.count() > 200
    assert not tally.examples


def test_promise_of_the_next_process_is_durable(tried):
    """What a process finds in the log of one that was killed in its commit, and promises again, is durable by then."""
    tally = tried("killed in a commit", 200)

    assert tally.count() > 20
    assert not tally.examples


def test_control_normal_loses(tried):
    """With synchronous = NORMAL acknowledged transactions are lost, and nothing else goes wrong: the proof can fail."""
    tally = tried("synchronous=NORMAL", 200)

    assert tally.count(Verdict.LOST) > 40
    assert tally.rows_lost > 10
    assert tally.count(Verdict.HALF, Verdict.CORRUPT) == 0


def test_control_lying_disk_is_caught(tried):
    """Where one write is missing that a sync had covered, stores are found lost, and broken."""
    tally = tried("a sync that lies", 400)

    assert tally.count(Verdict.LOST) > 0
    assert tally.count(Verdict.HALF, Verdict.CORRUPT) > 0


def test_control_torn_neighbours_are_caught(tried):
    """A disk that breaks the terms that SQLite sets loses what was acknowledged: they bound what is proved."""
    tally = tried("no powersafe overwrite", 300)

    assert tally.count(Verdict.LOST) > 0


@pytest.mark.parametrize("verdict", [Verdict.LOST, Verdict.HALF, Verdict.CORRUPT])
def test_trial_that_finds_something_does_not_hold(verdict):
    """One image that is not sound among any number is enough, and so is a trial of no images at all."""
    tally = Tally()
    assert not any(trial.holds(tally) for trial in TRIALS.values())
    tally.found.update({(Moment.APPEND, Verdict.SOUND): 100_000, (Moment.QUIET, verdict): 1})

    assert not any(trial.holds(tally) for trial in TRIALS.values() if not trial.is_control)
    assert "NOT AS IT MUST BE" in render(dict.fromkeys(TRIALS, tally))


# what the judge sees


@pytest.fixture
def judge(laboratory, tmp_path):
    """A judge of the life's tape."""
    return Judge(laboratory.life("FULL")[1].acknowledged, tmp_path)


@pytest.fixture
def last(laboratory):
    """The files that the life left behind, all of them durable, as an image."""
    _, tape = laboratory.life("FULL")
    disk = Disk()
    for op in tape.ops:
        disk.feed(op)
    for inode in disk.names.values():
        inode.sync()
    files = {name: bytes(inode.durable) for name, inode in disk.names.items()}
    return Image(len(tape.ops), disk.acknowledged, Moment.QUIET, files, ())


def altered(image, path, statement):
    """Return the image with one statement carried out on it."""
    for name, content in image.files.items():
        (path / name).write_bytes(content)
    with closing(open_file(path / STORE)) as sql:
        sql.execute(statement)
    return image._replace(files={STORE: (path / STORE).read_bytes()})


def test_whole_store_is_sound(judge, last):
    """What a life left is sound, and takes another message."""
    assert judge.judge(last, goes_on=True).verdict is Verdict.SOUND


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit WHERE seq = 3",
        "DELETE FROM chapter WHERE seq = 1",
        "UPDATE delivery SET state = 'expired' WHERE id = (SELECT max(id) FROM delivery)",
        "UPDATE message SET text = text || '.' WHERE id = (SELECT max(id) FROM message)",
    ],
)
def test_part_of_a_transaction_is_seen(judge, last, tmp_path_factory, statement):
    """A store that is consistent, and lacks one row or one change of a transaction, is told from every whole one."""
    image = altered(last, tmp_path_factory.mktemp("altered"), statement)

    assert judge.judge(image).verdict is Verdict.HALF


def test_earlier_state_is_lost(judge, last):
    """A store as it was before a transaction that had returned has lost it, with its rows."""
    finding = judge.judge(last._replace(files={}))

    assert finding.verdict is Verdict.LOST
    assert finding.rows_lost > 100


def test_later_state_is_not_sound(judge, last):
    """A store that holds what was not asked for before the power went is no answer to that cut."""
    assert judge.judge(last._replace(acknowledged=last.acknowledged - 9)).verdict is Verdict.HALF


@pytest.mark.parametrize("damage", ["first page", "cut short"])
def test_damaged_store_is_corrupt(judge, last, damage):
    """A store that SQLite cannot read is corrupt."""
    store = last.files[STORE]
    store = store[: len(store) // 2] if damage == "cut short" else bytes(100) + store[100:]

    assert judge.judge(last._replace(files={STORE: store})).verdict is Verdict.CORRUPT
