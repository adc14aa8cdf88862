"""The configuration as values: what every other part is given instead of a file."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from tocsin.config.store import Store
from tocsin.model.account import Account, Rate
from tocsin.model.ids import AccountId
from tocsin.model.limits import FleetLimits, OptOut
from tocsin.model.phone import E164
from tocsin.model.source import Source
from tocsin.policy.route import Route


@attrs.frozen(kw_only=True)
class GatewayKey:
    """Who may call the HTTP service, and for what.

    Args:
        name: for people and the audit.
        sha256: of the key, 64 lower-case hexadecimal digits; the key itself is nowhere stored.
        scopes: what it may do: `send:CLASS`, `read`, `cancel`.
        limits: how often it may be used, any of them binding; none for no limit.
    """

    name: str
    sha256: str = attrs.field(repr=False)
    scopes: tuple[str, ...]
    limits: tuple[Rate, ...] = ()


@attrs.frozen(kw_only=True)
class Gateway:
    """The HTTP service.

    Args:
        host: name or address to listen on, an IPv6 address without brackets.
        port: TCP port; 0 lets the system choose.
        keys: by whom it may be called.
        trusted_proxies: networks of reverse proxies: what they say of whom they speak for is believed.
    """

    host: str = "127.0.0.1"
    port: int = 8470
    keys: tuple[GatewayKey, ...] = ()
    trusted_proxies: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Config:
    """A whole `tocsin.toml` without a finding.

    Args:
        source: the file's name as the user gave it.
        store: where messages are kept.
        accounts: by name, in the order written.
        groups: recipients by the group's name.
        routes: in the order written; the first that takes a message has it.
        gateway: the HTTP service.
        limits: what holds for all accounts together.
        opt_out: how people say that they want no more.
        sources: of alerts, by name; those that nobody configured are there by the names of their kinds.
    """

    source: str
    store: Store
    accounts: Mapping[AccountId, Account]
    groups: Mapping[str, tuple[E164, ...]]
    routes: tuple[Route, ...]
    gateway: Gateway
    limits: FleetLimits = attrs.field(factory=FleetLimits)
    opt_out: OptOut = attrs.field(factory=OptOut)
    sources: Mapping[str, Source] = attrs.field(factory=dict)
