"""What a vendor states of its plugin to the conformance kit, and what the laws derive from that. No law stands here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest
from pluggy import PluginValidationError

from tocsin.errors import PluginError
from tocsin.plugin import E164, Account, Capabilities, Exchange, Secret, Submission
from tocsin.registry import VendorPlugin
from tocsin.testing.law import LawBroken
from tocsin.testing.vectors import Vector, has_answer, has_push, load_vectors

QUERIES = {"balance": "query_balance", "reports": "fetch_reports", "mo": "fetch_mo"}
"""Kinds of vectors and the hooks that they belong to."""


class Declaration:
    """What a vendor states. Only the first three have no default; one of `sandbox` and `read_submit` is needed."""

    plugin: ClassVar[object]
    """What the entry point loads: most often the package."""

    account: ClassVar[Account]
    """An example account; its settings are those of the vectors."""

    vectors: ClassVar[Path]
    """The directory of the golden vectors."""

    sandbox: ClassVar[str] = ""
    """Name of the vendor's sandbox; empty for none."""

    read_submit: ClassVar[Any] = None
    """A static method: takes a submit's `HttpRequest`, returns what each phone gets of it (`Arrival`s)."""

    now: ClassVar[datetime] = datetime(2026, 1, 1, tzinfo=UTC)
    """When the vectors happen, where they do not say."""

    variants: ClassVar[tuple[Mapping[str, object], ...]] = ()
    """Further settings under which the laws of requests hold; each of the account's interfaces is one already."""

    stranger: ClassVar[Mapping[str, object]] = {}
    """Settings of another account, whose pushes this one refuses; empty where no push names its account."""

    refusing_statuses: ClassVar[frozenset[int]] = frozenset()
    """HTTP statuses that the vendor's document lists as proof of refusal."""

    first_recipient: ClassVar[E164] = E164("+8613900000000")
    """A number that the vendor reaches, and after it as many as one submit may hold."""

    expected_failures: ClassVar[Mapping[str, str]] = {}
    """Laws that this plugin breaks, with the reason: `law`, or `law[vector]` for one vector alone."""

    @staticmethod
    def installed() -> Iterable[EntryPoint]:
        """Return the entry points that vendors are found by."""
        return entry_points(group="tocsin.vendors")

    @cached_property
    def hooks(self) -> VendorPlugin:
        """The plugin as the core would call it.

        Raises:
            LawBroken: the core could not call it at all.
        """
        try:
            return VendorPlugin(self.account.vendor, self.plugin, "")
        except (PluginError, PluginValidationError) as error:
            raise LawBroken(f"the plugin cannot be called: {error}") from error

    @cached_property
    def golden(self) -> tuple[Vector, ...]:
        """Every vector that shows an exchange.

        Raises:
            LawBroken: there is none; no law holds for lack of examples.
        """
        found = tuple(filter(has_answer, load_vectors(self.vectors)))
        if not found:
            raise LawBroken("there are no golden vectors with an answer: no law can be tried on this plugin")
        return found

    @property
    def sends(self) -> tuple[Vector, ...]:
        """The vectors of submits."""
        return tuple(vector for vector in self.golden if vector.kind == "send")

    @property
    def pushes(self) -> tuple[Vector, ...]:
        """The vectors of pushes. Skips the law where the plugin takes none."""
        if not self.hooks.implements("verify_push"):
            pytest.skip("this vendor's plugin takes no pushes")
        return tuple(filter(has_push, load_vectors(self.vectors)))

    def one_of_each(self) -> tuple[Vector, ...]:
        """Return one vector for each kind, page and set of settings: they share a decoder."""
        first: dict[str, Vector] = {}
        for vector in self.golden:
            page = (vector.request or {}).get("path", "")
            first.setdefault(f"{vector.kind} {page} {sorted(vector.settings.items())}", vector)
        return tuple(first.values())

    def account_variants(self) -> Iterator[tuple[str, Account, Capabilities]]:
        """Yield the account as it is, with each other interface and with each variant; and what each can carry."""
        settings = self.account.settings
        named = getattr(settings, "interface", None)
        interfaces = self.hooks.vendor.capabilities.interfaces if named is not None else ()
        others = tuple({"interface": one} for one in interfaces if one != named)
        for changes in ({}, *others, *self.variants):
            account = change_settings(self.account, changes)
            name = ", ".join(f"{key} = {value}" for key, value in changes.items())
            yield name or "the account as it is", account, self.hooks.capabilities(account)

    def exchange(self, vector: Vector) -> Exchange[Any]:
        """Return the exchange that a vector shows."""
        account, now = change_settings(self.account, vector.settings), vector.now or self.now
        if vector.kind == "send":
            return self.hooks.send(account, vector.submission, now)
        if vector.kind in QUERIES:
            return getattr(self.hooks, QUERIES[vector.kind])(account, now)  # type: ignore[no-any-return]
        operation = self.hooks.vendor.operations.get(vector.table.get("operation", vector.kind))
        if operation is None:
            raise LawBroken(f"{vector.name}: the vendor has no operation {vector.kind}")
        return operation.exchange(account, vector.arguments, now)

    def exchange_for(self, account: Account, submission: Submission) -> Exchange[Any]:
        """Return the exchange of a submit at the usual time."""
        return self.hooks.send(account, submission, self.now)

    def verify(self, vector: Vector, **changes: Any) -> object:
        """Hand a vector's push, changed as told, to the plugin; `settings` changes the account."""
        account = change_settings(self.account, {**vector.settings, **changes.pop("settings", {})})
        push = attrs.evolve(vector.push, **changes)
        return self.hooks.verify_push(account, push, vector.now or self.now)


def change_settings(account: Account, changes: Mapping[str, object]) -> Account:
    """Return the account with some of its settings changed; the text of a secret becomes a secret."""
    settings: Any = account.settings
    typed = {
        name: Secret(str(value)) if isinstance(getattr(settings, name), Secret) and isinstance(value, str) else value
        for name, value in changes.items()
    }
    return attrs.evolve(account, settings=attrs.evolve(settings, **typed))
