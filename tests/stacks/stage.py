"""One stack and one tocsin, before two vendors: what a scenario does to them, and what is judged afterwards.

Called by the scenarios, which are called by the run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import Self

import attrs
from tests.crash.worker_judge import judge as judge_store
from tests.crash.worker_judge import load_kept

from tocsin.config import load_config
from tocsin.registry import build_registry

from ..waiting import Stuck, until
from .busy import locked
from .explained import explain_all
from .judge import FIRING, RESOLVED, Due, Verdict, judge, owed, read
from .people import PEOPLE, units
from .programs import Account
from .proxy import Proxy
from .rigs import Ground, Rig, Stack
from .service import AT_REST, Service
from .vendors import OnPhone, Vendors

QUIET_S = 3.0
"""A stack that says nothing for so long has nothing more to say: its intervals are shorter."""

_KILL_WITHIN_S = 3.0


class Stage:
    """The ground of one case. Entered, both vendors, tocsin and the stack are at work.

    Args:
        stack: which.
        account: who runs the programs.
        home: an empty directory of that account.
        count: how many units there are.
        settings: more tables of tocsin's configuration.
        tell: is told what goes on.
    """

    def __init__(
        self, stack: Stack, account: Account, home: Path, count: int, settings: str, tell: Callable[[str], None]
    ) -> None:
        self.stack, self.units, self.tell = stack, units(count), tell
        self._account, self._home, self._settings = account, home, settings
        self._exit = ExitStack()
        self._dice = Random(f"{stack.title} {count}")
        self._resolved = False

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            self._exit = undo
            self._begin()
            self._exit = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def _begin(self) -> None:
        self.tell("starting")
        self.vendors = self._exit.enter_context(Vendors())
        home = self._account.make_directory(self._home / "tocsin")
        accounts = self.vendors.settings
        self.service = Service(home, self._account, accounts, self._settings, self.stack.spools)
        self._exit.callback(self.service.abandon)
        self.service.start()
        self.proxy = Proxy(("127.0.0.1", self.service.port))
        self._exit.callback(self.proxy.close)
        ground = Ground(
            home=self._account.make_directory(self._home / "stack"),
            account=self._account,
            url=self.proxy.url,
            config=self.service.config,
            units=self.units,
        )
        self.rig: Rig = self.stack.begin(ground)
        self._exit.callback(self.rig.stop)

    def fire(self, named: Iterable[str]) -> None:
        """Let units break."""
        self.tell("firing")
        self.rig.fire(named)

    def resolve(self, named: Iterable[str]) -> None:
        """Let units be mended."""
        self.tell("resolving")
        self.rig.resolve(named)

    @contextmanager
    def told_once(self) -> Iterator[None]:
        """What is done within is awaited: the stack gets rid of as many notifications as there are units."""
        before = self.rig.told
        yield
        self._until_told(before + self._all)

    def let_repeat(self) -> None:
        """Wait until the stack has said twice again what it has said."""
        self.tell("repeating")
        before = self.rig.told

        def has_repeated() -> bool:
            self.rig.repeat(self.units)
            return self.rig.told >= before + 2 * self._all

        until(has_repeated, "the stack repeats itself", every_s=1.0)

    @contextmanager
    def slowed(self) -> Iterator[None]:
        """What is done within meets a gateway, or a store, that is slower than the stack's patience."""
        with self._answers_held() if self.stack.posts else self._store_locked():
            yield

    @contextmanager
    def _answers_held(self) -> Iterator[None]:
        before = self.proxy.requests
        self.proxy.hold(self.stack.answer_s)
        yield
        self.tell("holding answers back")
        # One that got its answer in time would not say it again so soon.
        until(lambda: self.proxy.requests >= before + 2 * self._all, "the stack loses patience")
        self.proxy.hold(0.0)

    @contextmanager
    def _store_locked(self) -> Iterator[None]:
        before = self.rig.told
        with locked(self.service.store, self._account):
            yield
            self.tell("holding the store")
            self._until_told(before + self._all)
            until(lambda: self.service.spooled >= self._all, "all wait on the spool")

    def on_phones(self, status: str) -> bool:
        """Say whether everybody has got each message of that kind."""
        return {one for one in self._owed if one.status == status} <= set(map(_read, self.vendors.on_phones))

    def kill(self, turn: int) -> None:
        """Kill gateway and worker, every second time their supervisor, too; see them at work again."""
        time.sleep(self._dice.uniform(0.0, _KILL_WITHIN_S))  # the moment of the kill, not a wait for anything
        self.tell(f"kill {turn}")
        if turn % 2:
            self.service.kill_processes()
            self.service.wait_until_ready()
        else:
            self.service.kill_all()
            self.service.start()

    def judge(self) -> Verdict:
        """Wait until all is quiet, end everything, and judge."""
        self.tell("coming to rest")
        troubles = list(self._come_to_rest())
        stories = explain_all(self.service.config, self._account)
        self.tell("judging")
        status = self.service.stop()
        if status != 0:
            troubles.append(f"tocsin serve ended with {status}")
        verdict = judge(self._owed, self.vendors.on_phones, stories)
        troubles += self._look_at_store()
        return attrs.evolve(verdict, violations=(*troubles, *verdict.violations))

    @property
    def _all(self) -> int:
        return len(self.units) * self.stack.notifications

    @property
    def _owed(self) -> frozenset[Due]:
        return owed(self.units, PEOPLE.values())

    def _until_told(self, count: int) -> None:
        until(lambda: self.rig.told >= count, f"the stack has got rid of {count} notifications")

    def _come_to_rest(self) -> Iterator[str]:
        for status in (FIRING, RESOLVED):
            yield from _hopefully(lambda status=status: self.on_phones(status), f"everybody has heard: {status}")
        yield from _hopefully(self._is_quiet, "the stack has no more to say")
        yield from self.rig.complaints
        self.rig.stop()
        yield from _hopefully(lambda: set(self.service.states()) <= AT_REST, "tocsin comes to rest")

    def _is_quiet(self) -> bool:
        """Listen for a while; say whether nothing was heard."""
        before = (self.rig.told, self.proxy.requests)
        time.sleep(QUIET_S)  # only time shows that nothing more comes
        return before == (self.rig.told, self.proxy.requests)

    def _look_at_store(self) -> Iterator[str]:
        done = self.service.run("verify")
        if done.returncode:
            yield f"tocsin verify: {done.returncode}: {done.stdout[-500:]}"
        registry = build_registry()
        sources = registry.described_sources()
        config = load_config(self.service.config, vendors=registry.described(), sources=sources, environ={})
        yield from judge_store(load_kept(config, ended_early=True), self.vendors.ledgers)


def _read(one: OnPhone) -> Due | None:
    return read(one.received.text, one.received.number)


def _hopefully(holds: Callable[[], bool], what: str) -> Iterator[str]:
    """Wait until something holds; say so where it does not in time."""
    try:
        until(holds, what)
    except Stuck as stuck:
        yield str(stuck)
