"""A `tocsin.toml` that works with running sandboxes as it stands. Called by `tocsin sandbox` and by the demo."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from tocsin.sandbox.running import RunningSandbox

SIGNATURE = "【Example】"


def example_config(sandboxes: Iterable[RunningSandbox], store_url: str = "sqlite:///tocsin.db") -> str:
    """Render a configuration with one account for each sandbox, named after its vendor, and one route over all.

    Args:
        sandboxes: in the order in which the route tries them.
        store_url: as in `[store] url`.
    """
    given = tuple(sandboxes)
    route = {"name": "all", "strategy": "failover", "accounts": [sandbox.vendor for sandbox in given]}
    tables = [
        "# The sandboxes' passwords are invented; a real one belongs in { env = … } or { file = … }.\n"
        "allow_inline_secrets = true\n",
        _table("[store]", {"url": store_url}),
        *(_table(f"[accounts.{sandbox.vendor}]", _account(sandbox)) for sandbox in given),
        _table("[[routes]]", route),
    ]
    return "\n".join(tables)


def _account(sandbox: RunningSandbox) -> Mapping[str, object]:
    return {
        "vendor": sandbox.vendor,
        **sandbox.account_settings,
        "base_url": sandbox.base_url,
        "insecure_http": "acknowledged",
        "signature": SIGNATURE,
    }


def _table(header: str, fields: Mapping[str, object]) -> str:
    # JSON's strings and lists of strings are TOML's as well.
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()]
    return "\n".join([header, *lines, ""])
