"""Plugins that say something wrong of themselves. See `catalogue`."""

from __future__ import annotations

import attrs

from tocsin.plugin import (
    Argument,
    Exchange,
    Operation,
    Secret,
    hookimpl,
)

from .catalogue import breaks
from .toy import Toy


@breaks("hooks_fit_the_contract")
class UnmarkedHook(Toy):
    """A hook without its marker is never called."""

    def fetch_mo(self, account, now):
        return Exchange(self.request(account, "mo"), self.decode_reports)


@breaks("hooks_fit_the_contract")
class DefaultInSignature(Toy):
    """An argument with a default is never filled."""

    @hookimpl
    def fetch_reports(self, account, now=None):
        return Exchange(self.request(account, "reports"), self.decode_reports)


@breaks("settings_are_frozen_and_keep_secrets")
class MutableSettings(Toy):
    """Settings that can be changed under the feet of an exchange."""

    @attrs.define(kw_only=True)
    class settings:
        user: str = "demo"
        password: Secret = attrs.field(default=Secret("demo-password"))


@breaks("settings_are_frozen_and_keep_secrets")
class PlainPassword(Toy):
    """A password that is any other text, hidden in one place of many."""

    @attrs.frozen(kw_only=True)
    class settings:
        user: str = "demo"
        password: str = attrs.field(default="demo-password", repr=False)

    def login(self, account):
        return {"user": account.settings.user, "password": account.settings.password}


@breaks("description_is_consistent")
class SlashedBaseUrl(Toy):
    """A base URL that ends in a slash doubles it in every request."""

    @hookimpl
    def describe_vendor(self):
        return attrs.evolve(super().describe_vendor(), base_url="http://toy.invalid/")


@breaks("description_is_consistent")
class TwinArguments(Toy):
    """An operation with two arguments of one name: one of them cannot be given."""

    @hookimpl
    def describe_vendor(self):
        twins = (Argument(name="channel", title="of one"), Argument(name="channel", title="of another"))
        listing = Operation(title="List the words", arguments=twins, exchange=self.list_keywords)
        return attrs.evolve(super().describe_vendor(), operations={"keywords": listing})


@breaks("account_promises_no_more_than_its_vendor")
class BetterThanItsVendor(Toy):
    """An account that claims a longer extension than its vendor has."""

    @hookimpl
    def capabilities(self, account):
        return attrs.evolve(self.can, extension_digits=6)
