"""Finds out what a submit says, by the vendor's own reader of requests or by its sandbox. It alone has a socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import attrs

from tocsin.plugin import Account, Submission
from tocsin.sandbox import RunningSandbox, start
from tocsin.testing.declaration import Declaration, change_settings
from tocsin.testing.law import LawBroken
from tocsin.testing.probe import Arrival
from tocsin.wire.perform import perform_send
from tocsin.wire.pool import HttpTransport

Read = Callable[[Account, Submission], tuple[Arrival, ...]]
"""Submits for an account, and returns what phones get."""


@contextmanager
def open_reader(kit: Declaration) -> Iterator[Read]:
    """Open the reader that a vendor declares.

    Raises:
        LawBroken: it declares none, so that nobody can say what its requests hold.
    """
    if kit.read_submit is not None:
        yield lambda account, submission: tuple(kit.read_submit(kit.exchange_for(account, submission).request))
    elif kit.sandbox:
        with start(kit.sandbox) as vendor, closing(HttpTransport()) as transport:
            yield lambda account, submission: _through(kit, vendor, transport, account, submission)
    else:
        raise LawBroken("the vendor declares neither read_submit nor a sandbox: what it sends cannot be seen")


def _through(
    kit: Declaration, vendor: RunningSandbox, transport: HttpTransport, account: Account, submission: Submission
) -> tuple[Arrival, ...]:
    """Submit to the sandbox, at its own time: vendors look at stamps."""
    vendor.reset()
    sandboxed = attrs.evolve(change_settings(account, vendor.account_settings), base_url=vendor.base_url)
    perform_send(kit.hooks.send(sandboxed, submission, datetime.now(UTC)), transport, submission.to)
    return tuple(Arrival(one.number, one.text, one.extension) for one in vendor.ledger.received)
