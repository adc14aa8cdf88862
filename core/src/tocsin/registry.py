"""Finds plugins, and calls them. Vendors are addressed: an account leads to one plugin, and only that one is called.

Each plugin has a manager of its own (see `docs/adr/0002-one-manager-per-plugin.md`), so that a broken, duplicate or
strange one is listed as unavailable with its reason, and takes nobody down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar, cast

import attrs
import pluggy

from tocsin import hookspecs
from tocsin.errors import PluginError
from tocsin.model.account import Account, Capabilities, Vendor
from tocsin.model.alert import AlertRequest, NotAlerts, Notice, SourceKind
from tocsin.model.balance import Balance
from tocsin.model.message import Message, OutcomeNotice
from tocsin.model.outcome import Refused, SendResult
from tocsin.model.push import PushRefused, PushRequest, VerifiedPush
from tocsin.model.report import Batch, InboundMessage, Report
from tocsin.model.submission import Submission
from tocsin.wire.http import Exchange
from tocsin.wire.transport import Sink, Transport

VENDORS = "tocsin.vendors"
MIDDLEWARE = "tocsin.middleware"
SOURCES = "tocsin.sources"
REQUIRED = ("describe_vendor", "capabilities", "fits", "send")

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Unavailable:
    """A plugin that cannot be used, and why."""

    name: str
    distribution: str
    why: str


class _Plugin:
    """One plugin behind a manager of its own."""

    def __init__(self, name: str, plugin: object, specifications: type) -> None:
        self.name = name
        self._manager = pluggy.PluginManager("tocsin")
        self._manager.add_hookspecs(specifications)
        self._manager.register(plugin, name)
        self._manager.check_pending()

    def implements(self, hook: str) -> bool:
        """Say whether the plugin has that hook."""
        return bool(getattr(self._manager.hook, hook).get_hookimpls())

    def _call(self, hook: str, expected: type[T], **arguments: Any) -> T:
        """Call a hook. Whatever it raises becomes a PluginError that quotes nothing: it may hold anything."""
        try:
            result = getattr(self._manager.hook, hook)(**arguments)
        except Exception as error:  # noqa: BLE001 (the plugin seam)
            raise PluginError(f"plugin {self.name}: {hook} raised {type(error).__name__}") from None
        if not isinstance(result, expected):
            raise PluginError(f"plugin {self.name}: {hook} returned {type(result).__name__}, not {expected.__name__}")
        return result


class VendorPlugin(_Plugin):
    """A vendor's plugin, with typed calls for its hooks. Each raises PluginError where the plugin is at fault."""

    def __init__(self, name: str, plugin: object, version: str) -> None:
        super().__init__(name, plugin, hookspecs.VendorHooks)
        self.version = version
        if missing := [hook for hook in REQUIRED if not self.implements(hook)]:
            raise PluginError(f"it lacks the hook {missing[0]}")
        self.vendor = self._call("describe_vendor", Vendor)
        if self.vendor.name != name:
            raise PluginError(f"its entry point is called {name}, but it describes vendor {self.vendor.name}")

    def capabilities(self, account: Account) -> Capabilities:
        return self._call("capabilities", Capabilities, account=account)

    def fits(self, account: Account, submission: Submission) -> str:
        return self._call("fits", str, account=account, submission=submission)

    def send(self, account: Account, submission: Submission, now: datetime) -> Exchange[SendResult]:
        return cast("Exchange[SendResult]", self._exchange("send", account=account, submission=submission, now=now))

    def query_balance(self, account: Account, now: datetime) -> Exchange[Balance | Refused]:
        return cast("Exchange[Balance | Refused]", self._exchange("query_balance", account=account, now=now))

    def fetch_reports(self, account: Account, now: datetime) -> Exchange[Batch[Report] | Refused]:
        return cast("Exchange[Batch[Report] | Refused]", self._exchange("fetch_reports", account=account, now=now))

    def fetch_mo(self, account: Account, now: datetime) -> Exchange[Batch[InboundMessage] | Refused]:
        return cast("Exchange[Batch[InboundMessage] | Refused]", self._exchange("fetch_mo", account=account, now=now))

    def verify_push(self, account: Account, push: PushRequest, now: datetime) -> VerifiedPush | PushRefused:
        if not self.implements("verify_push"):
            return PushRefused(why=f"{self.name} pushes nothing")
        answer = self._call("verify_push", object, account=account, push=push, now=now)
        if not isinstance(answer, VerifiedPush | PushRefused):
            raise PluginError(f"plugin {self.name}: verify_push returned {type(answer).__name__}")
        return answer

    def open_transport(self, account: Account, sink: Sink) -> Transport | None:
        if not self.implements("open_transport"):
            return None
        return cast("Transport | None", self._call("open_transport", object, account=account, sink=sink))

    def _exchange(self, hook: str, **arguments: Any) -> Exchange[Any]:
        if not self.implements(hook):
            raise PluginError(f"vendor {self.name} has no {hook}")
        return self._call(hook, cast("type[Exchange[Any]]", Exchange), **arguments)


class MiddlewarePlugin(_Plugin):
    """A cross-cutting plugin."""

    def __init__(self, name: str, plugin: object, version: str) -> None:
        super().__init__(name, plugin, hookspecs.MiddlewareHooks)
        self.version = version

    def rewrite_message(self, message: Message) -> Message:
        """Return the message as the plugin wants it. An error rejects the message."""
        if not self.implements("rewrite_message"):
            return message
        rewritten = self._call("rewrite_message", object, message=message)
        if rewritten is None:
            return message
        if not isinstance(rewritten, Message) or rewritten.id != message.id:
            raise PluginError(f"plugin {self.name}: rewrite_message returned something else than the message")
        return rewritten

    def observe_outcome(self, notice: OutcomeNotice) -> None:
        """Tell the plugin. The caller logs what it raises."""
        if self.implements("observe_outcome"):
            self._call("observe_outcome", object, notice=notice)


class SourcePlugin(_Plugin):
    """A plugin for an alerting stack."""

    def __init__(self, name: str, plugin: object, version: str) -> None:
        super().__init__(name, plugin, hookspecs.SourceHooks)
        self.version = version
        if missing := [hook for hook in ("describe_source", "read_alerts") if not self.implements(hook)]:
            raise PluginError(f"it lacks the hook {missing[0]}")
        self.kind = self._call("describe_source", SourceKind)
        if self.kind.name != name:
            raise PluginError(f"its entry point is called {name}, but it describes source {self.kind.name}")

    def read_alerts(self, settings: object, request: AlertRequest, now: datetime) -> Notice | NotAlerts:
        answer = self._call("read_alerts", object, settings=settings, request=request, now=now)
        if not isinstance(answer, Notice | NotAlerts):
            raise PluginError(f"plugin {self.name}: read_alerts returned {type(answer).__name__}")
        return answer


@attrs.frozen(kw_only=True)
class Registry:
    """All plugins that were found.

    Args:
        vendors: by vendor name.
        middleware: in the order of their names.
        unavailable: what was found and cannot be used.
        sources: by the kind's name.
    """

    vendors: Mapping[str, VendorPlugin]
    middleware: tuple[MiddlewarePlugin, ...]
    unavailable: tuple[Unavailable, ...]
    sources: Mapping[str, SourcePlugin] = attrs.field(factory=dict)

    def described(self) -> dict[str, Vendor]:
        """Return what each usable vendor says of itself, by name."""
        return {name: plugin.vendor for name, plugin in self.vendors.items()}

    def described_sources(self) -> dict[str, SourceKind]:
        """Return what each usable plugin for an alerting stack says of itself, by the kind's name."""
        return {name: plugin.kind for name, plugin in self.sources.items()}

    def broken(self) -> frozenset[str]:
        """Return the names of vendors whose plugin is installed and cannot be used."""
        return frozenset(one.name for one in self.unavailable) - self.vendors.keys()

    def plugin_for(self, account: Account) -> VendorPlugin:
        """Return the one plugin that serves the account.

        Raises:
            PluginError: its vendor's plugin is not there, or unavailable.
        """
        try:
            return self.vendors[account.vendor]
        except KeyError:
            raise PluginError(self.why_not(account.vendor)) from None

    def why_not(self, vendor: str) -> str:
        """Say in one sentence why a vendor has no plugin."""
        for one in self.unavailable:
            if one.name == vendor:
                return f"the plugin for vendor {vendor} is unavailable: {one.why}"
        return f"no plugin for vendor {vendor} is installed (pip install tocsin-{vendor}?)"


def build_registry(found: Callable[[str], Iterable[EntryPoint]] | None = None) -> Registry:
    """Load every plugin that is installed; return a fresh registry.

    Args:
        found: returns the entry points of a group; a test gives its own. None for what is installed, which is looked
            through once: every distribution's list has to be read for it.
    """
    found = found or _installed()
    vendors, broken_vendors = _load(found(VENDORS), VendorPlugin)
    middleware, broken_middleware = _load(found(MIDDLEWARE), MiddlewarePlugin)
    sources, broken_sources = _load(found(SOURCES), SourcePlugin)
    return Registry(
        vendors=vendors,
        middleware=tuple(middleware.values()),
        unavailable=(*broken_vendors, *broken_middleware, *broken_sources),
        sources=sources,
    )


def _installed() -> Callable[[str], Iterable[EntryPoint]]:
    everything = entry_points()
    return lambda group: everything.select(group=group)


def _load(
    points: Iterable[EntryPoint], build: Callable[[str, object, str], T]
) -> tuple[dict[str, T], list[Unavailable]]:
    """Load one entry point after the other; what fails is listed, whatever it raised."""
    loaded: dict[str, T] = {}
    unavailable: list[Unavailable] = []
    for point in sorted(set(points), key=_precedence):
        try:
            if point.name in loaded:
                raise PluginError("another distribution registered that name already")  # noqa: TRY301
            loaded[point.name] = build(point.name, point.load(), _version(point))
        except (Exception, SystemExit) as error:  # noqa: BLE001 (the plugin seam: importing a plugin runs anything)
            said = str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
            why = " ".join(said.split())
            unavailable.append(Unavailable(name=point.name, distribution=_distribution(point), why=why))
    return loaded, unavailable


def _precedence(point: EntryPoint) -> tuple[str, bool, str, str]:
    """Of two with one name the distribution called `tocsin-NAME` comes first: a copycat does not take its place."""
    distribution = _distribution(point)
    return point.name, distribution != f"tocsin-{point.name}", distribution, point.value


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "an unknown distribution"


def _version(point: EntryPoint) -> str:
    return point.dist.version if point.dist is not None else "unknown"
