"""What a disk may hold: the storage model of the proof.

What is durable is what the last completed sync of a file covered, and, of names, what the last completed sync of the
directory covered. Everything after that is pending, and of it a power cut may leave any part. See
`tests.powercut.damage` for what may become of a pending write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from .tape import Kind, Op, Tape


@attrs.define(eq=False)
class Inode:
    """A file's content, whatever its name.

    Args:
        durable: what is certain to be found.
        pending: writes and truncations since.
        epoch: counts the syncs.
    """

    durable: bytearray = attrs.field(factory=bytearray)
    pending: list[Op] = attrs.field(factory=list)
    epoch: int = 0

    def sync(self) -> None:
        """Make all that is pending durable."""
        for op in self.pending:
            apply(self.durable, op)
        self.pending = []
        self.epoch += 1


def apply(content: bytearray, op: Op) -> None:
    """Carry out a write or a truncation."""
    if op.kind is Kind.TRUNCATE:
        resize(content, op.at)
    else:
        overwrite(content, op.at, op.data)


def overwrite(content: bytearray, at: int, data: bytes) -> None:
    """Write; a hole before it reads as zeros."""
    if at > len(content):
        resize(content, at)
    content[at : at + len(data)] = data


def resize(content: bytearray, size: int) -> None:
    """Cut off, or lengthen with zeros."""
    if size < len(content):
        del content[size:]
    else:
        content.extend(bytes(size - len(content)))


@attrs.define(eq=False)
class Disk:
    """A directory as the kernel has it, with all that may have become of it on the disk.

    Args:
        names: as a process sees them.
        versions: what each name may stand for after a power cut, oldest first: what the last sync of the directory
            covered, and each later one; None for no file.
        acknowledged: how many transactions returned.
    """

    names: dict[str, Inode] = attrs.field(factory=dict)
    versions: dict[str, list[Inode | None]] = attrs.field(factory=dict)
    acknowledged: int = 0
    epoch: int = 0

    def feed(self, op: Op) -> None:
        """Let an operation happen."""
        match op.kind:
            case Kind.CREATE:
                self._name(op.name, Inode())
            case Kind.WRITE | Kind.TRUNCATE:
                self.names[op.name].pending.append(op)
            case Kind.SYNC:
                self.names[op.name].sync()
            case Kind.LINK:
                self._name(op.to, self.names[op.name])
            case Kind.RENAME:
                self._name(op.to, self.names[op.name])
                self._name(op.name, None)
            case Kind.UNLINK:
                self._name(op.name, None)
            case Kind.SYNC_DIRECTORY:
                self.versions = {name: [inode] for name, inode in self.names.items()}
                self.epoch += 1
            case Kind.ACKNOWLEDGE:
                self.acknowledged += 1

    def _name(self, name: str, inode: Inode | None) -> None:
        self.versions.setdefault(name, [None]).append(inode)
        if inode is None:
            del self.names[name]
        else:
            self.names[name] = inode


def replay(tape: Tape, cuts: Iterable[int]) -> Iterator[Disk]:
    """Yield the disk as it is at each cut: after that many operations of the tape. It is one disk, fed further."""
    disk, fed = Disk(), 0
    for cut in cuts:
        for op in tape.ops[fed:cut]:
            disk.feed(op)
        fed = cut
        yield disk
