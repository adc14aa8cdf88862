"""Stands in for a vendor's plugin: judges with the real one, and sends nothing anywhere.

The core addresses it as it does any plugin, through its hooks and a transport. What the real plugin says of itself, of
an account and of what fits is asked of the real plugin; requests go to the vendors on the stage.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import attrs

from tocsin.model.account import Account, Capabilities
from tocsin.model.balance import Balance
from tocsin.model.outcome import Refused, SendResult
from tocsin.model.report import Batch, Report
from tocsin.model.submission import Submission
from tocsin.plugin import hookimpl
from tocsin.registry import VendorPlugin
from tocsin.wire.http import Exchange

Ask = Callable[[Account], Any]
"""Asks the vendor of an account something, and returns its answer."""


@attrs.frozen(kw_only=True)
class Request:
    """A request to a vendor on the stage.

    Args:
        meet: lets the vendor meet it; may raise what a transport raises.
    """

    meet: Callable[[], object] = attrs.field(repr=False)
    submits: bool = False


@attrs.frozen(kw_only=True)
class Answer:
    """An answer, which needs no reading."""

    found: Any = attrs.field(repr=False)
    body: bytes = b""
    fault: str | None = None


class StageTransport:
    """Carries requests to the vendors on the stage, at once: how long an answer takes is for who waits for it."""

    def perform(self, request: Request, /) -> Answer:
        """Meet a request.

        Raises:
            TransportError: no answer comes.
        """
        return Answer(found=request.meet())

    def close(self) -> None:
        """Hold nothing, release nothing."""


@attrs.frozen(kw_only=True)
class Prompts:
    """How the understudy reaches the vendors on the stage."""

    submit: Ask
    reports: Ask
    balance: Ask


def stand_in(real: VendorPlugin, prompts: Prompts) -> VendorPlugin:
    """Return a plugin of the same vendor that judges as the real one does, and asks the stage.

    It fetches reports and balances where the real one can, and no inbound messages: nobody writes back.
    """
    hooks = {"describe_vendor": lambda: real.vendor, **_judging(real), "send": _sending(prompts)}
    if real.implements("fetch_reports"):
        hooks["fetch_reports"] = _fetching(prompts)
    if real.implements("query_balance"):
        hooks["query_balance"] = _asking(prompts)
    marked = {name: hookimpl(hook) for name, hook in hooks.items()}
    return VendorPlugin(real.name, SimpleNamespace(**marked), real.version)


def _judging(real: VendorPlugin) -> dict[str, Callable[..., object]]:
    def capabilities(account: Account) -> Capabilities:
        return real.capabilities(account)

    def fits(account: Account, submission: Submission) -> str:
        return real.fits(account, submission)

    return {"capabilities": capabilities, "fits": fits}


def _sending(prompts: Prompts) -> Callable[..., Exchange[SendResult]]:
    def send(account: Account) -> Exchange[SendResult]:
        return Exchange(Request(meet=lambda: prompts.submit(account), submits=True), _found)

    return send


def _fetching(prompts: Prompts) -> Callable[..., Exchange[Batch[Report] | Refused]]:
    def fetch_reports(account: Account) -> Exchange[Batch[Report] | Refused]:
        return Exchange(Request(meet=lambda: prompts.reports(account)), _found)

    return fetch_reports


def _asking(prompts: Prompts) -> Callable[..., Exchange[Balance | Refused]]:
    def query_balance(account: Account) -> Exchange[Balance | Refused]:
        return Exchange(Request(meet=lambda: prompts.balance(account)), _found)

    return query_balance


def _found(answer: Answer) -> Any:
    return answer.found
