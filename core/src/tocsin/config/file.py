"""The file `tocsin.toml`: where it is, what stands in it, and of all that the little that is needed in a hurry."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from tocsin.config.findings import Findings
from tocsin.config.groups import read_groups
from tocsin.config.store import Store, read_store
from tocsin.config.table import Table
from tocsin.errors import ConfigError
from tocsin.model.phone import E164

_VARIABLE = "TOCSIN_CONFIG"
_FILE = "tocsin.toml"


def find_config(option: str | None, environ: Mapping[str, str], cwd: Path) -> Path:
    """Return the path of the configuration: `--config`, else `$TOCSIN_CONFIG`, else `./tocsin.toml`.

    Args:
        option: what `--config` says.
        environ: the environment.
        cwd: what relative names start from.

    Raises:
        ConfigError: there is no such file.
    """
    path = cwd / (option or environ.get(_VARIABLE) or _FILE)
    if not os.path.exists(path):
        raise _missing(path)
    return path


def load_store(path: Path) -> tuple[Store, Mapping[str, tuple[E164, ...]] | None]:
    """Read of a configuration where its store is, and its groups; None for the groups where it has no such table.

    For whoever is in a hurry, or may not read the rest: no secret is asked for, and nothing else is looked at.

    Raises:
        ConfigError: with every finding in these two tables.
    """
    findings = Findings()
    root = Table("", parse_file(path), findings)
    store = read_store(root.table("store"), path.absolute().parent)
    groups = read_groups(root.table("groups"))
    if findings.lines:
        raise ConfigError(str(path), tuple(findings.lines))
    return store, groups if "groups" in root.content else None


def parse_file(path: Path) -> dict[str, object]:
    """Return what a configuration holds. Raises as `read_toml` does."""
    if not os.path.exists(path):
        raise _missing(path)
    return read_toml(path)


def read_toml(path: Path) -> dict[str, object]:
    """Return what a TOML file holds.

    Raises:
        ConfigError: it cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        finding = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError:  # its text is left out, and it too: it holds the file's content
        finding = "expected UTF-8 text"
    except RecursionError:
        finding = "expected TOML that is nested less deeply"
    except ValueError as error:  # TOMLDecodeError, or a number that Python refuses to read
        finding = f"expected TOML: {error}"
    raise ConfigError(str(path), (finding,))


def _missing(path: Path) -> ConfigError:
    return ConfigError(str(path), ("no such file; `tocsin init` writes one, --config or $TOCSIN_CONFIG names another",))
