"""`tocsin serve` or `tocsin gateway` as real processes on a port of their own, for tests that speak HTTP to them.

    with running(home) as service:                     # tocsin serve, on the configuration home/tocsin.toml
        urllib3.request("GET", service.url + "/healthz")

`listen = "127.0.0.1:0"` belongs into the configuration: the system chooses the port, and the log tells it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .waiting import wait_until

DEADLINE_S = 40.0

LISTENING = "tocsin.gateway.listening"
STARTED = "tocsin.process.started"

Line = Mapping[str, Any]


class ServiceProcess:
    """A running command. Its log is read from a file, line by line as JSON.

    Args:
        home: directory in which it runs; its tocsin.toml is the configuration.
        arguments: the command, and what stands behind it.
        environ: put over this process's environment.
    """

    def __init__(self, home: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> None:
        self.log_file = home / f"{arguments[0]}-{len(list(home.glob('*.log')))}.log"
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tocsin", *arguments, "--log-format", "json"],
                cwd=home,
                env={**os.environ, "SSL_CERT_FILE": os.devnull, **(environ or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    @property
    def log(self) -> str:
        """All that it and its processes have said so far."""
        return self.log_file.read_text(encoding="utf-8")

    @property
    def lines(self) -> list[Line]:
        """What is an event of that, in order; sentences for people are left out."""
        return [json.loads(line) for line in self.log.splitlines(keepends=True) if line[0] == "{" and line[-1] == "\n"]

    def said(self, event: str, **fields: Any) -> list[Line]:
        """Return the lines of an event that have these fields."""
        wanted = {"event": event, **fields}.items()
        return [line for line in self.lines if wanted <= line.items()]

    def wait_for(self, event: str, times: int = 1, **fields: Any) -> Line:
        """Wait until it has said that so many times; return the last such line.

        Raises:
            AssertionError: it does not in time, or has ended.
        """
        wait_until(lambda: len(self.said(event, **fields)) >= times or self.process.poll() is not None)
        found = self.said(event, **fields)
        assert len(found) >= times, f"{event} {fields} was not said {times} times:\n{self.log}"
        return found[times - 1]

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        return str(self.wait_for(LISTENING)["address"])

    def pid_of(self, process: str, times: int = 1) -> int:
        """Return the id of `gateway` or `worker`, of the so-manieth that was started."""
        return int(self.wait_for(STARTED, times, process=process)["pid"])

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self) -> int:
        """Tell it to end; return its exit status."""
        self.signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_S)

    def close(self) -> None:
        """Leave nothing running: its processes end with it."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(DEADLINE_S)


@contextmanager
def running(home: Path, command: str = "serve", **options: Any) -> Iterator[ServiceProcess]:
    """Run `tocsin serve` (or `gateway`) until the block is left; it answers when the block begins."""
    service = ServiceProcess(home, command, **options)
    try:
        service.wait_for(LISTENING)
        yield service
    finally:
        service.close()


def children_of(pid: int) -> dict[int, str]:
    """Return the processes that a process has started: their command lines by id."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (OSError, ValueError):
            continue  # it has just ended
        if parent == pid:
            found[int(entry.name)] = words
    return found


def serving_process(gateway: int) -> int:
    """Return the id of the process that a gateway's main process has spawned to serve."""
    found = wait_until(lambda: [pid for pid, words in children_of(gateway).items() if "spawn_main" in words])
    assert found, children_of(gateway)
    return int(found[0])


def is_alive(pid: int) -> bool:
    """Say whether a process runs; one that waits to be buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
