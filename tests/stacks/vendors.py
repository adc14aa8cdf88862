"""Both vendors' sandboxes: the first account's and its backup's. Their ledgers say what phones really got.

Called by the scenarios.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Self

import attrs

from tocsin.sandbox import Fault, Page, Received, RunningSandbox, start

VENDORS: Mapping[str, str] = {"main": "winnerlook", "backup": "ipyy"}
"""By account."""

SIGNATURE = "【Example】"
_SUBMIT_S = 0.4
"""So long a slow vendor takes to answer a submit: a worker that is killed is often in the middle of one."""

_LATE_POLLS = 20
"""So many polls a late report misses: ten seconds' worth, longer than a critical message's doubt waits for evidence."""


@attrs.frozen(kw_only=True)
class OnPhone:
    """One message on one phone, and through which account it came."""

    account: str
    received: Received


class Vendors:
    """The sandboxes at work."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._sandboxes: dict[str, RunningSandbox] = {
            account: self._stack.enter_context(start(vendor)) for account, vendor in VENDORS.items()
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def settings(self) -> str:
        """The accounts, as a configuration has them."""
        return "\n".join(_table(name, sandbox) for name, sandbox in self._sandboxes.items())

    @property
    def on_phones(self) -> tuple[OnPhone, ...]:
        """All that phones have received."""
        return tuple(
            OnPhone(account=account, received=one)
            for account, sandbox in self._sandboxes.items()
            for one in sandbox.ledger.received
        )

    @property
    def ledgers(self) -> dict[str, Page]:
        """The ledgers by account."""
        return {account: sandbox.ledger.page for account, sandbox in self._sandboxes.items()}

    def darken(self) -> None:
        """Let the first account's vendor refuse connections."""
        self._sandboxes["main"].go_dark()

    def be_slow(self) -> None:
        """Let both vendors take their time over each submit, and over each report."""
        for sandbox in self._sandboxes.values():
            sandbox.reports("late", polls=_LATE_POLLS)
            sandbox.inject(Fault("delay", operation="submit", times=None, value=str(_SUBMIT_S)))


def _table(name: str, sandbox: RunningSandbox) -> str:
    settings = {
        "vendor": sandbox.vendor,
        **sandbox.account_settings,
        "base_url": sandbox.base_url,
        "insecure_http": "acknowledged",
        "signature": SIGNATURE,
    }
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in settings.items()]
    quick = 'poll = { reports = "500ms", inbound = "5s", balance = "5s" }\nlimits = { per_recipient = [] }\n'
    return "\n".join([f"[accounts.{name}]", *lines, quick])
