"""A rehearsal from its first message to its last report."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from tocsin.delivery.worker import LOOK_S
from tocsin.rehearse.cast import troubles_of
from tocsin.rehearse.play import Offer, Play
from tocsin.rehearse.reckoning import Result, reckon
from tocsin.rehearse.scenario import Kind, Trouble
from tocsin.rehearse.stage import Stage
from tocsin.rehearse.vendor import Vendor
from tocsin.rehearse.worker import StageWorker

Told = Callable[[float], None]
"""Told how many seconds have gone by."""


def rehearse(play: Play, told: Told = lambda _: None) -> Result:
    """Rehearse, and return what came of it. The same play comes to the same result.

    Args:
        play: what is rehearsed.
        told: for a progress bar.
    """
    with (
        tempfile.TemporaryDirectory(prefix="tocsin-rehearsal-") as directory,
        closing(Stage(play, Path(directory))) as stage,
    ):
        return play_out(stage, told)


def play_out(stage: Stage, told: Told = lambda _: None) -> Result:
    """Let what is on a stage happen, and return what came of it; the stage is left as it is then."""
    _Run(stage).to_the_end(told)
    return reckon(stage)


class _Run:
    """A rehearsal under way."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._worker = StageWorker(stage)
        self._offers: Iterator[Offer] = iter(stage.play.offers())
        self._offered = False
        self._offer_next()
        for name, vendor in stage.vendors.items():
            for trouble in troubles_of(stage.play.scenario, name, tuple(stage.vendors)):
                if trouble.kind is Kind.BALANCE:
                    self._schedule_balance(vendor, trouble)

    def to_the_end(self, told: Told) -> None:
        """Let one thing happen after the other until nothing is left to happen, or the time is over."""
        timeline, end_s, told_s = self._stage.timeline, self._stage.play.scenario.end_s, 0.0
        while timeline.monotonic() < end_s:
            happened = timeline.step()
            if timeline.monotonic() - told_s >= 1.0:
                told(timeline.monotonic() - told_s)
                told_s = timeline.monotonic()
            if happened is None or (happened in ("turn", "poll") and self._over()):
                return

    def _over(self) -> bool:
        """Say whether nothing can happen any more before the end."""
        if not self._offered or self._worker.busy or any(vendor.owes for vendor in self._stage.vendors.values()):
            return False
        due_s = self._worker.next_due_s()
        return due_s is None or due_s >= self._stage.play.scenario.end_s

    def _offer_next(self) -> None:
        """Plan the next message; those of one moment come together."""
        offer = next(self._offers, None)
        if offer is None:
            self._offered = True
            return
        delay_s = offer.at_s - self._stage.timeline.monotonic()
        self._stage.timeline.after(delay_s, "offer", lambda: self._take(offer))

    def _take(self, offer: Offer) -> None:
        if self._stage.accept(offer):
            self._worker.wake(LOOK_S)
        self._offer_next()

    def _schedule_balance(self, vendor: Vendor, trouble: Trouble) -> None:
        at_first = vendor.balance
        for from_s, until_s in trouble.spans(self._stage.play.scenario.end_s):
            self._stage.timeline.after(from_s, "balance", partial(vendor.have, trouble.amount))
            self._stage.timeline.after(until_s, "balance", partial(vendor.have, at_first))
