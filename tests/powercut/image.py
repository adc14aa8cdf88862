"""A crash image: the files that a power cut leaves, and what was under way when it came."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import NamedTuple

from .disk import Disk, Inode
from .tape import STORE, Kind

LOG = f"{STORE}-wal"


class Moment(enum.StrEnum):
    """What was under way when the power went."""

    MAKING = "making"
    """The store has not got its name yet."""

    QUIET = "quiet"
    """Nothing: all is durable, and there is one image."""

    APPEND = "append"
    """Frames are written to the log."""

    CHECKPOINT = "checkpoint"
    """Pages are written to the store."""

    RESTART = "restart"
    """The log begins anew, or is cut off."""

    NAMES = "names"
    """A file has got its name, or lost it, and the directory is not synced."""


class Damage(NamedTuple):
    """What became of what was pending of one file."""

    name: str
    pending: int
    pattern: str
    fill: str


class Image(NamedTuple):
    """What is found when the power is back.

    Args:
        cut: how many operations of the tape had happened.
        acknowledged: how many transactions had returned.
        files: their content, by name.
        damage: of each file of which something was pending.
    """

    cut: int
    acknowledged: int
    moment: Moment
    files: Mapping[str, bytes | bytearray]
    damage: tuple[Damage, ...]


def moment_of(disk: Disk) -> Moment:
    """Say what is under way."""
    if STORE not in disk.names:
        return Moment.MAKING
    if any(len(disk.versions.get(name, ())) > 1 for name in (STORE, LOG)):
        return Moment.NAMES
    if disk.names[STORE].pending:
        return Moment.CHECKPOINT
    if LOG not in disk.names or not disk.names[LOG].pending:
        return Moment.QUIET
    return Moment.RESTART if _restarts(disk.names[LOG]) else Moment.APPEND


def _restarts(log: Inode) -> bool:
    return any(op.kind is Kind.TRUNCATE or (op.at == 0 and log.durable) for op in log.pending)
