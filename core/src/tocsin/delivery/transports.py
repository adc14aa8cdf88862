"""One transport for each account: the plugin's own where it opens one, else the HTTP pool that all share."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tocsin.errors import Reached, TransportError
from tocsin.model.account import Account
from tocsin.model.ids import AccountId
from tocsin.registry import VendorPlugin
from tocsin.wire.transport import Sink, Transport

CAUSE = "no-transport"
"""Why nothing was sent where the shared transport could not be made."""


class Transports:
    """Opens transports when they are first asked for, and closes them all.

    Args:
        make_http: makes the shared default, when it is first wanted: it reads the system's certificates.
        sink_for: makes the sink that takes what an account's own transport receives unasked.
    """

    def __init__(self, make_http: Callable[[], Transport], sink_for: Callable[[Account], Sink]) -> None:
        self._make_http = make_http
        self._http: Transport | None = None
        self._sink_for = sink_for
        self._lock = threading.Lock()
        self._opened: dict[AccountId, Transport] = {}

    def of(self, account: Account, plugin: VendorPlugin) -> Transport:
        """Return the account's transport.

        Raises:
            PluginError: the plugin could not open its own.
            TransportError: the shared one could not be made: the system has no certificates that can be read.
        """
        with self._lock:
            if account.id not in self._opened:
                own = plugin.open_transport(account, self._sink_for(account))
                self._opened[account.id] = self._shared() if own is None else own
            return self._opened[account.id]

    def close(self) -> None:
        """Close every transport."""
        with self._lock:
            for transport in self._opened.values():
                transport.close()
            self._opened.clear()

    def _shared(self) -> Transport:
        if self._http is None:
            try:
                self._http = self._make_http()
            except OSError as error:
                raise TransportError(reached=Reached.NO, cause=CAUSE) from error
        return self._http
