"""Who works on the store: a worker, a process of its own, and clients, who note elsewhere what they were told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import attrs

from tocsin.app import Tocsin
from tocsin.errors import CommitUnknown, StoreFailed
from tocsin.model.message import MessageClass

from ..waiting import until

DEADLINE_S = 40.0
_AGAIN_S = 0.02


def time_until(happened: Callable[[], object], what: str) -> float:
    """Wait for something; return how long it took.

    Raises:
        Stuck: it did not, in time.
    """
    begun = time.monotonic()
    until(happened, what)
    return time.monotonic() - begun


class Worker:
    """A worker process.

    Args:
        config: its configuration.
        log: where its standard error goes: not on the disk that gets full.
        program: what to run in place of `tocsin`, with the same arguments.
    """

    def __init__(self, config: Path, log: Path, program: Sequence[str] = ("-m", "tocsin")) -> None:
        self._log = log
        with log.open("wb") as stderr:
            command = [sys.executable, *program, "--config", str(config), "worker"]
            self._process = subprocess.Popen(command, stderr=stderr, stdin=subprocess.DEVNULL)
        until(lambda: "tocsin.worker.started" in self.said, "the worker began")

    @property
    def said(self) -> str:
        """Its log so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Make sure that it is gone."""
        if self.is_alive:
            self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Tell it to end; return its exit status."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout=DEADLINE_S)

    def wait(self) -> int:
        """Wait for its own end; return its exit status."""
        return self._process.wait(timeout=DEADLINE_S)


@attrs.frozen
class Draft:
    """What a client hands in: one text that is unlike any other, to some numbers."""

    key: str
    numbers: tuple[str, ...]
    text: str


class Clients:
    """A few threads that hand messages in, and go on trying what was not taken.

    Attributes:
        acknowledged: what they were told is durable, by key.
        turned_down: how often they were told that it is not.
    """

    def __init__(self, tocsin: Tocsin, threads: int = 2) -> None:
        self.acknowledged: dict[str, Draft] = {}
        self.turned_down = 0
        self._tocsin = tocsin
        self._threads = threads
        self._serial = count(1)
        self._lock = threading.Lock()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Hand in as fast as can be, meanwhile. On leaving nothing new: what was turned down, until it is taken."""
        enough = threading.Event()
        with ThreadPoolExecutor(self._threads, thread_name_prefix="client") as pool:
            running = [pool.submit(self._hand_in, enough) for _ in range(self._threads)]
            try:
                yield
            finally:
                enough.set()
        for one in running:
            one.result()

    def _hand_in(self, enough: threading.Event) -> None:
        while not enough.is_set():
            draft = self.draft()
            while not self._try(draft):
                time.sleep(_AGAIN_S)

    def hand_in(self, *, at_once: bool) -> None:
        """Hand one message in; `at_once` submits it in this process."""
        draft = self.draft()
        deliver = self._tocsin.deliver_now if at_once else self._tocsin.send
        deliver(to=draft.numbers, text=draft.text, cls=MessageClass.NOTICE, idempotency_key=draft.key)
        self.acknowledged[draft.key] = draft

    def draft(self) -> Draft:
        """Make a message that nobody has made."""
        with self._lock:
            number = next(self._serial)
        numbers = tuple(f"139{number * 3 + more:08d}" for more in range(1 + number % 3))
        return Draft(f"key-{number}", numbers, f"disk of host {number} is full" + ", really" * (number % 7))

    def _try(self, draft: Draft) -> bool:
        try:
            self._tocsin.send(to=draft.numbers, text=draft.text, cls=MessageClass.NOTICE, idempotency_key=draft.key)
        except (StoreFailed, CommitUnknown):
            with self._lock:
                self.turned_down += 1
            return False
        with self._lock:
            self.acknowledged[draft.key] = draft
        return True


@contextmanager
def at_work(config: Path, log: Path, program: Sequence[str] = ("-m", "tocsin")) -> Iterator[Worker]:
    """Run a worker; it is gone at the end, whatever happens."""
    worker = Worker(config, log, program)
    try:
        yield worker
    finally:
        worker.kill()


def command(program: Sequence[str], config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    environ = {**os.environ, "SSL_CERT_FILE": os.devnull}
    whole = [sys.executable, *program, "--config", str(config), *arguments]
    return subprocess.run(whole, capture_output=True, text=True, timeout=DEADLINE_S, env=environ)
