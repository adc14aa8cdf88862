"""The command definitions of the how-to pages, as a reader would copy them: what the documents say is what is run.

The only thing changed is where the program and its configuration are: a reader's are elsewhere than a test's. Called by
the rigs.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import attrs

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
PROGRAM = "/usr/bin/tocsin"
CONFIG = "/etc/tocsin/tocsin.toml"
"""Where the pages have both."""

_FENCED = re.compile(r"^```[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ICINGA = re.compile(r'^object NotificationCommand "([^"]+)"', re.MULTILINE)
_NAGIOS = re.compile(r"^\s*command_name\s+(\S+)", re.MULTILINE)


class Unfit(AssertionError):
    """A page does not hold what it should."""


@attrs.frozen(kw_only=True)
class Definitions:
    """What is copied into a monitoring system's configuration.

    Args:
        text: the objects.
        host_command, service_command: names of the commands.
    """

    text: str
    host_command: str
    service_command: str


def icinga(config: Path, pages: Path = PAGES) -> Definitions:
    """Return the notification commands of docs/how-to/icinga.md."""
    return _define(pages / "icinga.md", _ICINGA, config)


def nagios(config: Path, pages: Path = PAGES) -> Definitions:
    """Return the notification commands of docs/how-to/nagios.md."""
    return _define(pages / "nagios.md", _NAGIOS, config)


def _define(page: Path, name: re.Pattern[str], config: Path) -> Definitions:
    blocks = [block for block in _FENCED.findall(page.read_text(encoding="utf-8")) if name.search(block)]
    text = "\n".join(blocks)
    for place in (PROGRAM, CONFIG):
        if place not in text:
            raise Unfit(f"{page.name}: no definition names {place}")
    names = name.findall(text)
    return Definitions(
        text=text.replace(PROGRAM, str(Path(sys.executable).with_name("tocsin"))).replace(CONFIG, str(config)),
        host_command=_the_one(page, names, "host"),
        service_command=_the_one(page, names, "service"),
    )


def _the_one(page: Path, names: list[str], what: str) -> str:
    found = [name for name in names if what in name]
    if len(found) != 1:
        raise Unfit(f"{page.name}: expected one command for a {what}, found {len(found)}")
    return found[0]
