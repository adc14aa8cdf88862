"""Says whether the parts are there that the gateway needs beyond the core, before anything is begun."""

from __future__ import annotations

from importlib.util import find_spec

from tocsin.errors import MissingExtra

_NEEDED = ("falcon", "granian", "jinja2", "prometheus_client")


def need_gateway() -> None:
    """Return where all is installed.

    Raises:
        MissingExtra: something is not.
    """
    if any(find_spec(name) is None for name in _NEEDED):
        raise MissingExtra("gateway", "the HTTP service")
