"""The clients of a soak: two that embed the library, and the command line. Each is killed now and then.

Whatever a killed client had not heard of is said again under the same key, and some of what it had as well: the store
must know of each key once.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from random import Random

import attrs

from .plan import Said

ACKNOWLEDGED_S = 60.0
AGAIN = 5
"""So many of what was acknowledged a killed client's successor says once more."""

_ENVIRON = {**os.environ, "SSL_CERT_FILE": os.devnull}


class Accepted:
    """Which message each key stands for, as clients were told."""

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}
        self.troubles: list[str] = []
        self._changed = threading.Condition()

    def note(self, key: str, message: str) -> None:
        """Take an acknowledgement down."""
        with self._changed:
            if self.ids.setdefault(key, message) != message:
                self.troubles.append(f"{key} stands for {self.ids[key]} and for {message}")
            self._changed.notify_all()

    def wait_for(self, messages: Sequence[Said]) -> bool:
        """Wait until all of these are acknowledged; False where some are not in time."""
        with self._changed:
            return self._changed.wait_for(lambda: all(one.key in self.ids for one in messages), ACKNOWLEDGED_S)


class Client:
    """One client that embeds the library.

    Args:
        config: its tocsin.toml.
        messages: all that it says, in order.
        accepted: where acknowledgements go.
    """

    def __init__(self, config: Path, messages: Sequence[Said], accepted: Accepted) -> None:
        self._config = config
        self._messages = messages
        self._accepted = accepted
        self._said = 0
        self._start()

    def go_on(self, share: float) -> None:
        """Say all up to that share of the messages."""
        until = round(share * len(self._messages))
        self._say(self._messages[self._said : until])
        self._said = until

    def kill(self) -> None:
        """Kill the process, and have another one say again what was under way."""
        self._process.send_signal(signal.SIGKILL)
        self._close()
        said = self._messages[: self._said]
        heard = [one for one in said if one.key in self._accepted.ids]
        unheard = [one for one in said if one.key not in self._accepted.ids]
        self._start()
        self._say([*heard[-AGAIN:], *unheard])

    def finish(self) -> str:
        """Say all, and end; return what is wrong."""
        self.go_on(1.0)
        heard = self._accepted.wait_for(self._messages)
        status = self._close()
        return "" if heard and status == 0 else f"a client ended with {status}, and all was acknowledged: {heard}"

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.client", str(self._config)],
            cwd=Path(__file__).parents[2],
            env=_ENVIRON,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()

    def _close(self) -> int:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # killed with something unread
            self._process.stdin.close()
        self._reader.join()
        return self._process.wait()

    def _say(self, messages: Sequence[Said]) -> None:
        assert self._process.stdin is not None
        for one in messages:
            self._process.stdin.write(json.dumps(attrs.asdict(one)) + "\n")
        self._process.stdin.flush()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                if line.endswith("\n"):  # else it was killed within a line
                    told = json.loads(line)
                    self._accepted.note(told["key"], told["id"])


class CommandLine:
    """The command line as a client: one process to a message, run again under the same key where it was killed.

    Args:
        config: its tocsin.toml.
        accepted: where acknowledgements go.
        dice: says which are killed, and when.
    """

    def __init__(self, config: Path, accepted: Accepted, dice: Random) -> None:
        self._config = config
        self._accepted = accepted
        self._dice = dice
        self.kills = 0

    def say(self, one: Said) -> str:
        """Say a message until it is acknowledged; return what is wrong."""
        while self._dice.random() < 0.3:
            self._run(one, self._dice.uniform(0.1, 1.0))
        status = self._run(one, ACKNOWLEDGED_S)
        return "" if status == 0 else f"the command line ended with {status} on {one.key}"

    def _run(self, one: Said, seconds: float) -> int:
        recipients = [word for to in one.to for word in ("--to", to)]
        words = [*recipients, "--text", one.text, "--class", one.cls, "--key", one.key, "--json"]
        process = subprocess.Popen(
            [sys.executable, "-m", "tocsin", "--config", str(self._config), "send", *words],
            env=_ENVIRON,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            out, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            self.kills += 1
            process.communicate()
            return process.returncode
        if process.returncode == 0:
            self._accepted.note(one.key, json.loads(out)["id"])
        return process.returncode
