"""Ten minutes of load on the gateway: its memory and its descriptors stay flat.

A steady rate of a mixture: messages, alerts of many fingerprints, lists, stories, scrapes, what is refused, what is
turned away, connections that are cut. The serving process is looked at every few seconds; what it has in the last third
is compared with the second third. The first third is left out: caches fill, and the allocator finds its size.

    python bench/gateway_soak.py [--minutes M] [--rate N] [--json]
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
import urllib3
from gateway import BODY, CONFIG, KEY, served
from rich.progress import Progress

SCOPES = '["send:alert", "read"]'
LOOK_S = 5.0
MOST_GROWTH = 0.05
"""Of the median from the second third to the last one."""

CALLERS = 4
AUTH = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}


@attrs.frozen(kw_only=True)
class Sample:
    """What the serving process has."""

    at_s: float
    memory_bytes: int
    descriptors: int
    threads: int


def look(pid: int, began: float) -> Sample:
    """Look at a process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return Sample(
        at_s=time.monotonic() - began,
        memory_bytes=int(fields["VmRSS"].split()[0]) * 1024,
        descriptors=len(os.listdir(f"/proc/{pid}/fd")),
        threads=int(fields["Threads"]),
    )


def serving(port: int) -> int:
    """Return the id of the process that answers at a port: the youngest that holds its listening socket."""
    wanted = f":{port:04X}"
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(wanted) and fields[3] == "0A":
            return max(_holders(f"socket:[{fields[9]}]"))
    raise SystemExit("nobody listens")


def _holders(socket: str) -> Iterator[int]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(one) == socket for one in (process / "fd").iterdir()):
                yield int(process.name)
        except OSError:
            continue  # it has ended, or the descriptor is closed


def alert(number: int) -> bytes:
    """Return what Alertmanager posts of an alert that fires, or is resolved."""
    starts = f"2026-01-01T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z"
    fired = number % 2 == 0
    one = {
        "status": "firing" if fired else "resolved",
        "labels": {"alertname": f"Disk{number // 2 % 5000}", "instance": "db1"},
        "annotations": {"summary": "full"},
        "startsAt": starts,
        "endsAt": "0001-01-01T00:00:00Z" if fired else starts,
        "fingerprint": f"{number // 2 % 5000:016x}",
    }
    return json.dumps({"version": "4", "status": one["status"], "receiver": "soak", "alerts": [one]}).encode()


def requests() -> Iterator[tuple[str, str, bytes, dict[str, str]]]:
    """Yield the mixture."""
    for number in itertools.count():
        yield "POST", "/v1/messages", BODY, AUTH
        yield "POST", "/v1/alerts/alertmanager?group=oncall", alert(number), AUTH
        yield "POST", "/v1/messages", b"{", AUTH
        if number % 10 == 0:
            yield "GET", "/v1/messages?limit=20", b"", AUTH
            yield "POST", "/v1/messages", BODY, {}
            yield "GET", "/nowhere", b"", AUTH
            yield "GET", "/v1/events?seconds=0&after=0", b"", AUTH
        if number % 100 == 0:
            yield "GET", "/metrics", b"", {}


class Callers:
    """Threads that put the mixture at a steady rate."""

    def __init__(self, port: int, rate: float) -> None:
        self.statuses: Counter[int] = Counter()
        self._port = port
        self._pause_s = CALLERS / rate
        self._mixture = requests()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(CALLERS)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Stop calling."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _call(self) -> None:
        due = time.monotonic()
        with urllib3.PoolManager(retries=False, timeout=30) as pool:
            for count in itertools.count(1):
                due += self._pause_s
                if self._over.wait(max(0.0, due - time.monotonic())):
                    return
                with self._lock:
                    method, path, body, headers = next(self._mixture)
                self.statuses[self._status(pool, method, path, body, headers)] += 1
                if count % 500 == 0:
                    pool.clear()  # connections come and go

    def _status(self, pool: urllib3.PoolManager, method: str, path: str, body: bytes, headers: dict[str, str]) -> int:
        """Return the status of an answer; 0 where there was none."""
        try:
            url = f"http://127.0.0.1:{self._port}{path}"
            return pool.request(method, url, body=body or None, headers=headers).status
        except urllib3.exceptions.HTTPError:
            return 0


def growth(samples: Sequence[Sample], what: str) -> float:
    """Return by which share the median of the last third is above that of the second."""
    third = len(samples) // 3
    second, last = samples[third : 2 * third], samples[2 * third :]
    before, after = (statistics.median(getattr(one, what) for one in part) for part in (second, last))
    return after / before - 1


def soak(home: Path, args: argparse.Namespace) -> tuple[list[Sample], Counter[int]]:
    """Put the load and look; return what was seen."""
    seconds = args.minutes * 60
    samples: list[Sample] = []
    with served(home, "-m", "tocsin", "gateway") as port, Progress(transient=True) as progress:
        task = progress.add_task("soak", total=seconds)
        pid, callers, began = serving(port), Callers(port, args.rate), time.monotonic()
        try:
            while time.monotonic() - began < seconds:
                time.sleep(LOOK_S)
                samples.append(look(pid, began))
                progress.update(task, completed=time.monotonic() - began)
        finally:
            callers.end()
    return samples, callers.statuses


def main(argv: Sequence[str]) -> int:
    """Soak; exit 1 where something grew, or an answer was trouble of the gateway's own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=300.0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="tocsin-soak-") as directory:
        home = Path(directory)
        config = CONFIG.replace('["send:alert"]', SCOPES) + '[groups]\noncall = ["+8613900000000"]\n'
        (home / "tocsin.toml").write_text(config, encoding="utf-8")
        samples, statuses = soak(home, args)
    grown = {what: growth(samples, what) for what in ("memory_bytes", "descriptors", "threads")}
    print(f"requests {sum(statuses.values()):,} in {args.minutes} min: {dict(sorted(statuses.items()))}")
    for what, share in grown.items():
        seen = [getattr(one, what) for one in samples]
        print(f"{what:13} first {seen[0]:,}  median {statistics.median(seen):,.0f}  last {seen[-1]:,}  {share:+.1%}")
    if args.json:
        print(json.dumps({"statuses": statuses, "growth": grown, "samples": [attrs.asdict(one) for one in samples]}))
    trouble = any(share > MOST_GROWTH for share in grown.values()) or any(
        not status or status >= 500 for status in statuses
    )
    return 1 if trouble else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
