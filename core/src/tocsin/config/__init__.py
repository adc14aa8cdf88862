"""The configuration: `tocsin.toml` read once, at start, into frozen values.

Nothing else in tocsin reads the configuration's files or the environment, and nothing here talks to a vendor or opens
the store. `load` is the way in; `values` is what comes out.
"""

from __future__ import annotations

from tocsin.config.load import find_config, load_config, load_store
from tocsin.config.template import TEMPLATE
from tocsin.config.values import Config, Gateway, GatewayKey, Store

__all__ = ["TEMPLATE", "Config", "Gateway", "GatewayKey", "Store", "find_config", "load_config", "load_store"]
