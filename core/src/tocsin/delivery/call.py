"""A vendor's extra operations: run by name, and settled by asking where their own answer was lost."""

from __future__ import annotations

from collections.abc import Mapping

from tocsin.delivery.parts import Parts
from tocsin.errors import AnswerError, InvalidInput, NotFound, PluginError, Reached, TransportError
from tocsin.model.account import Account, MakeExchange, Operation
from tocsin.wire.perform import perform

KEYWORDS = "keywords"
"""The operation whose answer, a tuple of words, is kept and screens texts before they are sent."""


def find_operation(parts: Parts, account: Account, name: str) -> Operation:
    """Return a vendor's operation.

    Raises:
        NotFound: the vendor has none of that name.
    """
    vendor = parts.fleet.registry.plugin_for(account).vendor
    if name not in vendor.operations:
        known = ", ".join(sorted(vendor.operations)) or "none"
        raise NotFound(f"vendor {vendor.name} has no operation {name}; it has {known}")
    return vendor.operations[name]


def call(parts: Parts, account: Account, name: str, arguments: Mapping[str, str]) -> object:
    """Run an operation; return what it found, or `Refused`.

    Raises:
        NotFound: the vendor has no such operation.
        InvalidInput: an argument is missing, unknown or cannot be.
        TransportError, AnswerError, PluginError: as for any query; of an operation that can be settled, only where
            asking did not settle it either.
    """
    operation = find_operation(parts, account, name)
    wanted = [argument.name for argument in operation.arguments]
    if wrong := sorted(set(wanted) ^ set(arguments)):
        raise InvalidInput(f"{name} takes {', '.join(wanted) or 'no arguments'}; look at {wrong[0]}")
    try:
        found = _run(parts, account, operation.exchange, arguments)
    except (TransportError, AnswerError) as error:
        if operation.settle is None or (isinstance(error, TransportError) and error.reached is Reached.NO):
            raise
        found = _run(parts, account, operation.settle, arguments)
    if name == KEYWORDS and isinstance(found, tuple):
        parts.store.save_keywords(account.id, tuple(str(word) for word in found), parts.clock.now())
    return found


def _run(parts: Parts, account: Account, make: MakeExchange, arguments: Mapping[str, str]) -> object:
    try:
        exchange = make(account, arguments, parts.clock.now())
    except Exception as error:  # noqa: BLE001 (the plugin seam)
        if isinstance(error, ValueError) and not isinstance(error, UnicodeError):  # that one would quote a secret
            raise InvalidInput(str(error)) from None
        raise PluginError(f"vendor {account.vendor}: the operation raised {type(error).__name__}") from None
    return perform(exchange, parts.transports.of(account, parts.fleet.registry.plugin_for(account)))
