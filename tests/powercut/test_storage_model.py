"""The laws of the disk that the proof puts the store on."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .damage import PATTERNS, SECTOR, Fill, in_order, render, sectors
from .disk import Disk, Inode, apply
from .draw import Drawer
from .image import LOG, moment_of
from .tape import STORE, Kind, Op

writes = st.builds(
    Op,
    st.just(Kind.WRITE),
    st.just(LOG),
    st.integers(0, 3 * SECTOR),
    st.binary(min_size=1, max_size=2 * SECTOR),
)
truncations = st.builds(Op, st.just(Kind.TRUNCATE), st.just(LOG), st.integers(0, 4 * SECTOR))
pendings = st.lists(writes, min_size=1, max_size=6)
dice = st.integers(0, 2**32).map(Random)
patterns = st.sampled_from(PATTERNS)
fills = st.sampled_from(list(Fill))


def inode_of(durable, pending):
    return Inode(bytearray(durable), list(pending))


@given(st.binary(max_size=3 * SECTOR), st.lists(writes | truncations, max_size=6))
def test_all_of_it_is_what_the_kernel_had(durable, pending):
    """Where all that is pending reached the disk, the file is as its process saw it; a sync comes to the same."""
    inode = inode_of(durable, pending)
    kernel = bytearray(durable)
    for op in pending:
        apply(kernel, op)

    assert render(inode, list(PATTERNS[0](pending, Random(0))), Fill.OLD, Random(0)) == kernel
    inode.sync()
    assert (inode.durable, inode.pending) == (kernel, [])


@given(st.binary(max_size=4 * SECTOR), pendings, patterns, fills, dice)
def test_what_was_not_written_does_not_change(durable, pending, pattern, fill, dice):
    """Outside the ranges of pending writes, every byte that was durable is there: powersafe overwrite."""
    found = render(inode_of(durable, pending), list(pattern(pending, dice)), fill, dice)
    written = {at for op in pending for at in range(op.at, op.at + len(op.data))}

    assert len(found) >= len(durable)
    assert all(found[at] == byte for at, byte in enumerate(durable) if at not in written)
    assert all(byte == 0 for at, byte in enumerate(found) if at >= len(durable) and at not in written)


@given(st.binary(max_size=4 * SECTOR), pendings, patterns, dice)
def test_old_and_new_bytes_alone_are_found(durable, pending, pattern, dice):
    """Without noise each byte is one that was durable, one that was written there, or a hole's zero."""
    found = render(inode_of(durable, pending), list(pattern(pending, dice)), Fill.OLD, dice)

    for at, byte in enumerate(found):
        candidates = {op.data[at - op.at] for op in pending if op.at <= at < op.at + len(op.data)}
        assert byte in candidates | {durable[at] if at < len(durable) else 0}


@given(pendings, patterns, dice)
def test_parts_cover_each_write_once(pending, pattern, dice):
    """Whatever the pattern, its parts are the pending writes, whole and in order."""
    covered = [(part.number, at) for part in pattern(pending, dice) for at in range(part.start, part.stop)]

    assert covered == [(number, at) for number, op in enumerate(pending) for at in range(len(op.data))]


@given(writes)
def test_sectors_are_the_disks(write):
    """A write is torn where the disk's sectors end, wherever it begins."""
    borders = [write.at + stop for _, stop in sectors(write)][:-1]

    assert all(border % SECTOR == 0 for border in borders)
    assert len(borders) == (write.at + len(write.data) - 1) // SECTOR - write.at // SECTOR


def test_a_write_may_end_at_any_byte():
    """In the course of a write the power may go after each of its bytes."""
    pending = [Op(Kind.WRITE, LOG, 0, b"0123456789")]
    cuts = {next(in_order(pending, Random(seed))).stop for seed in range(500)}

    assert cuts == set(range(11))


@given(st.binary(min_size=SECTOR, max_size=SECTOR), dice)
def test_neighbours_are_noise_on_a_worse_disk(durable, dice):
    """A disk that breaks SQLite's terms takes with a lost write what was durable in its sector."""
    pending = [Op(Kind.WRITE, LOG, 200, b"x" * 100)]
    found = render(inode_of(durable, pending), list(PATTERNS[1](pending, dice)), Fill.NOISE, dice, neighbours=True)

    assert found[:200] != durable[:200]
    assert found[300:] != durable[300:]


def disk_after(*ops):
    disk = Disk()
    for op in ops:
        disk.feed(op)
    return disk


def found_on(disk, count=200):
    return [image.files for image in Drawer().draw(disk, 1, count, Random(0))]


MADE = (
    Op(Kind.CREATE, STORE),
    Op(Kind.WRITE, STORE, 0, b"pages"),
    Op(Kind.SYNC, STORE),
    Op(Kind.SYNC_DIRECTORY),
)


def test_what_is_durable_is_in_every_image():
    """Where file and directory are synced there is one image but for noise in the shared memory, and it has all."""
    (files,) = found_on(disk_after(*MADE))

    assert files[STORE] == b"pages"


def test_a_name_may_be_lost_until_its_directory_is_synced():
    """A file that is synced may have no name after a power cut, where the directory is not."""
    found = [files.get(STORE) for files in found_on(disk_after(*MADE[:3]))]

    assert sorted(found, key=str) == [None, b"pages"] or set(map(bytes, filter(None, found))) == {b"pages"}
    assert None in found


def test_a_deleted_file_may_be_back():
    """A file whose deletion is not synced is there after one power cut, and gone after another."""
    log = (Op(Kind.CREATE, LOG), Op(Kind.WRITE, LOG, 0, b"frames"), Op(Kind.SYNC, LOG), Op(Kind.SYNC_DIRECTORY))
    found = [files.get(LOG) for files in found_on(disk_after(*MADE, *log, Op(Kind.UNLINK, LOG)))]

    assert None in found
    assert b"frames" in found


def test_a_new_file_and_the_deleted_one_of_its_name_are_two():
    """Where a log is deleted and made again, either is found, and never a mixture."""
    log = (Op(Kind.CREATE, LOG), Op(Kind.WRITE, LOG, 0, b"old frames"), Op(Kind.SYNC, LOG), Op(Kind.SYNC_DIRECTORY))
    again = (Op(Kind.UNLINK, LOG), Op(Kind.CREATE, LOG), Op(Kind.WRITE, LOG, 0, b"new"), Op(Kind.SYNC, LOG))
    found = {bytes(files.get(LOG, b"-")) for files in found_on(disk_after(*MADE, *log, *again))}

    assert found == {b"-", b"old frames", b"new"}


@pytest.mark.parametrize(
    ("further", "moment"),
    [
        ((), "quiet"),
        ((Op(Kind.WRITE, STORE, 0, b"page"),), "checkpoint"),
        ((Op(Kind.CREATE, LOG),), "names"),
        ((Op(Kind.CREATE, LOG), Op(Kind.SYNC_DIRECTORY), Op(Kind.WRITE, LOG, 0, b"header")), "append"),
        (
            (
                *(Op(Kind.CREATE, LOG), Op(Kind.SYNC_DIRECTORY), Op(Kind.WRITE, LOG, 0, b"header"), Op(Kind.SYNC, LOG)),
                Op(Kind.WRITE, LOG, 0, b"header"),
            ),
            "restart",
        ),
    ],
)
def test_moments_are_told_apart(further, moment):
    """What is under way is told from what is pending."""
    assert moment_of(disk_after(*MADE, *further)) == moment


def test_no_image_is_drawn_twice():
    """Images of one moment differ, and where there are no more, no more come."""
    disk = disk_after(*MADE, Op(Kind.WRITE, STORE, 0, b"x" * 600))
    drawn = [tuple(sorted((name, bytes(content)) for name, content in files.items())) for files in found_on(disk, 60)]

    assert len(drawn) == 60
    assert len(set(drawn)) == 60
