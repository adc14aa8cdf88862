"""tocsin: notifications over SMS vendors, with honest outcomes and failover on evidence.

`from tocsin import Tocsin` is the library's front door. It is loaded when first asked for, so that a plugin's
codec, which needs values alone, never imports sockets or a store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tocsin.app import Tocsin as Tocsin

__version__ = "0.1.0"
__all__ = ["Tocsin", "__version__"]


def __getattr__(name: str) -> object:
    if name == "Tocsin":
        from tocsin.app import Tocsin

        return Tocsin
    raise AttributeError(f"module 'tocsin' has no attribute {name!r}")
