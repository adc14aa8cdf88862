"""The façade for plugin authors: `hookimpl`, `Exchange`, values, errors. A plugin imports this and nothing else.

Pure: importing it opens no socket and loads no HTTP client.
"""

from __future__ import annotations

import pluggy

from tocsin.errors import AnswerError, Reached, TransportError
from tocsin.model.account import Account, Argument, Capabilities, Limits, Operation, Rate, Vendor
from tocsin.model.alert import Alert, AlertRequest, AlertStatus, NoSettings, NotAlerts, Notice, SourceKind
from tocsin.model.balance import Balance, Unit
from tocsin.model.ids import AccountId, VendorId
from tocsin.model.message import Message, OutcomeNotice
from tocsin.model.outcome import Accepted, Outcome, Reason, Refused, Scope, SendResult, Unknown
from tocsin.model.phone import E164, Msisdn, ShortCode, parse_vendor_number
from tocsin.model.push import PushRefused, PushReply, PushRequest, Trust, VerifiedPush
from tocsin.model.report import Batch, InboundMessage, Report, ReportState
from tocsin.model.secret import Secret
from tocsin.model.segments import ALIKE, Room, SegmentRule
from tocsin.model.submission import Attachment, Submission
from tocsin.model.template import Expression, Template, TemplateFailed
from tocsin.wire.http import Exchange, HttpRequest, HttpResponse
from tocsin.wire.transport import Evidence, Sink, Transport

hookimpl = pluggy.HookimplMarker("tocsin")
"""Marks a function as the implementation of a hook of `tocsin.hookspecs`."""

__all__ = [
    "ALIKE",
    "E164",
    "Accepted",
    "Account",
    "AccountId",
    "Alert",
    "AlertRequest",
    "AlertStatus",
    "AnswerError",
    "Argument",
    "Attachment",
    "Balance",
    "Batch",
    "Capabilities",
    "Evidence",
    "Exchange",
    "Expression",
    "HttpRequest",
    "HttpResponse",
    "InboundMessage",
    "Limits",
    "Message",
    "Msisdn",
    "NoSettings",
    "NotAlerts",
    "Notice",
    "Operation",
    "Outcome",
    "OutcomeNotice",
    "PushRefused",
    "PushReply",
    "PushRequest",
    "Rate",
    "Reached",
    "Reason",
    "Refused",
    "Report",
    "ReportState",
    "Room",
    "Scope",
    "Secret",
    "SegmentRule",
    "SendResult",
    "ShortCode",
    "Sink",
    "SourceKind",
    "Submission",
    "Template",
    "TemplateFailed",
    "Transport",
    "TransportError",
    "Trust",
    "Unit",
    "Unknown",
    "Vendor",
    "VendorId",
    "VerifiedPush",
    "hookimpl",
    "parse_vendor_number",
]
