"""What goes wrong with the vendors of a soak while it runs: one thing after another, as the plan says."""

from __future__ import annotations

import threading
from collections import Counter
from random import Random

from tests.crash.worker_vendors import VENDORS, Vendors

from .plan import Mode, Trouble, troubles


class Mischief:
    """Makes trouble in a thread of its own until it is stopped. Nobody else talks to the vendors meanwhile.

    Attributes:
        done: how often what was done.
    """

    def __init__(self, vendors: Vendors, dice: Random) -> None:
        self.done: Counter[str] = Counter()
        self._vendors = vendors
        self._dice = dice
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and leave both vendors well."""
        self._stopping.set()
        self._thread.join()
        for vendor in VENDORS:
            self._vendors(vendor, "clear_faults")
            self._vendors(vendor, "light_up")

    def _run(self) -> None:
        for trouble in troubles(self._dice):
            if self._stopping.wait(trouble.after_s):
                return
            self._make(trouble)

    def _make(self, trouble: Trouble) -> None:
        fault = trouble.fault
        if fault is not None:
            self.done[f"{fault.operation} {fault.kind} {fault.position}"] += fault.times or 1
            self._vendors(trouble.vendor, "inject", fault)
            return
        self.done["dark"] += 1
        self._vendors(trouble.vendor, "go_dark")
        self._stopping.wait(trouble.dark_s)
        self._vendors(trouble.vendor, "light_up")


def set_up(vendors: Vendors, modes: tuple[Mode, ...]) -> None:
    """Give both vendors a purse that lasts, and their carriers their ways."""
    for vendor in VENDORS:
        vendors(vendor, "set_terms", balance="10000000")
    for one in modes:
        vendors(one.vendor, "reports", one.mode, number=one.number)
