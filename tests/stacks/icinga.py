"""Icinga 2 with its checker and notification features; results come in by its command pipe.

Its notification command is the one of docs/how-to/icinga.md, word for word. Called by the scenarios.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from pathlib import Path

from ..waiting import until
from .definitions import Definitions
from .people import HOST, PEOPLE
from .programs import Account, Missing, Program

REMINDS_AFTER_S = 2
"""It looks every five seconds whether to remind anybody. With many units it does so more seldom: each reminder is a
process for each person, and what is to be shown is no storm of processes."""

_BINARIES = ("/usr/lib/*/icinga2/sbin/icinga2", "/usr/lib*/icinga2/sbin/icinga2")
"""The program itself. What stands in /usr/sbin is a script that wants to be root."""

_DIRECTORIES = ("Data", "Log", "Cache", "Spool", "InitRun", "Config", "Zones", "Pki")
_FILES = ("Pid", "ModAttr", "Vars", "Objects", "State")

_SETTINGS = """\
include <itl>
const NodeName = "watch"
object Endpoint NodeName {{}}
object Zone "watch" {{ endpoints = [ NodeName ] }}
object CheckerComponent "checker" {{}}
object NotificationComponent "notification" {{}}
object ExternalCommandListener "command" {{ command_path = "{pipe}" }}
{definitions}
object Host "{host}" {{
  check_command = "dummy"
  enable_active_checks = false
  max_check_attempts = 1
  address = "192.0.2.10"
}}
apply Notification "tocsin" to Service {{
  command = "{command}"
  users = [ {users} ]
  interval = {interval}s
  vars.tocsin_class = "critical"
  assign where true
}}
"""
_USER = """\
object User "{name}" {{ pager = "{number}" }}
"""
_SERVICE = """\
object Service "{unit}" {{
  host_name = "{host}"
  check_command = "dummy"
  enable_active_checks = false
  max_check_attempts = 1
}}
"""
_COMPLETED = re.compile(r"Completed sending '\w+' notification")
_FAILED = re.compile(r"warning/PluginNotificationTask: .*")


class Icinga:
    """One Icinga 2.

    Args:
        home: an empty directory.
        account: who runs it.
        definitions: the notification command, from the documents.
        units: what it watches.
    """

    def __init__(
        self,
        home: Path,
        account: Account,
        definitions: Definitions,
        units: Iterable[str],
    ) -> None:
        self._pipe = home / "run" / "command"
        watched = tuple(units)
        settings = account.write(home / "icinga2.conf", _settings(self._pipe, definitions, watched))
        command = (_binary(), "--no-stack-rlimit", "daemon", "-c", str(settings), *_constants(home, account))
        self._program = Program(command, home, account, "icinga2")
        until(lambda: self._pipe.is_fifo() or not self._program.is_running, "Icinga listens")
        self._program.says("Activated all objects")
        self._say(watched, 0, "is up")
        until(lambda: self._program.log.count("is up") >= len(watched), "Icinga has the first results")

    @property
    def told(self) -> int:
        """How many notification commands have ended well so far."""
        return len(_COMPLETED.findall(self._program.log))

    @property
    def complaints(self) -> tuple[str, ...]:
        """What it says of notification commands that did not end well."""
        return tuple(_FAILED.findall(self._program.log))

    def fire(self, units: Iterable[str]) -> None:
        """Hand in a bad result for each unit."""
        self._say(units, 2, "is down")

    def repeat(self, units: Iterable[str]) -> None:
        """Do nothing: it reminds by itself."""

    def resolve(self, units: Iterable[str]) -> None:
        """Hand in a good result for each unit."""
        self._say(units, 0, "is up")

    def stop(self) -> None:
        """End it."""
        self._program.stop()

    def _say(self, units: Iterable[str], status: int, what: str) -> None:
        hand_in(self._pipe, units, status, what)


def hand_in(pipe: Path, units: Iterable[str], status: int, what: str) -> None:
    """Write a result of each unit into the command pipe, in the words that Icinga and Nagios share."""
    with pipe.open("w") as commands:
        for unit in units:
            result = f"[{int(time.time())}] PROCESS_SERVICE_CHECK_RESULT;{HOST};{unit};{status};{unit} {what}\n"
            commands.write(result)
            commands.flush()  # a line at a time: what is longer than a pipe takes at once could be torn


def _settings(pipe: Path, definitions: Definitions, units: tuple[str, ...]) -> str:
    settings = _SETTINGS.format(
        pipe=pipe,
        definitions=definitions.text,
        host=HOST,
        command=definitions.service_command,
        users=", ".join(f'"{name}"' for name in PEOPLE),
        interval=max(REMINDS_AFTER_S, len(units)),
    )
    users = "".join(_USER.format(name=name, number=number) for name, number in PEOPLE.items())
    return settings + users + "".join(_SERVICE.format(unit=unit, host=HOST) for unit in units)


def _constants(home: Path, account: Account) -> list[str]:
    run_as = [f"-DRunAsUser={account.name}", f"-DRunAsGroup={account.group}"]
    directories = [f"-D{name}Dir={account.make_directory(home / _place(name))}" for name in _DIRECTORIES]
    return [*run_as, *directories, *(f"-D{name}Path={home / 'data' / name.lower()}" for name in _FILES)]


def _place(name: str) -> str:
    return "run" if name == "InitRun" else name.lower()


def find_binary() -> str | None:
    """Return the path of the program itself, which is no service's script; None where it is not installed."""
    found = [path for pattern in _BINARIES for path in sorted(Path("/").glob(pattern[1:]))]
    return str(found[0]) if found else None


def _binary() -> str:
    if (found := find_binary()) is None:
        raise Missing("not installed: icinga2; `make test-stacks` as root installs Debian's packages")
    return found
