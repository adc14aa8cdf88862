"""The `[gateway]` table: where the HTTP service listens, and who may call it."""

from __future__ import annotations

import re

from tocsin.config import units
from tocsin.config.findings import Unfit, quote
from tocsin.config.table import Table
from tocsin.config.values import Gateway, GatewayKey
from tocsin.model.message import MessageClass

_LISTEN = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})")
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")
SCOPES = (*(f"send:{cls.value}" for cls in MessageClass), "read", "cancel")


def read_gateway(table: Table) -> Gateway:
    """Return the HTTP service's settings; the defaults without the table."""
    host, port = table.read("listen", _listen) or (Gateway().host, Gateway().port)
    keys: dict[str, GatewayKey] = {}
    for entry in table.tables("keys"):
        key = _read_key(entry)
        if key is not None and key.name in keys:
            entry.note("name", f"another key is named {quote(key.name)}")
        elif key is not None:
            keys[key.name] = key
    proxies = table.read_list("trusted_proxies", units.network) or ()
    table.refuse_unasked()
    return Gateway(host=host, port=port, keys=tuple(keys.values()), trusted_proxies=proxies)


def _read_key(table: Table) -> GatewayKey | None:
    name = table.need("name", units.text, "a name for the key")
    sha256 = table.need("sha256", _sha256, "the key's SHA-256, 64 hexadecimal digits")
    scopes = table.read_list("scopes", _scope, least=1)
    if "scopes" not in table.content:
        table.note("scopes", 'missing; expected a list such as ["send:alert"]')
    limits = table.read_list("limits", units.rate) or ()
    table.refuse_unasked()
    return GatewayKey(name=name, sha256=sha256, scopes=scopes, limits=limits) if name and sha256 and scopes else None


def _listen(value: object) -> tuple[str, int]:
    written = _LISTEN.fullmatch(value) if isinstance(value, str) else None
    if written is None or int(written[3]) > 65535:
        raise Unfit('expected address and port such as "127.0.0.1:8470"')
    return written[1] or written[2], int(written[3])


def _sha256(value: object) -> str:
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise Unfit("expected the SHA-256 of the key, 64 hexadecimal digits")
    return value.lower()


def _scope(value: object) -> str:
    if not isinstance(value, str) or value not in SCOPES:
        raise Unfit(f"expected a scope: {', '.join(SCOPES)}")
    return value
