"""The `[store]` table: where messages are kept."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import attrs

from tocsin.config import units
from tocsin.config.findings import Unfit
from tocsin.config.table import Table

_SQLITE = re.compile(r"sqlite:///([^\x00-\x1f?#]*[^\x00-\x1f?#/])")
_POSTGRESQL = ("postgresql:", "postgres:")
_DEFAULT_FILE = "tocsin.db"


@attrs.frozen(kw_only=True)
class Store:
    """Where messages are kept.

    Args:
        path: absolute path of the SQLite file.
        spool: absolute path of the directory that takes notifications for the store; None for one of its own beside it.
    """

    path: Path
    spool: Path | None = None


def read_store(table: Table, directory: Path) -> Store:
    """Return where the store is; without the table, `tocsin.db` beside the configuration.

    Args:
        table: `[store]`.
        directory: absolute; relative paths start from it.
    """
    path = table.read("url", partial(_sqlite_path, directory)) or directory / _DEFAULT_FILE
    spool = table.read("spool", partial(_spool_path, directory))
    if table.take("key") is not None:
        table.note("key", "encryption at rest is not available yet; leave it out")
    table.refuse_unasked()
    return Store(path=path, spool=spool)


def _sqlite_path(directory: Path, value: object) -> Path:
    url = units.text(value)
    if url.startswith(_POSTGRESQL):
        raise Unfit("postgresql:// is not available yet; expected sqlite:///tocsin.db")
    written = _SQLITE.fullmatch(url)
    if written is None or written[1] == ":memory:":
        raise Unfit("expected sqlite:///tocsin.db (beside this file) or sqlite:////var/lib/tocsin/tocsin.db")
    return directory / written[1]


def _spool_path(directory: Path, value: object) -> Path:
    written = units.text(value)
    if not written.isprintable():
        raise Unfit("expected the path of a directory, such as /var/spool/tocsin")
    return directory / written
