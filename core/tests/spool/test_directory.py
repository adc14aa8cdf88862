"""A spool's directory: files are there whole or not at all, come out in order, and odd ones harm nobody."""

import os
import stat
from datetime import UTC, datetime, timedelta

import pytest

from tocsin.errors import StoreFailed
from tocsin.spool.directory import MOST_BYTES, Spool

NOW = datetime(2026, 11, 21, 23, 33, 3, tzinfo=UTC)


@pytest.fixture
def place(tmp_path):
    return tmp_path / "tocsin.db.spool"


@pytest.fixture
def spool(place):
    return Spool(place, own=True)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_spool_of_ones_own_is_private(spool, place):
    """The directory is made when it is needed, for its owner alone, and so are the files."""
    assert spool.waiting(9) == ()
    spool.put(b"one", NOW)
    (name,) = spool.waiting(9)
    assert (mode(place), mode(place / name)) == (0o700, 0o600)
    assert spool.read(name) == b"one"
    assert os.listdir(place) == [name]


def test_a_shared_spool_lets_the_group_read(place):
    """In a directory that a group may write into, the group may read the files: the worker is another user."""
    place.mkdir()
    place.chmod(0o2770)
    spool = Spool(place, own=False)
    spool.put(b"one", NOW)
    (name,) = spool.waiting(9)
    assert mode(place / name) == 0o640


def test_a_shared_spool_is_not_made(place):
    """Who was told of a directory makes none: it would be nobody's but its maker's."""
    with pytest.raises(StoreFailed, match="cannot be written: No such file"):
        Spool(place, own=False).put(b"one", NOW)
    assert not place.exists()


def test_files_come_out_in_the_order_of_their_times(spool):
    """The oldest comes first, whichever was put in first; no more than asked for."""
    for later in (2, 0, 1):
        spool.put(str(later).encode(), NOW + timedelta(microseconds=later))
    assert [spool.read(name) for name in spool.waiting(9)] == [b"0", b"1", b"2"]
    assert [spool.read(name) for name in spool.waiting(2)] == [b"0", b"1"]


def test_nothing_half_written_is_handed_out(spool, place):
    """Hidden files, those set aside and those of anybody else are not taken up."""
    spool.put(b"one", NOW)
    (name,) = spool.waiting(9)
    (place / f".{name}").write_bytes(b"half")
    (place / "notes.txt").write_bytes(b"")
    spool.set_aside(name)
    assert spool.waiting(9) == ()
    assert (place / f"{name}.bad").read_bytes() == b"one"


def test_a_file_that_is_gone_is_no_trouble(spool, place):
    """Another may have been quicker: reading, removing and setting aside a file that is gone say nothing."""
    place.mkdir()
    assert spool.read("x.slip") is None
    spool.remove("x.slip")
    spool.set_aside("x.slip")


@pytest.mark.parametrize("kind", ["link", "pipe", "directory", "long"])
def test_what_is_no_file_of_ours_reads_as_empty(spool, place, kind, tmp_path):
    """A link, a pipe, a directory and a file beyond all measure are not followed, waited for, or read."""
    place.mkdir()
    odd = place / "x.slip"
    if kind == "link":
        (tmp_path / "secret").write_text("secret")
        odd.symlink_to(tmp_path / "secret")
    elif kind == "pipe":
        os.mkfifo(odd)
    elif kind == "directory":
        odd.mkdir()
    else:
        with odd.open("wb") as file:
            file.truncate(MOST_BYTES + 1)
    assert spool.read("x.slip") == b""


def test_one_takes_up_at_a_time(spool):
    """While one takes files up, no other does; where there is no spool, nobody needs to."""
    with spool.alone() as alone:
        assert not alone
    spool.put(b"one", NOW)
    with spool.alone() as first, spool.alone() as second:
        assert (first, second) == (True, False)
    with spool.alone() as again:
        assert again


def test_a_spool_that_cannot_be_written_says_so(place):
    """What stands in the way is told, and no hidden file is left."""
    place.write_text("a file")
    for own in (True, False):
        with pytest.raises(StoreFailed, match="cannot be written: Not a directory"):
            Spool(place, own=own).put(b"one", NOW)
    with pytest.raises(StoreFailed, match="cannot be read: Not a directory"):
        Spool(place, own=True).waiting(1)
