"""Laws of what a plugin says of itself: that it can be found, called, configured and believed."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Iterator

import attrs

from tocsin.hookspecs import VendorHooks
from tocsin.plugin import Capabilities
from tocsin.testing.declaration import Declaration
from tocsin.testing.law import Breach, LawBroken, law

_HOOKS = tuple(name for name in vars(VendorHooks) if hasattr(getattr(VendorHooks, name), "tocsin_spec"))
_SECRET = re.compile("passw|pwd|secret|token|api_?key", re.IGNORECASE)
_AT_BEST = ("personalised", "scheduling", "mms", "encrypted")


class ContractLaws(Declaration):
    """See each law."""

    @law
    def test_entry_point_is_installed(self) -> Iterator[Breach]:
        """The plugin is found under its vendor's name, and what is found is the plugin."""
        name = self.account.vendor
        found = [point for point in self.installed() if point.name == name]
        if len(found) != 1:
            yield Breach(name, f"{len(found)} entry points of group tocsin.vendors have this name")
        elif found[0].load() is not self.plugin:
            yield Breach(name, "the entry point loads something else")

    @law
    def test_hooks_fit_the_contract(self) -> Iterator[Breach]:
        """Every hook is marked and takes what the contract gives it, nothing by default; no required one is missing."""
        try:
            _ = self.hooks
        except LawBroken as error:
            yield Breach("plugin", str(error))
            return
        for name in _HOOKS:
            hook = getattr(self.plugin, name, None)
            if hook is None:
                continue
            if not hasattr(hook, "tocsin_impl"):
                yield Breach(name, "is not marked with hookimpl, so it is never called")
            elif any(one.default is not one.empty for one in inspect.signature(hook).parameters.values()):
                yield Breach(name, "has an argument with a default, which the contract never fills")

    @law
    def test_settings_are_frozen_and_keep_secrets(self) -> Iterator[Breach]:
        """Settings are a frozen attrs class, and what is named like a secret is typed `Secret`."""
        settings = self.hooks.vendor.settings
        if not attrs.has(settings) or not isinstance(self.account.settings, settings):
            yield Breach(settings.__name__, "is no attrs class, or not that of the example account")
            return
        for name, kind in typing.get_type_hints(settings).items():
            if kind is str and _SECRET.search(name):
                yield Breach(name, "is a secret and typed str")
            if not _is_frozen(self.account.settings, name):
                yield Breach(name, "can be set")

    @law
    def test_description_is_consistent(self) -> Iterator[Breach]:
        """Name, interfaces, base URL, limits and operations of the description do not contradict each other."""
        vendor = self.hooks.vendor
        can = vendor.capabilities
        wrong = {
            "name is not the account's vendor": vendor.name != self.account.vendor,
            "interfaces are none, or one is named twice": not can.interfaces or _twice(can.interfaces),
            "base_url is not absolute, or ends in a slash": not re.fullmatch(r"https?://[^?#]*[^/?#]", vendor.base_url)
            if vendor.base_url
            else False,
            "limits allow more recipients than a submit holds": vendor.limits.max_recipients > can.max_recipients,
        }
        yield from (Breach("describe_vendor", what) for what, applies in wrong.items() if applies)
        for name, operation in vendor.operations.items():
            if _twice(tuple(argument.name for argument in operation.arguments)):
                yield Breach(name, "has two arguments of one name")

    @law
    def test_account_promises_no_more_than_its_vendor(self) -> Iterator[Breach]:
        """An account's capabilities narrow the vendor's, whatever its settings."""
        best = self.hooks.vendor.capabilities
        for where, _, can in self.account_variants():
            yield from (Breach(where, f"{name} is more than the vendor's") for name in _beyond(can, best))


def _beyond(can: Capabilities, best: Capabilities) -> list[str]:
    more = [name for name in _AT_BEST if getattr(can, name) and not getattr(best, name)]
    more += [name for name in ("max_recipients", "extension_digits") if getattr(can, name) > getattr(best, name)]
    return more + ["interfaces"] * (not set(can.interfaces) <= set(best.interfaces))


def _twice(names: tuple[str, ...]) -> bool:
    return len(set(names)) < len(names)


def _is_frozen(settings: object, name: str) -> bool:
    try:
        setattr(settings, name, getattr(settings, name))
    except (attrs.exceptions.FrozenError, AttributeError):
        return True
    return False
