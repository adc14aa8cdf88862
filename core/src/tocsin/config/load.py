"""Read `tocsin.toml` whole: every value or every finding."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType

from tocsin.config import units
from tocsin.config.accounts import read_accounts
from tocsin.config.file import parse_file
from tocsin.config.findings import Findings
from tocsin.config.gateway import read_gateway
from tocsin.config.groups import read_groups
from tocsin.config.limits import read_fleet_limits, read_opt_out
from tocsin.config.routes import read_routes
from tocsin.config.secrets import SecretResolver
from tocsin.config.sources import read_sources
from tocsin.config.store import read_store
from tocsin.config.table import Table
from tocsin.config.values import Config
from tocsin.errors import ConfigError
from tocsin.model.account import Vendor
from tocsin.model.alert import SourceKind

_NO_KINDS: Mapping[str, SourceKind] = MappingProxyType({})


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
    root = Table("", parse_file(path), findings)
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
