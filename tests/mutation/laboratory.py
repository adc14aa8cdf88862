"""Runs tests against mutants: a copy of the tree, one process that has loaded what all tests need, a fork for each.

It never writes to the tree that it copies from, and ends only processes that it started.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import CodeType

import attrs

from .mutants import Mutant

TESTS = ("core/tests/conftest.py", "core/tests/policy", "core/tests/outbox/test_state.py")
COPIED = ("pyproject.toml", "core/src", *TESTS)
LOADED = ("hypothesis.stateful", "pytest", "tocsin.errors", "tocsin.model.outcome", "tocsin.model.report")
"""What every run needs and no mutant changes: loaded once."""

LEAST_TIMEOUT_S = 60.0
PATIENCE = 4
"""A mutant has so many times as long as the tests take without one."""

FATES = {0: "survived", 1: "killed", 2: "killed", 4: "killed"}
"""By pytest's exit status: all passed, some failed, or tests or their conftest could not even be loaded (that the
command itself is sound is known from the run without a mutant). Any other is no answer."""


@attrs.frozen(kw_only=True)
class Trial:
    """A mutant, and the tests that it has to fail, in the order in which they run."""

    mutant: Mutant
    tests: tuple[str, ...]


@attrs.frozen
class _Running:
    trial: Trial
    ends_at: float
    log: Path


class _Substitute(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds one module, with the source of a mutant."""

    def __init__(self, name: str, mutant: Mutant) -> None:
        self._name, self._mutant = name, mutant

    def find_spec(self, fullname: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        """Answer for the module alone."""
        return importlib.util.spec_from_loader(fullname, self) if fullname == self._name else None

    def get_source(self, fullname: str) -> str:
        """Return the mutant's source."""
        return self._mutant.source

    def get_code(self, fullname: str) -> CodeType:
        """Return the mutant, compiled."""
        return compile(self._mutant.source, f"<mutant of {self._mutant.module}>", "exec", dont_inherit=True)


class Laboratory:
    """A copy of the tree, in which mutants are tried.

    Args:
        tree: the root of the repository.
        room: an empty directory.
        jobs: how many are tried at a time.
    """

    def __init__(self, tree: Path, room: Path, jobs: int) -> None:
        self._room, self._jobs, self._timeout_s = room / "tree", jobs, LEAST_TIMEOUT_S
        self._logs = room
        for name in COPIED:
            source, target = tree / name, self._room / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)

    @property
    def package(self) -> Path:
        """The package in the copy."""
        return self._room / "core" / "src" / "tocsin"

    def prepare(self, tests: tuple[str, ...]) -> None:
        """Load what all need; make sure that the tests pass without a mutant, and fail with one that nobody can miss.

        Raises:
            RuntimeError: they do not, or the module under test would not be the copy's.
        """
        sys.path.insert(0, str(self._room / "core" / "src"))
        for name in LOADED:
            importlib.import_module(name)
        if any(name.startswith(("tocsin.policy", "tocsin.outbox")) for name in sys.modules):
            raise RuntimeError("a module under test is loaded before its mutants could be")
        began_at = time.monotonic()
        for module, source, expected in (
            ("policy/decision.py", (self.package / "policy" / "decision.py").read_text(encoding="utf-8"), "survived"),
            ("policy/decision.py", "raise RuntimeError('a mutant that nobody can miss')", "killed"),
        ):
            mutant = Mutant(module=module, line=0, operator="none", was="", now="", source=source)
            ((_, fate),) = self.run([Trial(mutant=mutant, tests=tests)])
            if fate != expected:
                raise RuntimeError(f"the tests cannot tell mutants: {fate} where they should have {expected}")
            if expected == "survived":
                self._timeout_s = max(LEAST_TIMEOUT_S, PATIENCE * (time.monotonic() - began_at))

    def run(self, trials: Iterable[Trial]) -> Iterator[tuple[Trial, str]]:
        """Yield each trial with its fate, in the order in which they end."""
        running: dict[int, _Running] = {}
        waiting = iter(trials)
        try:
            while True:
                while len(running) < self._jobs and (trial := next(waiting, None)) is not None:
                    log = self._logs / f"{len(running)}-{time.monotonic_ns()}.log"
                    running[self._start(trial, log)] = _Running(trial, time.monotonic() + self._timeout_s, log)
                if not running:
                    return
                pid, fate = self._next_end(running)
                ended = running.pop(pid)
                if fate == "no answer":
                    raise RuntimeError(f"the tests gave no answer:\n{ended.log.read_text(errors='replace')[-4000:]}")
                ended.log.unlink()
                yield ended.trial, fate
        finally:
            for pid in running:
                _end(pid)

    def _next_end(self, running: dict[int, _Running]) -> tuple[int, str]:
        """Wait for one to end, or end one whose time is over."""
        while True:
            for pid, one in running.items():
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    return pid, FATES.get(os.waitstatus_to_exitcode(status), "no answer")
                if time.monotonic() > one.ends_at:
                    _end(pid)
                    return pid, "timeout"
            time.sleep(0.01)

    def _start(self, trial: Trial, log: Path) -> int:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            return pid
        status = 3
        try:
            os.setsid()
            output = os.open(log, os.O_WRONLY | os.O_CREAT, 0o600)
            os.dup2(output, 1)
            os.dup2(output, 2)
            status = self._try(trial)
        finally:
            os._exit(status)

    def _try(self, trial: Trial) -> int:
        """Run the tests with the mutant in its module's place; in the child."""
        import hypothesis
        import pytest

        sys.dont_write_bytecode = True
        os.chdir(self._room)
        name = "tocsin." + trial.mutant.module.removesuffix(".py").replace("/", ".")
        sys.meta_path.insert(0, _Substitute(name, trial.mutant))
        phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
        hypothesis.settings.register_profile("mutation", phases=phases, derandomize=True, deadline=None, database=None)
        quiet = ("-x", "-q", "--tb=line", "-p", "no:xdist", "-W", "ignore::pytest.PytestAssertRewriteWarning")
        profile = "--hypothesis-profile=mutation"
        return int(pytest.main([*quiet, profile, *trial.tests]))


def _end(pid: int) -> None:
    """End a process that was started here, with its children, and wait for it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
