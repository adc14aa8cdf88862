"""A commit fails while its log is being synced: nobody knows whether it stands. The kernel says so, by strace."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import attrs

from tocsin.app import Tocsin

from ..waiting import until
from .crew import DEADLINE_S, Clients, at_work
from .judge import judge_phones, judge_store
from .session import is_delivered
from .vendors import vendors

MESSAGES = 6
ENDED = 70
"""The status of a worker whose commit failed, and of a command whose store did."""


@attrs.frozen(kw_only=True)
class Failed:
    """What came of the n-th sync that failed.

    Args:
        when: which one of each thread.
        status: of the worker that met it; 70, or 0 where it never came to so many.
        wrong: what is not as it must be, after the next start.
    """

    when: int
    status: int
    wrong: tuple[str, ...]


def why_not() -> str:
    """Say why no sync can be made to fail here; empty where one can."""
    strace = shutil.which("strace")
    if strace is None:
        return "strace is not installed"
    tried = subprocess.run([strace, "-f", *_inject(1), "-o", "/dev/null", "true"], capture_output=True, text=True)
    return tried.stderr.strip() if tried.returncode else ""


def fail_sync(home: Path, when: int) -> Failed:
    """Have a worker's n-th sync fail, start it again, and judge when all is quiet.

    Half of the messages wait for it, and half were taken before: so its first poll brings reports.

    Args:
        home: an empty directory.
        when: which sync of each of its threads fails.
    """
    with vendors() as sides:
        config = sides.configure(home, home / "tocsin.db")
        with Tocsin.from_config(config) as tocsin:
            clients = Clients(tocsin)
            for number in range(MESSAGES):
                clients.hand_in(at_once=bool(number % 2))
            status = _run_until_it_fails(config, home, when)
            with at_work(config, home / "worker.log"):
                until(lambda: is_delivered(tocsin), "all is delivered after a restart")
            wrong = (
                *judge_phones(clients.acknowledged.values(), sides.copies()),
                *judge_store(clients.acknowledged.values(), tocsin.parts.store, sides.submits),
            )
    return Failed(when=when, status=status, wrong=wrong)


def _run_until_it_fails(config: Path, home: Path, when: int) -> int:
    strace = ["strace", "-f", *_inject(when), "-o", str(home / "strace.log")]
    with (home / "failing.log").open("wb") as log:
        process = subprocess.Popen(
            [*strace, sys.executable, "-m", "tocsin", "--config", str(config), "worker"], stderr=log
        )
        try:
            return process.wait(timeout=DEADLINE_S)
        finally:
            process.kill()


def _inject(when: int) -> tuple[str, ...]:
    calls = "fsync,fdatasync"
    return ("-e", f"trace={calls}", "-e", f"inject={calls}:error=EIO:when={when}")
