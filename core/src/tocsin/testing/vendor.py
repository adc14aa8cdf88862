"""A whole vendor plugin that speaks a small language of its own, for tests of what stands above the plugins.

Requests and answers are JSON. A test hands the plugin to a registry, and answers in the vendor's place with
`answer_send`, `answer_reports` and `answer_mo`. It knows no clock, no network and no real vendor.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, assert_never

import attrs

from tocsin.model.outcome import NotSent
from tocsin.plugin import (
    E164,
    Accepted,
    Account,
    AnswerError,
    Balance,
    Batch,
    Capabilities,
    Exchange,
    HttpRequest,
    HttpResponse,
    InboundMessage,
    Limits,
    Outcome,
    Reason,
    Refused,
    Report,
    ReportState,
    SendResult,
    Submission,
    Unit,
    Unknown,
    Vendor,
    VendorId,
    hookimpl,
    parse_vendor_number,
)

EVERYBODY = "*"
"""Stands for each recipient in an answer to a send."""


@attrs.frozen
class ExampleSettings:
    """An account of this vendor needs nothing of its own."""


class ExampleVendor:
    """The plugin.

    Args:
        name: of the vendor, as accounts and registry call it.
        capabilities: what each of its accounts can carry.
        unfit: what `fits` says of every submission; empty where all fit.
        on_send: called by the hook `send` with what it is asked to submit; a test raises there, or lets time pass.
    """

    def __init__(
        self,
        name: str = "example",
        capabilities: Capabilities | None = None,
        unfit: str = "",
        on_send: Callable[[Submission], object] = lambda _: None,
    ) -> None:
        self.name = name
        self._capabilities = capabilities or Capabilities(max_recipients=100, interfaces=("post",), extension_digits=6)
        self._unfit = unfit
        self._on_send = on_send

    @hookimpl
    def describe_vendor(self) -> Vendor:
        return Vendor(
            name=self.name,
            title="Example",
            settings=ExampleSettings,
            base_url="http://vendor.invalid",
            capabilities=self._capabilities,
            limits=Limits(max_recipients=self._capabilities.max_recipients),
        )

    @hookimpl
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @hookimpl
    def fits(self) -> str:
        return self._unfit

    @hookimpl
    def send(self, account: Account, submission: Submission) -> Exchange[SendResult]:
        self._on_send(submission)
        body = {"to": [to.full for to in submission.to], "text": submission.text, "extension": submission.extension}
        return Exchange(_request(account, "send", body, submits=True), lambda answer: _decode_send(submission, answer))

    @hookimpl
    def query_balance(self, account: Account, now: datetime) -> Exchange[Balance | Refused]:
        def decode(answer: HttpResponse) -> Balance | Refused:
            said = _read(answer)
            return _refused(said) or Balance(amount=Decimal(said["amount"]), unit=Unit.CNY, as_of=now)

        return Exchange(_request(account, "balance", {}), decode)

    @hookimpl
    def fetch_reports(self, account: Account) -> Exchange[Batch[Report] | Refused]:
        return Exchange(_request(account, "reports", {}), _decode_reports)

    @hookimpl
    def fetch_mo(self, account: Account) -> Exchange[Batch[InboundMessage] | Refused]:
        return Exchange(_request(account, "mo", {}), _decode_mo)


def sent_to(request: HttpRequest) -> tuple[E164, ...]:
    """Return the recipients of a send, in its order."""
    return tuple(E164(to) for to in json.loads(request.body)["to"])


def sent_text(request: HttpRequest) -> str:
    """Return the text of a send, signature included."""
    return str(json.loads(request.body)["text"])


def answer_send(outcomes: Outcome | Mapping[E164, Outcome]) -> HttpResponse:
    """Answer a send, with one outcome for all or with one for each recipient that is named."""
    each = {to.full: one for to, one in outcomes.items()} if isinstance(outcomes, Mapping) else {EVERYBODY: outcomes}
    return _answer({"outcomes": {to: _encode_outcome(one) for to, one in each.items()}})


def answer_balance(amount: str) -> HttpResponse:
    """Answer a balance query."""
    return _answer({"amount": amount})


def answer_reports(reports: Iterable[Report], unparsed: Iterable[str] = (), *, more: bool = False) -> HttpResponse:
    """Answer a poll for reports; `unparsed` are pieces that the plugin cannot read."""
    rows = [[one.vendor_id, one.to.full, one.state.name, one.code] for one in reports]
    return _answer({"rows": rows, "unparsed": list(unparsed), "more": more})


def answer_mo(messages: Iterable[InboundMessage], *, more: bool = False) -> HttpResponse:
    """Answer a poll for inbound messages."""
    return _answer({"rows": [[one.sender.full, one.text] for one in messages], "unparsed": [], "more": more})


def answer_refusal(reason: Reason) -> HttpResponse:
    """Refuse a query or a poll."""
    return _answer({"refused": reason.label})


def _request(account: Account, method: str, body: Mapping[str, object], *, submits: bool = False) -> HttpRequest:
    return HttpRequest(url=f"{account.base_url}/{method}", body=json.dumps(body).encode("utf-8"), submits=submits)


def _answer(body: Mapping[str, object]) -> HttpResponse:
    return HttpResponse(status=200, body=json.dumps(body).encode("utf-8"))


def _read(answer: HttpResponse) -> dict[str, Any]:
    try:
        said = json.loads(answer.body.decode("utf-8"))
    except ValueError:
        raise AnswerError("not JSON") from None
    if not isinstance(said, dict):
        raise AnswerError("not an object")
    return said


def _refused(said: Mapping[str, Any]) -> Refused | None:
    return Refused(Reason.labelled(said["refused"])) if "refused" in said else None


def _encode_outcome(outcome: Outcome) -> list[str]:
    match outcome:
        case Accepted(vendor_id=vendor_id, partial=partial):
            return ["partial" if partial else "accepted", vendor_id or ""]
        case Refused(reason=reason, code=code, text=text):
            return ["refused", reason.label, code, text]
        case Unknown(cause=cause):
            return ["unknown", cause]
        case NotSent():
            raise ValueError("no answer says that nothing was sent")
        case never:
            assert_never(never)


def _decode_outcome(words: list[str]) -> Outcome:
    match words:
        case ["accepted" | "partial" as word, vendor_id]:
            return Accepted(VendorId(vendor_id) if vendor_id else None, partial=word == "partial")
        case ["refused", label, code, text]:
            return Refused(Reason.labelled(label), code, text)
        case ["unknown", cause]:
            return Unknown(cause)
        case _:
            raise AnswerError("not an outcome")


def _decode_send(submission: Submission, answer: HttpResponse) -> SendResult:
    said = _read(answer).get("outcomes")
    if not isinstance(said, dict):
        raise AnswerError("no outcomes")
    each = {to: said.get(to.full) or said.get(EVERYBODY) for to in submission.to}
    return SendResult({to: _decode_outcome(words) for to, words in each.items() if words})


def _decode_reports(answer: HttpResponse) -> Batch[Report] | Refused:
    said = _read(answer)
    rows = tuple(
        Report(vendor_id=vendor_id, to=parse_vendor_number(to), state=ReportState[state], code=code)
        for vendor_id, to, state, code in said.get("rows", ())
    )
    return _refused(said) or Batch(rows=rows, unparsed=tuple(said["unparsed"]), more=said["more"])


def _decode_mo(answer: HttpResponse) -> Batch[InboundMessage] | Refused:
    said = _read(answer)
    rows = tuple(InboundMessage(sender=parse_vendor_number(sender), text=text) for sender, text in said.get("rows", ()))
    return _refused(said) or Batch(rows=rows, unparsed=tuple(said["unparsed"]), more=said["more"])
