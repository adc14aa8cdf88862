"""The ground that crash runs stand on: two vendors, a store, and a fork server that gives lives to workers.

Everything is imported once; each life is a fork of this process, which has no threads. So a life costs what the worker
itself does, and not a third of a second of imports before it.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import attrs

from tocsin import Tocsin
from tocsin.config import Config, load_config
from tocsin.registry import Registry, build_registry
from tocsin.sandbox import Page

from .worker_judge import Kept, judge, load_kept
from .worker_life import TERMINATE, Order, live
from .worker_scenario import SCENARIOS, Scenario, number
from .worker_vendors import VENDORS, Vendors

DEADLINE_S = 30.0
"""A life that takes longer is stuck."""

_OTHER = number(77)
_POLL = 'poll = { reports = "1h", inbound = "1h", balance = "1h" }\n'


@attrs.frozen(kw_only=True)
class Case:
    """One run: a scenario, and the boundary at which each life ends before the last, which ends well.

    A safeguard may be taken out of all of them: see `worker_ablation`.
    """

    scenario: str
    kills: tuple[str, ...] = ()
    ablation: str = ""

    def __str__(self) -> str:
        return f"{self.scenario}: {' / '.join(self.kills) or 'nobody is killed'}"


@attrs.frozen(kw_only=True)
class Outcome:
    """What came of a run.

    Args:
        lives: the boundaries that each life reached, in order.
        killed: how many lives died where they were meant to; the others ended well before that.
        violations: one sentence each.
        states: how often each state stands in the end.
        copies: how many texts reached phones.
        elapsed_s: how long it took.
    """

    case: Case
    lives: tuple[tuple[str, ...], ...]
    killed: int
    violations: tuple[str, ...]
    states: dict[str, int]
    copies: int
    elapsed_s: float


class Ground:
    """One place for one run at a time. A context manager."""

    def __init__(self) -> None:
        os.environ["SSL_CERT_FILE"] = os.devnull  # nobody speaks TLS here; to read the system's takes its time
        memory = Path("/dev/shm")  # a killed process loses nothing that the kernel has: no disk is needed
        self._root = Path(tempfile.mkdtemp(prefix="tocsin-crash-", dir=memory if memory.is_dir() else None))
        self.vendors = Vendors()
        self._registry = build_registry()
        self._runs = 0
        gc.collect()
        gc.freeze()  # what is here now is not touched in the forks, so that it is not copied

    def __enter__(self) -> Ground:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.vendors.close()
        shutil.rmtree(self._root, ignore_errors=True)

    def run(self, case: Case) -> Outcome:
        """Play a scenario through all its lives, and judge what stands in the end."""
        began = time.monotonic()
        self._runs += 1
        home = self._root / str(self._runs)
        with _Play(SCENARIOS[case.scenario], self.vendors, self._registry, home) as play:
            lives, killed, troubles = [], 0, []
            for last in (*play.scenario.before, *case.kills, ""):
                reached, status = play.live(last, case.ablation)
                died = status == -signal.SIGKILL
                if status != 0 and not (died and reached[-1:] == [last]):
                    troubles.append(f"a life ended with {status} after {reached[-1:]}: {play.last_words()}")
                killed += died
                lives.append(tuple(reached))
            kept, ledgers = load_kept(play.config, play.ends_early), self.vendors.ledgers()
            first = len(play.scenario.before)
            return Outcome(
                case=case,
                lives=tuple(lives[first:]),
                killed=killed - first,
                violations=(*troubles, *judge(kept, ledgers)),
                states=kept.states,
                copies=play.count_copies(kept, ledgers),
                elapsed_s=time.monotonic() - began,
            )


class _Play:
    """One run of one scenario, in a directory of its own."""

    def __init__(self, scenario: Scenario, vendors: Vendors, registry: Registry, home: Path) -> None:
        self.scenario = scenario
        self.home = home
        self.config: Config
        self._registry = registry
        self._vendors = vendors
        self._done: set[str] = set()
        self._messages: list[str] = []

    def __enter__(self) -> _Play:
        self.home.mkdir(mode=0o700)
        self._vendors.reset()
        for vendor, orders in self.scenario.vendors.items():
            for method, *arguments in orders:
                named = arguments.pop() if arguments and isinstance(arguments[-1], dict) else {}
                self._vendors(vendor, method, *arguments, **named)
        file = self.home / "tocsin.toml"
        file.write_text(self._settings(), encoding="utf-8")
        self.config = load_config(file, vendors=self._registry.described(), environ={})
        with Tocsin(self.config, self._registry) as tocsin:
            self._messages = [tocsin.send(**said.arguments()).id for said in self.scenario.said]
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.home)

    @property
    def ends_early(self) -> bool:
        """Whether lives end while something is still due."""
        told_to = any(TERMINATE in happening for happening in self.scenario.events.values())
        return told_to or not self.scenario.polls  # a drain does not wait for evidence

    def _settings(self) -> str:
        config = self._vendors.config
        for vendor in VENDORS:
            config = config.replace(f'vendor = "{vendor}"\n', f'vendor = "{vendor}"\n{_POLL}')
        route = str(list(self.scenario.accounts)).replace("'", '"')
        config = config.replace('accounts = ["winnerlook", "ipyy"]', f"accounts = {route}")
        return f"{config}{self.scenario.route}\n{self.scenario.more}"

    def live(self, last: str, ablation: str) -> tuple[list[str], int]:
        """Give a worker its life; return the boundaries that it reached, and how it ended."""
        events = {
            boundary: tuple(event for event in happening if event not in self._done)
            for boundary, happening in self.scenario.events.items()
        }
        order = Order(
            arguments=self.scenario.arguments,
            home=self.home,
            accounts=VENDORS if self.scenario.polls else (),
            last=last,
            events=events,
            holds=self.scenario.holds,
            ablation=ablation,
        )
        return self._run(order)

    def _run(self, order: Order) -> tuple[list[str], int]:
        ours, theirs = multiprocessing.Pipe()
        log = os.memfd_create("boundaries")
        words = os.open(self.home / "words", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        child = os.fork()
        if child == 0:
            os.dup2(words, 1)
            os.dup2(words, 2)
            live(order, log, theirs)
        theirs.close()
        os.close(words)
        status = self._attend(child, ours)
        ours.close()
        os.lseek(log, 0, os.SEEK_SET)
        with os.fdopen(log, encoding="utf-8") as names:
            return names.read().splitlines(), status

    def _attend(self, child: int, pipe: multiprocessing.connection.Connection) -> int:
        """Do what the child asks for until it ends; return its exit status, negative where a signal ended it."""
        deadline = time.monotonic() + DEADLINE_S
        with _open_process(child) as process:
            watched = [process, pipe]
            while process not in (ready := select.select(watched, [], [], deadline - time.monotonic())[0]):
                if not ready:
                    os.kill(child, signal.SIGABRT)
                    break
                try:
                    self._happen(pipe.recv())
                    pipe.send(None)
                except (EOFError, OSError):  # it died while it asked
                    watched.remove(pipe)
            _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)

    def _happen(self, event: str) -> None:
        self._done.add(event)
        match event:
            case "light":
                for vendor in VENDORS:
                    self._vendors(vendor, "light_up")
            case "wait for submit":
                self._vendors(VENDORS[0], "wait_for_submits", 1)
            case "cancel":
                self._run(Order(arguments=("cancel", self._messages[0]), home=self.home))
            case "somebody else dies":
                arguments = ("send", "--now", "--to", _OTHER, "--text", "disk full on db9", "--key", "other")
                self._run(Order(arguments=arguments, home=self.home, last="loop: exchange: before #1"))
            case _:
                raise ValueError(f"nobody knows how {event!r} happens")

    def last_words(self) -> str:
        """Return the end of what the last life wrote to its streams."""
        return (self.home / "words").read_text(errors="replace")[-300:]

    @staticmethod
    def count_copies(kept: Kept, ledgers: dict[str, Page]) -> int:
        """Count what phones received of ours."""
        ours = {one.delivery.to.mainland for one in kept.standings}
        return sum(one.number in ours for page in ledgers.values() for one in page.received)


@contextlib.contextmanager
def _open_process(child: int) -> Iterator[int]:
    descriptor = os.pidfd_open(child)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
