"""Whose address a request comes from, and whether it is on a list. Pure.

Anybody may write X-Forwarded-For. What trusted proxies added to it stands at its end, so it is read from there, up to
the first address that is no trusted proxy. Where it cannot be read, the peer is whoever is connected.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_WITH_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::[0-9]{1,5})?")
_LONGEST = 64


def read_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return the networks of a list as the configuration holds it."""
    return tuple(ipaddress.ip_network(text) for text in texts)


def is_within(address: str, networks: Iterable[Network]) -> bool:
    """Say whether an address is in one of the networks; a text that is no address is in none."""
    found = _read(address)
    return found is not None and any(found in network for network in networks)


def find_peer(connected: str, forwarded: str, proxies: tuple[Network, ...]) -> str:
    """Return the address of whoever made a request.

    Args:
        connected: address of the other end of the connection.
        forwarded: X-Forwarded-For; several are one, joined by commas in their order.
        proxies: whose word is taken.
    """
    if not is_within(connected, proxies):
        return _plain(connected)
    rest = forwarded
    while rest:
        rest, _, last = rest.rpartition(",")
        address = _read(_without_port(last.strip()))
        if address is None:
            break
        if not any(address in network for network in proxies):
            return str(address)
    return _plain(connected)


def _plain(text: str) -> str:
    address = _read(text)
    return "" if address is None else str(address)


def _read(text: str) -> Address | None:
    """Return an address, an IPv4 one that is mapped into IPv6 as what it is; None for what is none."""
    if len(text) > _LONGEST or "%" in text:
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _without_port(text: str) -> str:
    """Return an address without the port that some proxies write behind it."""
    written = _WITH_PORT.fullmatch(text) if len(text) <= _LONGEST else None
    return text if written is None else written[1] or written[2]
