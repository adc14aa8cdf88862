"""Runs one tocsin command in this process and pulls the plug at the n-th boundary.

    python harness.py N LOG ARGUMENT...

A boundary is the moment before or after a commit or an exchange. Each is written to LOG as it is reached; at the N-th
(counted from 1; 0 for never) the process kills itself with SIGKILL: no handler, no `finally`, no flush. The command
`resolve ID` is the second pass over a message's doubts, which the worker will make.
"""

import os
import signal
import sys
from pathlib import Path

from tocsin.app import Surroundings
from tocsin.cli.main import run
from tocsin.cli.session import Session
from tocsin.wire.pool import HttpTransport


class Boundaries:
    """Counts boundaries and ends the process at one of them."""

    def __init__(self, last, log):
        self._left = last
        self._log = log

    def reach(self, name):
        """Note a boundary; at the last one, die."""
        with self._log.open("a") as log:
            log.write(f"{name}\n")
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class Interrupted:
    """A transport whose exchanges are boundaries."""

    def __init__(self, transport, boundaries):
        self._transport = transport
        self._boundaries = boundaries

    def perform(self, request):
        self._boundaries.reach("exchange: before")
        answer = self._transport.perform(request)
        self._boundaries.reach("exchange: after")
        return answer

    def close(self):
        self._transport.close()


def main(last, log, *arguments):
    boundaries = Boundaries(int(last), Path(log))
    surroundings = Surroundings(
        http=lambda: Interrupted(HttpTransport(), boundaries),
        boundary=boundaries.reach,
    )
    session = Session(surroundings=surroundings)
    if arguments[0] != "resolve":
        return run(list(arguments), session)
    with session.open() as tocsin:
        tocsin.resolve_doubts(arguments[1])
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
