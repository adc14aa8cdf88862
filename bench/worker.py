"""What durable delivery costs: a worker against bare urllib3, before the same server, in the same run.

The server is a process of its own that answers winnerlook's submit at once and does nothing else: the sandboxes are
written to be right, and would be what is measured. Bare urllib3 posts the bodies that the worker posts, from 1 to 16
threads; the best of them counts. Figures as they are, no bar.

    python bench/worker.py [--messages N] [--recipients N] [--queued N…]
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count, islice
from pathlib import Path
from typing import Any

import attrs
import urllib3

from tocsin.app import Tocsin
from tocsin.delivery.fleet import submission_for
from tocsin.model.message import Message, MessageClass
from tocsin.model.phone import E164
from tocsin.outbox.state import State
from tocsin.wire.http import HttpRequest

SPAWN = multiprocessing.get_context("spawn")
THREADS = (1, 2, 4, 8, 16)
ROOM = 500
"""Most recipients of one request, where it is not one."""

AT_ONCE = 1000
"""Recipients of one message where a queue is filled."""

PATIENCE_S = 1800
LOOK_S = 0.005

CONFIG = """
allow_inline_secrets = true
[store]
url = "sqlite:///{store}"
[accounts.bench]
vendor = "winnerlook"
user_code = "bench"
password = "bench"
channel = "1"
signature = "【Bench】"
insecure_http = "acknowledged"
base_url = "http://127.0.0.1:{port}"
limits = {{ max_recipients = {room} }}
[[routes]]
accounts = ["bench"]
"""


# the server


class _Answering(asyncio.Protocol):
    """Answers each request of a connection with the next batch number."""

    serial = count(10**17)

    def connection_made(self, transport: Any) -> None:
        self._transport, self._waiting = transport, b""

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while (end := self._waiting.find(b"\r\n\r\n")) >= 0:
            head = self._waiting[:end].lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0]) if b"content-length:" in head else 0
            if len(self._waiting) < end + 4 + length:
                return
            self._waiting = self._waiting[end + 4 + length :]
            body = f'<?xml version="1.0"?><string xmlns="http://tempuri.org/">{next(self.serial)}</string>'.encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
            self._transport.write(head.encode() + body)


def _serve(told: Any) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(_Answering, "127.0.0.1", 0)
        told.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def beside(target: Callable[..., None], *arguments: Any) -> Iterator[Any]:
    """Run a function in a process of its own, which is gone at the end; give the queue into which it tells things."""
    told = SPAWN.Queue()
    process = SPAWN.Process(target=target, args=(told, *arguments), daemon=True)
    process.start()
    try:
        yield told
    finally:
        process.terminate()
        process.join()


# the worker


def _drain(told: Any, config: str) -> None:
    """Drain a store; tell how long it took, and how much memory at most."""
    with Tocsin.from_config(config) as tocsin:
        begun = time.perf_counter()
        tocsin.run_worker(drain=True)
        told.put((time.perf_counter() - begun, _peak_mib()))


def _work(told: Any, config: str) -> None:
    """Work until the process is ended; tell when it begins."""
    with Tocsin.from_config(config) as tocsin:
        tocsin.run_worker(ready=lambda _: told.put(True))


def _hold(told: Any, config: str) -> None:
    """Open a store without doing anything; tell how much memory that takes."""
    with Tocsin.from_config(config):
        told.put((0.0, _peak_mib()))


def _peak_mib() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


# the work


@attrs.frozen
class Work:
    """Messages to send.

    Args:
        texts: one for each message.
        to: the recipients of each.
        room: most recipients of one request.
    """

    texts: tuple[str, ...]
    to: tuple[tuple[str, ...], ...]
    room: int

    @classmethod
    def of(cls, messages: int, recipients: int, room: int) -> Work:
        """Make messages of different texts, each to its own numbers."""
        texts = tuple(f"message {one}: the disk of host {one} is full" for one in range(messages))
        numbers = (f"139{one:08d}" for one in count())
        return cls(texts, tuple(tuple(islice(numbers, recipients)) for _ in texts), room)

    @property
    def deliveries(self) -> int:
        """How many recipients there are in all."""
        return sum(map(len, self.to))

    def accept(self, tocsin: Tocsin) -> None:
        """Hand everything in."""
        for text, to in zip(self.texts, self.to, strict=True):
            tocsin.send(to=to, text=text, cls=MessageClass.NOTICE)

    def requests(self, tocsin: Tocsin) -> list[HttpRequest]:
        """Return what a worker would post."""
        (account,) = tocsin.accounts()
        plugin = tocsin.parts.fleet.registry.plugin_for(account)
        now = tocsin.parts.clock.now()
        made = []
        for text, to in zip(self.texts, self.to, strict=True):
            numbers = tuple(E164(f"+86{one}") for one in to)
            message = Message(id="bench", to=numbers, text=text, cls=MessageClass.NOTICE, accepted_at=now)
            for start in range(0, len(numbers), self.room):
                submission = submission_for(account, message, numbers[start : start + self.room])
                made.append(plugin.send(account, submission, now).request)
        return made


def post_bare(requests: Sequence[HttpRequest]) -> float:
    """Post them by urllib3 and nothing else; return the seconds of the best number of threads."""
    return min(_post(requests, threads) for threads in THREADS)


def _post(requests: Sequence[HttpRequest], threads: int) -> float:
    with urllib3.PoolManager(maxsize=threads, block=True) as pool, ThreadPoolExecutor(threads) as clients:

        def post(request: HttpRequest) -> int:
            headers = dict(request.headers)
            return pool.request("POST", request.url, body=request.body, headers=headers, retries=False).status

        begun = time.perf_counter()
        answers = set(clients.map(post, requests))
        taken = time.perf_counter() - begun
    assert answers == {200}, answers
    return taken


@contextmanager
def store_of(port: int, room: int) -> Iterator[tuple[str, Tocsin]]:
    """Give an empty store on this directory's disk, with its configuration's path."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=os.environ.get("BENCH_DIR")) as home:
        config = Path(home) / "tocsin.toml"
        config.write_text(CONFIG.format(store=Path(home) / "tocsin.db", port=port, room=room), encoding="utf-8")
        with Tocsin.from_config(config) as tocsin:
            yield str(config), tocsin


@attrs.frozen(kw_only=True)
class Found:
    """Seconds of one kind of work: by bare posts, accepting, draining, and both at once beside a worker."""

    requests: int
    deliveries: int
    bare_s: float
    accept_s: float
    drain_s: float
    both_s: float

    def line(self, name: str) -> str:
        """Return it as a line of the table."""
        bare, drain, both = (self.requests / seconds for seconds in (self.bare_s, self.drain_s, self.both_s))
        numbers = (f"{bare:.0f}", f"{drain:.1f}", f"{drain / bare:.4f}", f"{both:.1f}", f"{both / bare:.4f}")
        per_s = (f"{self.deliveries / self.drain_s:.0f}", f"{self.deliveries / self.both_s:.0f}")
        return f"{name:<34}" + "".join(f"{one:>11}" for one in (str(self.requests), *numbers, *per_s))


HEAD = f"{'':<34}" + "".join(
    f"{one:>11}" for one in ("requests", "bare/s", "drain/s", "÷ bare", "whole/s", "÷ bare", "drain d/s", "whole d/s")
)


def measure(work: Work, port: int) -> Found:
    """Measure bare posts, then a worker that drains what was queued, then a worker beside who accepts."""
    with store_of(port, work.room) as (config, tocsin):
        requests = work.requests(tocsin)
        bare_s = post_bare(requests)
        begun = time.perf_counter()
        work.accept(tocsin)
        accept_s = time.perf_counter() - begun
        with beside(_drain, config) as told:
            drain_s, _ = told.get(timeout=PATIENCE_S)
        assert tocsin.parts.store.counts() == {(State.SUBMITTED, "bench"): work.deliveries}
    with store_of(port, work.room) as (config, tocsin), beside(_work, config) as told:
        told.get(timeout=PATIENCE_S)
        begun = time.perf_counter()
        work.accept(tocsin)
        while tocsin.parts.store.counts() != {(State.SUBMITTED, "bench"): work.deliveries}:
            time.sleep(LOOK_S)
        both_s = time.perf_counter() - begun
    return Found(
        requests=len(requests),
        deliveries=work.deliveries,
        bare_s=bare_s,
        accept_s=accept_s,
        drain_s=drain_s,
        both_s=both_s,
    )


def weigh(queued: int, port: int) -> tuple[float, float]:
    """Return how many MiB a worker has at most that drains so many, and the seconds that it takes."""
    with store_of(port, ROOM) as (config, tocsin):
        Work.of(queued // AT_ONCE, AT_ONCE, ROOM).accept(tocsin)
        with beside(_drain if queued else _hold, config) as told:
            seconds, peak_mib = told.get(timeout=PATIENCE_S)
    return peak_mib, seconds


def main(arguments: Sequence[str]) -> int:
    """Print everything."""
    parser = argparse.ArgumentParser(prog="python bench/worker.py", description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=2000, help="of one recipient each")
    parser.add_argument("--recipients", type=int, default=10_000, help="of one message")
    parser.add_argument("--queued", type=int, nargs="*", default=[10_000, 100_000], help="deliveries that are weighed")
    asked = parser.parse_args(arguments)
    with beside(_serve) as told:
        port = told.get(timeout=PATIENCE_S)
        print(HEAD)
        print(measure(Work.of(asked.messages, 1, 1), port).line("one text per request"), flush=True)
        print(measure(Work.of(1, asked.recipients, ROOM), port).line(f"one text to {asked.recipients}"), flush=True)
        for queued in (0, *asked.queued):
            peak_mib, seconds = weigh(queued, port)
            speed = f"{queued / seconds:.0f} deliveries/s" if queued else "an open store, idle"
            print(f"{f'memory with {queued} queued':<34}{peak_mib:>7.1f} MiB  {speed}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
