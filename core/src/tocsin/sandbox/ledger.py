"""The truth that a test reconciles against: every submit that was seen, every text that reached a phone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

import attrs


@attrs.frozen(kw_only=True)
class Submit:
    """One submit request as the vendor saw it. Its repr shows neither numbers nor text.

    Args:
        operation: the vendor's name of the method or page.
        numbers: recipients, digits as they were sent.
        accepted: the vendor took it, whatever became of its answer.
        vendor_id: the id that the vendor gave it; empty unless accepted.
        code: the vendor's own refusal; empty where it was accepted or never judged.
        fault: what was injected, such as `reset before`; empty for nothing.
        at: aware, UTC.
    """

    operation: str
    numbers: tuple[str, ...] = attrs.field(repr=lambda numbers: f"<{len(numbers)}>")
    text: str = attrs.field(repr=lambda text: f"<{len(text)} characters>")
    extension: str
    accepted: bool
    vendor_id: str
    code: str
    fault: str
    at: datetime


@attrs.frozen(kw_only=True)
class Received:
    """One text on one phone. Its repr shows neither number nor text."""

    number: str = attrs.field(repr=False)
    text: str = attrs.field(repr=False)
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

    def record(self, submit: Submit, reached: tuple[str, ...] = ()) -> None:
        """Write one submit down, with the numbers that it reached."""
        texts = tuple(
            Received(
                number=number,
                text=submit.text,
                vendor_id=submit.vendor_id,
                extension=submit.extension,
                at=submit.at,
            )
            for number in reached
        )
        with self._changed:
            self._submits.append(submit)
            self._received.extend(texts)
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
