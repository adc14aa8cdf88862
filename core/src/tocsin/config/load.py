"""Find `tocsin.toml` and read it whole: every value or every finding."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType

from tocsin.config import units
from tocsin.config.accounts import read_accounts
from tocsin.config.findings import Findings
from tocsin.config.gateway import read_gateway
from tocsin.config.groups import read_groups
from tocsin.config.limits import read_fleet_limits, read_opt_out
from tocsin.config.routes import read_routes
from tocsin.config.secrets import SecretResolver
from tocsin.config.sources import read_sources
from tocsin.config.store import read_store
from tocsin.config.table import Table
from tocsin.config.values import Config, Store
from tocsin.errors import ConfigError
from tocsin.model.account import Vendor
from tocsin.model.alert import SourceKind
from tocsin.model.phone import E164

_VARIABLE = "TOCSIN_CONFIG"
_FILE = "tocsin.toml"
_NO_KINDS: Mapping[str, SourceKind] = MappingProxyType({})


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


def load_config(
    path: Path,
    *,
    vendors: Mapping[str, Vendor],
    environ: Mapping[str, str] | None,
    unavailable: Collection[str] = (),
    sources: Mapping[str, SourceKind] = _NO_KINDS,
) -> Config:
    """Read a configuration.

    Args:
        path: of the file; its directory is where relative names in it start from.
        vendors: usable vendors by name.
        environ: the environment, for secrets; None leaves them unread, for who sends nothing.
        unavailable: vendors whose plugin is installed and broken; see `read_accounts`.
        sources: usable kinds of alert sources by name.

    Raises:
        ConfigError: with every finding at once.
    """
    directory = path.absolute().parent
    findings = Findings()
    root = Table("", _parse(path), findings)
    inline = root.read("allow_inline_secrets", units.flag) or False
    secrets = SecretResolver(directory=directory, environ=environ, allow_inline=inline)
    accounts = root.table("accounts")
    config = Config(
        source=str(path),
        store=read_store(root.table("store"), directory),
        accounts=read_accounts(accounts, vendors, unavailable, secrets),
        groups=(groups := read_groups(root.table("groups"))),
        routes=read_routes(root, accounts.content.keys()),
        gateway=read_gateway(root.table("gateway")),
        limits=read_fleet_limits(root.table("limits")),
        opt_out=read_opt_out(root.table("opt_out")),
        sources=read_sources(root.table("sources"), sources, groups, secrets),
    )
    root.refuse_unasked()
    if findings.lines:
        raise ConfigError(str(path), tuple(findings.lines))
    return config


def load_store(path: Path) -> tuple[Store, Mapping[str, tuple[E164, ...]] | None]:
    """Read of a configuration where its store is, and its groups; None for the groups where it has no such table.

    For whoever is in a hurry, or may not read the rest: no secret is asked for, and nothing else is looked at.

    Raises:
        ConfigError: with every finding in these two tables.
    """
    findings = Findings()
    root = Table("", _parse(path), findings)
    store = read_store(root.table("store"), path.absolute().parent)
    groups = read_groups(root.table("groups"))
    if findings.lines:
        raise ConfigError(str(path), tuple(findings.lines))
    return store, groups if "groups" in root.content else None


def _parse(path: Path) -> dict[str, object]:
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
