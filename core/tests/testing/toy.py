"""A small vendor that keeps every law: forms out, one line of text back. Broken variants of it stand in `broken_*`."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path
from urllib.parse import parse_qs, urlencode

import attrs

from tocsin.plugin import (
    Accepted,
    Account,
    AccountId,
    AnswerError,
    Balance,
    Batch,
    Capabilities,
    Exchange,
    HttpRequest,
    Limits,
    Operation,
    PushRefused,
    PushReply,
    Reason,
    Refused,
    Report,
    ReportState,
    Secret,
    SendResult,
    Unit,
    Unknown,
    Vendor,
    VendorId,
    VerifiedPush,
    hookimpl,
    parse_vendor_number,
)
from tocsin.testing.conformance import VendorConformance
from tocsin.testing.probe import Arrival

CODES = {"-3": Reason.AUTHENTICATION, "-7": Reason.BALANCE, "-16": Reason.INVALID_NUMBER}
STATES = {"DELIVRD": ReportState.DELIVERED, "UNDELIV": ReportState.FAILED}
ROW = re.compile(r"([0-9]{16}),([0-9]{11}),([A-Z]{1,7})")


@attrs.frozen(kw_only=True)
class Settings:
    user: str = "demo"
    password: Secret = attrs.field(default=Secret("demo-password"))


class Toy:
    """The plugin. What a broken variant changes is a method or an attribute of its own."""

    settings = Settings
    can = Capabilities(max_recipients=50, interfaces=("post",), scheduling=True, extension_digits=4)

    @hookimpl
    def describe_vendor(self):
        return Vendor(
            name="toy",
            title="Toy",
            settings=self.settings,
            base_url="http://toy.invalid",
            capabilities=self.can,
            limits=Limits(max_recipients=self.can.max_recipients),
            operations={"keywords": Operation(title="List the words", exchange=self.list_keywords)},
        )

    @hookimpl
    def capabilities(self, account):
        return self.can

    @hookimpl
    def fits(self, account, submission):
        unfit = {
            "no attachments": submission.is_mms or submission.subject,
            "one text for all": submission.personalised,
            "too long an extension": len(submission.extension) > self.capabilities(account).extension_digits,
        }
        return next((why for why, applies in unfit.items() if applies), "")

    @hookimpl
    def send(self, account, submission, now):
        request = self.request(account, "send", self.fields(account, submission), submits=True)
        return Exchange(request, partial(self.decode_send, account, submission))

    @hookimpl
    def query_balance(self, account, now):
        return Exchange(self.request(account, "balance"), partial(self.decode_balance, now))

    @hookimpl
    def fetch_reports(self, account, now):
        return Exchange(self.request(account, "reports"), self.decode_reports)

    @hookimpl
    def verify_push(self, account, push, now):
        form = parse_qs(push.body.decode("ascii", "replace"), strict_parsing=False)
        rows = self.rows(form.get("rows", [""])[0])
        if form.get("user") != [account.settings.user] or not rows.rows or rows.unparsed:
            return PushRefused(why="neither of this account nor of this vendor's form")
        return VerifiedPush(reports=rows, when_stored=PushReply(body=b"ok"), when_not_stored=PushReply(body=b"again"))

    def list_keywords(self, account, arguments, now):
        return Exchange(self.request(account, "keywords"), self.decode_keywords)

    def fields(self, account, submission):
        at = submission.send_at.isoformat() if submission.send_at else ""
        to = ",".join(number.mainland for number in submission.to)
        return {"to": to, "text": submission.text, "extension": submission.extension, "at": at}

    def login(self, account):
        return {"user": account.settings.user, "password": account.settings.password.reveal()}

    def request(self, account, page, fields=None, submits=False):
        body = urlencode(self.login(account) | (fields or {})).encode("ascii")
        return HttpRequest(url=f"{account.base_url}/{page}", body=body, submits=submits)

    def line(self, response):
        """Read the one line that ends in a semicolon."""
        text = response.body.decode("ascii", "replace")
        if response.status != 200 or not text.endswith(";") or "\ufffd" in text:
            raise AnswerError("not a line of this vendor")
        return text[:-1]

    def decode_send(self, account, submission, response):
        return SendResult.all(submission.to, self.outcome(self.line(response)))

    def outcome(self, line):
        if match := re.fullmatch("taken ([0-9]{16})", line):
            return Accepted(self.vendor_id(match[1]))
        if line == "failed":
            return Unknown("failed")
        return self.refusal(line)

    def vendor_id(self, digits):
        return VendorId(digits)

    def refusal(self, line):
        match = re.fullmatch("refused (-[0-9]{1,2})( [0-9a-z ]+)?", line)
        if match is None:
            raise AnswerError("neither taken nor refused")
        return Refused(CODES.get(match[1], Reason.UNRECOGNISED), match[1], (match[2] or "").strip())

    def decode_balance(self, now, response):
        line = self.line(response)
        if match := re.fullmatch("balance ([0-9]{1,9}[.][0-9]{2})", line):
            return Balance(amount=Decimal(match[1]), unit=Unit.CNY, as_of=now)
        return self.refusal(line)

    def decode_keywords(self, response):
        line = self.line(response)
        return tuple(line.split()[1:]) if line.startswith("words ") else self.refusal(line)

    def decode_reports(self, response):
        """Read a page; of one that was cut, the rows that are whole."""
        if response.fault is not None and b"|" in response.body:
            return self.rows(response.body.rpartition(b"|")[0].decode("ascii", "replace") + "|")
        line = self.line(response)
        return self.rows(line) if line.startswith("rows ") else self.refusal(line)

    def rows(self, line):
        pieces = [piece for piece in line.removeprefix("rows ").rstrip(";").split("|") if piece]
        read = [ROW.fullmatch(piece) for piece in pieces]
        return Batch(
            rows=tuple(self.report(*match.groups()) for match in read if match),
            unparsed=tuple(piece for piece, match in zip(pieces, read, strict=True) if not match),
        )

    def report(self, vendor_id, number, state):
        known = STATES.get(state, ReportState.UNKNOWN)
        return Report(vendor_id=VendorId(vendor_id), to=parse_vendor_number(number), state=known, code=state)


def read_submit(request):
    """Read the form as the vendor would."""
    form = {name: values[0] for name, values in parse_qs(request.body.decode("ascii"), keep_blank_values=True).items()}
    return [Arrival(number, form["text"], form["extension"]) for number in form["to"].split(",")]


class Installed(EntryPoint):
    """An entry point of a plugin that is not installed."""

    def load(self):
        return self._plugin


def conformance(toy, **declared):
    """Return the kit's class for a variant of the toy."""
    point = Installed(name="toy", value="toy", group="tocsin.vendors")
    object.__setattr__(point, "_plugin", toy)
    stated = {
        "plugin": toy,
        "account": Account(
            id=AccountId("test"), vendor="toy", base_url="http://toy.invalid", settings=type(toy).settings()
        ),
        "vectors": Path(__file__).parent / "vectors",
        "read_submit": staticmethod(read_submit),
        "installed": staticmethod(lambda: [point]),
        "stranger": {"user": "somebody-else"},
        "now": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return type("TestToy", (VendorConformance,), stated | declared)
