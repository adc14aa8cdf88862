"""Nagios 4, never as root; results come in by its command pipe.

Its notification command is the one of docs/how-to/nagios.md, word for word. It reminds only when a result comes in, so
whoever wants it to repeat hands in the same result again. Called by the scenarios.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from ..waiting import until
from .definitions import Definitions
from .icinga import hand_in
from .people import HOST, PEOPLE
from .programs import Account, Program, find_program, require

PROGRAM = "nagios4"

_SETTINGS = """\
log_file={home}/nagios.log
cfg_file={objects}
object_cache_file={home}/objects.cache
precached_object_file={home}/objects.precache
status_file={home}/status.dat
command_file={pipe}
query_socket={home}/nagios.qh
lock_file={home}/nagios.pid
temp_file={home}/nagios.tmp
temp_path={home}
check_result_path={spool}
state_retention_file={home}/retention.dat
log_archive_path={home}
use_syslog=0
check_external_commands=1
accept_passive_service_checks=1
enable_notifications=1
enable_flap_detection=0
check_for_updates=0
interval_length=1
notification_timeout=300
illegal_macro_output_chars=`~$&|'"<>
"""
_OBJECTS = """\
{definitions}
define timeperiod {{
  timeperiod_name always
  alias always
  {always}
}}
define command {{
  command_name idle
  command_line /bin/true
}}
define host {{
  host_name {host}
  address 192.0.2.10
  check_command idle
  active_checks_enabled 0
  max_check_attempts 1
  check_period always
  notification_interval 0
  notification_period always
  contacts {people}
}}
"""
_CONTACT = """\
define contact {{
  contact_name {name}
  pager {number}
  host_notification_period always
  service_notification_period always
  host_notification_options d,u,r
  service_notification_options w,u,c,r
  host_notification_commands {host_command}
  service_notification_commands {service_command}
}}
"""
_SERVICE = """\
define service {{
  host_name {host}
  service_description {unit}
  check_command idle
  active_checks_enabled 0
  passive_checks_enabled 1
  max_check_attempts 1
  check_period always
  notification_interval 1
  notification_period always
  notification_options w,u,c,r
  contacts {people}
}}
"""
_WEEK = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_FAILED = re.compile(r"wproc: NOTIFY job .*(?:\n.*wproc:   .*)*")
_DURABLE = re.compile(r"stdout line 01: (?:spooled|message|nothing new)")
"""A worker of Nagios overlooks now and then that a command has ended, and reports it as timed out (nagioscore#84)."""

_TOLD = re.compile(r"^\[\d+\] SERVICE NOTIFICATION: ", re.MULTILINE)


class Nagios:
    """One Nagios.

    Args:
        home: an empty directory.
        account: who runs it.
        definitions: the notification commands, from the documents.
        units: what it watches.
    """

    def __init__(
        self,
        home: Path,
        account: Account,
        definitions: Definitions,
        units: Iterable[str],
    ) -> None:
        require(PROGRAM)
        self._pipe, self._home = home / "nagios.cmd", home
        watched = tuple(units)
        settings = _settings(self._pipe, home, account, definitions, watched)
        # It starts itself again by the name that it was called by, so the whole path is given.
        self._program = Program([str(find_program(PROGRAM)), str(settings)], home, account, "output")
        self._program.says("Successfully launched command file worker")
        until(self._pipe.is_fifo, "Nagios listens")
        hand_in(self._pipe, watched, 0, "is up")
        until(lambda: self._log.count("PASSIVE SERVICE CHECK") >= len(watched), "Nagios has the first results")

    @property
    def told(self) -> int:
        """How many notification commands it has started so far."""
        return len(_TOLD.findall(self._log))

    @property
    def complaints(self) -> tuple[str, ...]:
        """What it says of notification commands that did not end well."""
        return failures(self._log)

    def fire(self, units: Iterable[str]) -> None:
        """Hand in a bad result for each unit."""
        hand_in(self._pipe, units, 2, "is down")

    def repeat(self, units: Iterable[str]) -> None:
        """Hand in the same result once more for each unit."""
        hand_in(self._pipe, units, 2, "is down")

    def resolve(self, units: Iterable[str]) -> None:
        """Hand in a good result for each unit."""
        hand_in(self._pipe, units, 0, "is up")

    def stop(self) -> None:
        """End it."""
        self._program.stop()

    @property
    def _log(self) -> str:
        log = self._home / "nagios.log"
        return log.read_text("utf-8", "replace") if log.exists() else ""


def failures(log: str) -> tuple[str, ...]:
    """Return what a log says of notification commands that did not make their notification durable."""
    return tuple(found for found in _FAILED.findall(log) if not _DURABLE.search(found))


def _settings(pipe: Path, home: Path, account: Account, definitions: Definitions, units: Iterable[str]) -> Path:
    objects = account.write(home / "objects.cfg", _objects(definitions, units))
    spool = account.make_directory(home / "spool")
    settings = _SETTINGS.format(home=home, pipe=pipe, objects=objects, spool=spool)
    return account.write(home / "nagios.cfg", settings)


def _objects(definitions: Definitions, units: Iterable[str]) -> str:
    always = "\n  ".join(f"{day} 00:00-24:00" for day in _WEEK)
    people = ",".join(PEOPLE)
    objects = _OBJECTS.format(definitions=definitions.text, always=always, host=HOST, people=people)
    commands = {"host_command": definitions.host_command, "service_command": definitions.service_command}
    contacts = "".join(_CONTACT.format(name=name, number=number, **commands) for name, number in PEOPLE.items())
    return objects + contacts + "".join(_SERVICE.format(host=HOST, unit=unit, people=people) for unit in units)
