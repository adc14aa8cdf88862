"""The whole hook contract on one page.

A vendor plugin is addressed, never broadcast: the registry resolves an account to one plugin and calls only that one.
A plugin does no I/O: a hook that talks to the vendor returns an `Exchange`, and the core performs it. Required are
`describe_vendor`, `capabilities`, `fits` and `send`; the others say by their absence that the vendor cannot do it.

Entry point groups: `tocsin.vendors` (the entry point's name is the vendor's), `tocsin.middleware`, `tocsin.sources`
(the entry point's name is the kind's).
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import pluggy

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

hookspec = pluggy.HookspecMarker("tocsin")


class VendorHooks(Protocol):
    """What a vendor plugin implements (group `tocsin.vendors`)."""

    @staticmethod
    @hookspec(firstresult=True)
    def describe_vendor() -> Vendor:
        """Describe the vendor: name, settings class, capabilities, limits, operations. Pure."""

    @staticmethod
    @hookspec(firstresult=True)
    def capabilities(account: Account) -> Capabilities:
        """Say what this account, with its settings, can carry. Pure."""

    @staticmethod
    @hookspec(firstresult=True)
    def fits(account: Account, submission: Submission) -> str:
        """Say why this account cannot carry the submission; an empty text where it can. Pure.

        The reason is for people and quotes neither number nor text. Size is judged for one recipient at least;
        how many go into one submit is settled by `Capabilities.max_recipients`.
        """

    @staticmethod
    @hookspec(firstresult=True)
    def send(account: Account, submission: Submission, now: datetime) -> Exchange[SendResult]:
        """Submit once. The result gives one outcome per recipient.

        What needs another submit comes back as an outcome, `Refused(Reason.SPLIT)` or `Refused(Reason.RETRY_ONCE)`:
        the core submits again under a new INTENT, so that no id already won is lost.
        """

    @staticmethod
    @hookspec(firstresult=True)
    def query_balance(account: Account, now: datetime) -> Exchange[Balance | Refused]:
        """Ask what is left on the account."""

    @staticmethod
    @hookspec(firstresult=True)
    def fetch_reports(account: Account, now: datetime) -> Exchange[Batch[Report] | Refused]:
        """Fetch delivery reports. Destructive: the core stores each raw answer durably before it is decoded."""

    @staticmethod
    @hookspec(firstresult=True)
    def fetch_mo(account: Account, now: datetime) -> Exchange[Batch[InboundMessage] | Refused]:
        """Fetch inbound messages (MO). Destructive, likewise."""

    @staticmethod
    @hookspec(firstresult=True)
    def verify_push(account: Account, push: PushRequest, now: datetime) -> VerifiedPush | PushRefused:
        """Check and read what the vendor posted to us. Pure; token, peer and trust tier are the core's."""

    @staticmethod
    @hookspec(firstresult=True)
    def open_transport(account: Account, sink: Sink) -> Transport | None:
        """Open a transport of the plugin's own (SMPP, a library that does its own I/O); None for HTTP."""


class MiddlewareHooks(Protocol):
    """What a cross-cutting plugin may implement (group `tocsin.middleware`)."""

    @staticmethod
    @hookspec(firstresult=True)
    def rewrite_message(message: Message) -> Message | None:
        """Change a message when it is accepted, before limits and INTENT; None leaves it as it is.

        An error rejects the message: it is better not accepted than accepted without what was asked for.
        """

    @staticmethod
    @hookspec(firstresult=True)
    def observe_outcome(notice: OutcomeNotice) -> None:
        """Be told of an outcome after it is committed. Errors are logged and change nothing."""


class SourceHooks(Protocol):
    """What a plugin for an alerting stack implements (group `tocsin.sources`). Both are required."""

    @staticmethod
    @hookspec(firstresult=True)
    def describe_source() -> SourceKind:
        """Describe the stack: name, settings class. Pure."""

    @staticmethod
    @hookspec(firstresult=True)
    def read_alerts(settings: object, request: AlertRequest, now: datetime) -> Notice | NotAlerts:
        """Read what the stack posted. Pure; who is told, and whether at all, is the core's to say."""
