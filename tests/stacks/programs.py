"""Programs of a stack as processes: each in a directory of its own, with its log in a file, ended by its id.

Nothing starts as a service of the system, and nothing runs as root: where the run is root's, all programs run as the
user that the monitoring packages bring, as they would on a real machine. Called by the rigs and by the service.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs

from ..waiting import Stuck, until
from .processes import are_gone, descendants, kill

USER = "nagios"
STOP_S = 30.0
_READING = ("dac_read_search", "dac_override")
"""Capabilities, the lesser first: not every container has it."""


class Missing(Exception):
    """A program is not installed, or cannot be run here; the text says what to do."""


@attrs.frozen
class Account:
    """Who runs the programs.

    Args:
        name: of the user.
        prefix: what stands before a command.
    """

    name: str
    prefix: tuple[str, ...]

    @property
    def group(self) -> str:
        """The name of the user's own group."""
        return grp.getgrgid(pwd.getpwnam(self.name).pw_gid).gr_name

    def give(self, path: Path) -> None:
        """Make a file or directory that account's own."""
        shutil.chown(path, self.name, self.group)

    def make_directory(self, path: Path) -> Path:
        """Make a directory that account's own, and return it."""
        path.mkdir(parents=True)
        self.give(path)
        return path

    def write(self, path: Path, text: str) -> Path:
        """Write a file of that account, for no one else to read; return its path."""
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        self.give(path)
        return path

    def run(self, *command: str, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [*self.prefix, *command],
            env={**os.environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=STOP_S * 4,
        )


_CAN_RUN = """
import os, subprocess, sys
import tocsin
sys.exit(sys.base_prefix != sys.argv[1] or subprocess.call([sys.executable, "-c", "import tocsin"]))
"""


def find_account() -> Account:
    """Return this run's own account, or where that is root's, the one of the monitoring packages.

    Where that may not even read the Python that runs this, such as one of root's, it is given the right to read; what
    it may write stays its own files.

    Raises:
        Missing: that account cannot run tocsin as it is installed here.
    """
    require("setpriv")
    plain = ("setpriv", "--pdeathsig", "TERM")  # nothing outlives a run that is killed
    if os.geteuid() != 0:
        return Account(pwd.getpwuid(os.geteuid()).pw_name, plain)
    user = (f"--reuid={USER}", f"--regid={USER}", "--clear-groups")
    for more in ((), *((f"--inh-caps=+{name}", f"--ambient-caps=+{name}") for name in _READING)):
        account = Account(USER, (*plain, *user, *more))
        if account.run(sys.executable, "-c", _CAN_RUN, sys.base_prefix).returncode == 0:
            return account
    raise Missing(f"user {USER} cannot run {sys.executable}: is it installed, and may it be read?")


def require(*programs: str) -> None:
    """Say which of these are not there.

    Raises:
        Missing: at least one is not.
    """
    absent = [name for name in programs if find_program(name) is None]
    if absent:
        raise Missing(f"not installed: {', '.join(absent)}; `make test-stacks` as root installs Debian's packages")


def find_program(name: str) -> str | None:
    """Return the path of a program, also where only root looks for it."""
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))


def free_port() -> int:
    """Return a port of loopback that nobody has, for a program that cannot be told to take any."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Program:
    """One process. It leads a group of its own, so that nothing it started outlives it.

    Args:
        command: with its arguments.
        home: its working directory; its log is there, too.
        account: who runs it.
        name: of its log; one that is there already is written on.
        environ: what it finds in its environment beside what this process has.
    """

    def __init__(
        self,
        command: Sequence[str],
        home: Path,
        account: Account,
        name: str = "program",
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._log = home / f"{name}.log"
        self._log_begins = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*account.prefix, *command],
                cwd=home,
                env={**os.environ, **(environ or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def log(self) -> str:
        """What it has said so far."""
        with self._log.open("rb") as log:
            log.seek(self._log_begins)
            return log.read().decode("utf-8", "replace")

    def says(self, pattern: str) -> re.Match[str]:
        """Wait until it says something that fits the pattern.

        Raises:
            Stuck: it has ended, or does not in time.
        """

        def find() -> re.Match[str] | None:
            found = re.search(pattern, self.log)
            if not found and not self.is_running:
                raise Stuck(f"{self.name} has ended with {self._process.returncode}: {self.log[-2000:]}")
            return found

        return until(find, f"{self.name} says {pattern}")

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let it do nothing meanwhile. It goes on afterwards, unless it is killed by then."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        """Tell it to end, and return the status with which it did. Kill it where it does not, and what it leaves."""
        started = descendants(self.pid)
        if self.is_running:
            self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            status = -signal.SIGKILL
        self.kill()
        kill(started)
        until(lambda: are_gone(started), f"what {self.name} had started is gone")
        return status

    def kill(self) -> None:
        """Kill it and all that it started, without a warning."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # nothing is left of it, or nothing that runs
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait(STOP_S)
