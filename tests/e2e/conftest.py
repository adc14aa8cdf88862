"""The operator's side: a directory with its tocsin.toml, and the command line in it, as a process or in this one.

Whatever a command says is checked here once for all tests: no traceback, no password anywhere, and on standard error
no text and no number that was given to it or to one before it.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import pytest
from tests.waiting import wait_until

from tocsin.cli.main import run
from tocsin.sandbox import RunningSandbox, example_config

DEADLINE_S = 40.0
_NUMBER = re.compile(r"1[3-9][0-9]{9}")


@attrs.frozen
class Ran:
    """How a command ended, and what it said."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return the one JSON document on standard output."""
        return json.loads(self.out)


class Terminal:
    """An operator in a directory of their own.

    Args:
        home: the directory; this process works in it, too.
        capture: catches what is printed in this process.

    Attributes:
        environ: what processes find in their environment beside what this one has.
        secrets: what no command may ever show.
        private: what may not stand on standard error; texts and numbers of all commands so far are.
    """

    def __init__(self, home: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self.environ: dict[str, str] = {}
        self.secrets = {"demo-password"}
        self.private: set[str] = set()
        self._capture = capture

    @property
    def config(self) -> Path:
        """The configuration."""
        return self.home / "tocsin.toml"

    def configure(self, *sandboxes: RunningSandbox, more: str = "", swap: Mapping[str, str] | None = None) -> None:
        """Write a configuration with an account for each sandbox, and one route that tries them in that order.

        Args:
            more: TOML behind the route: first its own keys, then further tables.
            swap: what to write in place of what stands there.
        """
        text = example_config(sandboxes)
        for old, new in (swap or {}).items():
            assert old in text, f"the configuration does not hold {old!r}"
            text = text.replace(old, new)
        self.config.write_text(text + more, encoding="utf-8")

    def run(self, *arguments: str, stdin: str = "", **environ: str) -> Ran:
        """Run a command as a process of its own."""
        ended = subprocess.run(
            _command(arguments),
            cwd=self.home,
            env={**os.environ, **self.environ, **environ},
            input=stdin.encode(),
            capture_output=True,
            timeout=DEADLINE_S,
        )
        return self._checked(Ran(ended.returncode, ended.stdout.decode(), ended.stderr.decode()), arguments)

    def begin(self, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start a command as a process of its own; the caller waits for its end."""
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        environ = {**os.environ, **self.environ}
        return subprocess.Popen(_command(arguments), cwd=self.home, env=environ, **{**pipes, **options})

    def call(self, *arguments: str) -> Ran:
        """Run a command in this process, where a process of its own would prove no more."""
        self._capture.readouterr()
        with _own_log():
            status = run(list(arguments))
        out, err = self._capture.readouterr()
        return self._checked(Ran(status, out, err), arguments)

    def send(self, to: str | Iterable[str], text: str, *more: str) -> Ran:
        """Send at once, in this process."""
        numbers = [to] if isinstance(to, str) else to
        recipients = [word for number in numbers for word in ("--to", number)]
        return self.call("send", "--now", "--json", *recipients, "--text", text, *more)

    def states(self) -> list[str]:
        """Return the state of every delivery, newest message first."""
        return [one["state"] for one in self.call("list", "--json").json]

    def until(self, holds: Callable[[], bool]) -> bool:
        """Wait until something holds; False where it does not in time."""
        return wait_until(holds)

    def become(self, *states: str) -> list[str]:
        """Wait until the deliveries are in those states, in any order; return the states that they are in."""
        wait_until(lambda: sorted(self.states()) == sorted(states))
        return sorted(self.states())

    def _checked(self, ran: Ran, arguments: Sequence[str]) -> Ran:
        assert "Traceback (most recent call last)" not in ran.out + ran.err
        for secret in self.secrets:
            assert secret not in ran.out + ran.err, "a secret was shown"
        self.private |= _private(arguments)
        for value in self.private:
            assert value not in ran.err, "a text or a number stands on standard error"
        return ran


class Worker:
    """`tocsin worker` as a process of its own. Its log is kept in a file, and checked when it has ended.

    Args:
        terminal: where it runs.
        arguments: behind `worker`.
    """

    def __init__(self, terminal: Terminal, *arguments: str, **options: Any) -> None:
        self._terminal = terminal
        self._log = terminal.home / f"worker-{len(list(terminal.home.glob('worker-*')))}.log"
        with self._log.open("wb") as log:
            self.process = terminal.begin("worker", *arguments, **{"stderr": log, **options})

    @property
    def log(self) -> str:
        """What it has said so far."""
        return self._log.read_text(encoding="utf-8")

    def has_said(self, word: str) -> bool:
        """Wait until it says that word; False where it does not in time, or has ended."""
        return wait_until(lambda: word in self.log or self.process.poll() is not None) and word in self.log

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self) -> Ran:
        """Tell it to end, and return how it did."""
        self.signal(signal.SIGTERM)
        return self.ended()

    def ended(self) -> Ran:
        """Wait for its end."""
        out, _ = self.process.communicate(timeout=DEADLINE_S)
        return self._terminal._checked(Ran(self.process.returncode, out.decode(), self.log), ())

    def close(self) -> None:
        """Leave nothing running."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=DEADLINE_S)


@contextmanager
def _own_log() -> Iterator[None]:
    """Undo what `--verbose` does to this process: a process of its own would end with it."""
    logger = logging.getLogger("tocsin")
    handlers, level = list(logger.handlers), logger.level
    try:
        yield
    finally:
        logger.handlers[:], logger.level = handlers, level


def _command(arguments: Iterable[str]) -> list[str]:
    return [sys.executable, "-m", "tocsin", *arguments]


def _private(arguments: Sequence[str]) -> set[str]:
    """Return the text and the numbers among a command's arguments."""
    texts = {value for option, value in pairwise(arguments) if option == "--text"}
    return {text for text in texts if len(text) > 3}.union(*(_NUMBER.findall(argument) for argument in arguments))


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """Give a terminal in an empty directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TOCSIN_CONFIG", raising=False)
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)  # a user's streams are buffered: what that does is shown here
    # Nobody speaks TLS on this loopback; to read the system's certificates is a tenth of a command's time.
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    return Terminal(tmp_path, capsys)


QUICK_POLLS = 'poll = { reports = "200ms", inbound = "200ms", balance = "1s" }\nsignature'


@pytest.fixture
def quick(terminal: Terminal) -> Callable[..., None]:
    """Give what configures sandboxes whose accounts are polled five times a second; see `Terminal.configure`."""

    def configure(*sandboxes: RunningSandbox, more: str = "", swap: Mapping[str, str] | None = None) -> None:
        terminal.configure(*sandboxes, more=more, swap={"signature": QUICK_POLLS, **(swap or {})})

    return configure


@pytest.fixture
def start_worker(terminal: Terminal) -> Iterator[Callable[..., Worker]]:
    """Give what starts a worker; each is ended with the test, if it has not been by then."""
    started: list[Worker] = []

    def begin(*arguments: str, **options: Any) -> Worker:
        started.append(Worker(terminal, *arguments, **options))
        return started[-1]

    yield begin
    for worker in started:
        worker.close()


@pytest.fixture
def working(start_worker: Callable[..., Worker]) -> Callable[..., Worker]:
    """Give what starts a worker, and returns when it works."""

    def begin(*arguments: str, **options: Any) -> Worker:
        worker = start_worker(*arguments, **options)
        assert worker.has_said("tocsin.worker.started"), worker.log
        return worker

    return begin


@pytest.fixture
def install(terminal: Terminal, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., None]:
    """Give what puts a distribution where Python finds it: modules, and a .dist-info made by hand.

    Its arguments: the distribution's name, an entry point by group, and each module's source by its name.
    """
    site = tmp_path_factory.mktemp("site")
    terminal.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH"))))

    def put(name: str, entry_points: Mapping[str, str], **modules: str) -> None:
        for module, source in modules.items():
            (site / f"{module}.py").write_text(textwrap.dedent(source), encoding="utf-8")
        info = site / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
        groups = [f"[{group}]\n{point}\n" for group, point in entry_points.items()]
        (info / "entry_points.txt").write_text("\n".join(groups), encoding="utf-8")

    return put
