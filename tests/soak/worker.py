"""The worker of a soak: the real command as a process, killed without a warning and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path

START_S = 60.0
"""A worker that has not begun by then never will."""


class Worker:
    """One process of `tocsin worker`.

    Args:
        config: its tocsin.toml.
    """

    def __init__(self, config: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tocsin", "--config", str(config), "worker"],
            env={**os.environ, "SSL_CERT_FILE": os.devnull},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._begun = threading.Event()
        self._words: deque[str] = deque(maxlen=20)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_until_begun(self) -> None:
        """Wait until it works, or has ended."""
        deadline = time.monotonic() + START_S
        while not self._begun.wait(0.05) and self._process.poll() is None and time.monotonic() < deadline:
            pass

    def kill_after(self, seconds: float) -> str:
        """Let it work so long, then kill it; return what is wrong where it had ended by itself before."""
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGKILL)
            status = self._process.wait()
        return self._ended(status, -signal.SIGKILL)

    def stop(self) -> str:
        """Tell it to end; return what is wrong with how it does."""
        self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(START_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        return self._ended(status, 0)

    def _ended(self, status: int, expected: int) -> str:
        self._reader.join()
        last = " | ".join(self._words)[-400:]
        return "" if status == expected else f"the worker ended by itself with {status}: {last}"

    def _read(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as log:
            for line in log:
                self._words.append(line.strip())
                if "tocsin.worker.started" in line:
                    self._begun.set()
