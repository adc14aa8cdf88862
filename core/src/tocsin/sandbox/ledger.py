"""The truth that a test reconciles against: every submit that was seen, every text that reached a phone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sized
from datetime import datetime

import attrs


@attrs.frozen(kw_only=True)
class Attachment:
    """One file of an MMS. `sha256` is of its content, in hexadecimal digits."""

    name: str
    size: int
    sha256: str = attrs.field(repr=False)


def _size(value: Sized) -> str:
    return f"<{len(value)}>"


@attrs.frozen(kw_only=True)
class Submit:
    """One submit request as the vendor saw it. Its repr shows neither numbers nor text.

    Args:
        operation: the vendor's name of the method or page.
        numbers: recipients, digits as they were sent.
        text: for all of them; empty where each has one of its own.
        texts: one for each number, in the same order; empty where all share one.
        planned: when it shall be sent, as the client wrote it; empty for at once.
        subject: of an MMS.
        attachments: of an MMS, in order.
        accepted: the vendor took it, whatever became of its answer.
        vendor_id: the id that the vendor gave it; empty unless accepted.
        code: the vendor's own refusal; empty where it was accepted or never judged.
        fault: what was injected, such as `reset before`; empty for nothing.
        at: aware, UTC.
    """

    operation: str
    numbers: tuple[str, ...] = attrs.field(repr=_size)
    text: str = attrs.field(repr=_size)
    extension: str
    texts: tuple[str, ...] = attrs.field(default=(), repr=_size)
    planned: str = ""
    subject: str = attrs.field(default="", repr=_size)
    attachments: tuple[Attachment, ...] = ()
    accepted: bool
    vendor_id: str
    code: str
    fault: str
    at: datetime


@attrs.frozen(kw_only=True)
class Received:
    """One message on one phone. Its repr shows neither number nor text. An MMS has no text but files."""

    number: str = attrs.field(repr=False)
    text: str = attrs.field(repr=False)
    subject: str = attrs.field(default="", repr=False)
    attachments: tuple[Attachment, ...] = ()
    vendor_id: str
    extension: str
    at: datetime


@attrs.frozen
class Page:
    """The ledger at one moment."""

    submits: tuple[Submit, ...] = ()
    received: tuple[Received, ...] = ()


class Ledger:
    """Append-only and thread-safe. What it hands out are snapshots."""

    def __init__(self) -> None:
        self._submits: list[Submit] = []
        self._received: list[Received] = []
        self._changed = threading.Condition()

    def __repr__(self) -> str:
        return f"<Ledger: {len(self._submits)} submits, {len(self._received)} received>"

    @property
    def page(self) -> Page:
        """Both columns, of the same moment."""
        with self._changed:
            return self._snapshot()

    @property
    def submits(self) -> tuple[Submit, ...]:
        """Every submit request, oldest first."""
        return self.page.submits

    @property
    def received(self) -> tuple[Received, ...]:
        """Everything that phones received, oldest first. A message whose report says `failed` reached no phone."""
        return self.page.received

    def texts_to(self, number: str) -> tuple[str, ...]:
        """Return what one phone received, oldest first."""
        return tuple(entry.text for entry in self.received if entry.number == number)

    def copies(self, number: str, text: str) -> int:
        """Count how often one phone received exactly that text."""
        return self.texts_to(number).count(text)

    def record(self, submit: Submit, received: tuple[Received, ...] = ()) -> None:
        """Write one submit down, with what it brought to phones."""
        with self._changed:
            self._submits.append(submit)
            self._received.extend(received)
            self._changed.notify_all()

    def clear(self) -> None:
        """Tear every page out."""
        with self._changed:
            self._submits.clear()
            self._received.clear()
            self._changed.notify_all()

    def wait_until(self, holds: Callable[[Page], bool], timeout_s: float = 10.0) -> bool:
        """Block until the ledger satisfies `holds`; False where it does not in time."""
        with self._changed:
            return self._changed.wait_for(lambda: holds(self._snapshot()), timeout_s)

    def _snapshot(self) -> Page:
        return Page(tuple(self._submits), tuple(self._received))
