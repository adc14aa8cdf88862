"""The configuration: `tocsin.toml` read once, at start, into frozen values.

Nothing else in tocsin reads the configuration's files or the environment, and nothing here talks to a vendor or opens
the store. `load` is the way in; `values` is what comes out. Each part is loaded when it is first asked for: who is in a
hurry asks `file` alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tocsin.config.file import find_config as find_config
    from tocsin.config.file import load_store as load_store
    from tocsin.config.load import load_config as load_config
    from tocsin.config.store import Store as Store
    from tocsin.config.template import TEMPLATE as TEMPLATE
    from tocsin.config.values import Config as Config
    from tocsin.config.values import Gateway as Gateway
    from tocsin.config.values import GatewayKey as GatewayKey

_PLACES = {
    "find_config": "file",
    "load_store": "file",
    "load_config": "load",
    "Store": "store",
    "TEMPLATE": "template",
    "Config": "values",
    "Gateway": "values",
    "GatewayKey": "values",
}

__all__ = ["TEMPLATE", "Config", "Gateway", "GatewayKey", "Store", "find_config", "load_config", "load_store"]


def __getattr__(name: str) -> object:
    if name in _PLACES:
        return getattr(import_module(f"tocsin.config.{_PLACES[name]}"), name)
    raise AttributeError(f"module 'tocsin.config' has no attribute {name!r}")
