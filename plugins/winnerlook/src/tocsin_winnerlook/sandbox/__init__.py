"""winnerlook's side of the wire, written from the vendor's document v8.3 and from how ASP.NET behaves.

Shares no code with the codec, and must never. Each method of the document is a row of `_METHODS`; how it writes is in
`rows`, by what it judges in `rules`, what it decrypts in `seal`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import NamedTuple

from tocsin.sandbox import Operation, Terms
from tocsin.sandbox.aspnet import Invocation, bind_form, escape, filter_request, not_found, read_form, validate
from tocsin.sandbox.http import Answer, Request
from tocsin.sandbox.site import Call, Desk, Draft, Reply, Serial
from tocsin.sandbox.soap import bind as bind_soap
from tocsin.sandbox.wsdl import Signature, describe, wants_wsdl
from tocsin_winnerlook.sandbox.push import PUSHING, USER_CODE
from tocsin_winnerlook.sandbox.rows import (
    BLANKS,
    DOUBLE_COMMA,
    NO_LAST_BAR,
    SEMICOLON_END,
    join_replies,
    join_reports,
    reply_rows,
    report_rows,
    timed_report_rows,
)
from tocsin_winnerlook.sandbox.rules import (
    BAD_LOGIN,
    BAD_SEAL,
    CHANNEL,
    TEMPLATES_ALONE,
    TOO_OFTEN,
    judge_channel,
    judge_submit,
)
from tocsin_winnerlook.sandbox.seal import BadSeal, open_seal

_SERVICE = "/api/msgsend.asmx"
_INDIVIDUAL = "/api/individualsm.aspx"
_BALANCE_APART = timedelta(seconds=10)  # 查询余额过频繁（至少间隔 10 秒）

Arguments = Mapping[str, str]


class Sandbox:
    """The site. What it knows of the account are invented constants; the rest is the desk's.

    Shapes: `double-comma` (`batch,,number,status|`), `blanks` (blanks and line breaks round fields) and `no-last-bar`
    in reports; `semicolon-end` in replies (each ends with `|;` in place of `|;|` between two).
    """

    vendor = "winnerlook"
    terms = Terms(password="demo-password")  # noqa: S106 - invented
    pushing = PUSHING
    shapes: Mapping[str, Operation] = {
        DOUBLE_COMMA: Operation.REPORTS,
        BLANKS: Operation.REPORTS,
        NO_LAST_BAR: Operation.REPORTS,
        SEMICOLON_END: Operation.INBOUND,
    }

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._batches = Serial()

    @property
    def account_settings(self) -> Arguments:
        """What an account needs."""
        return {"user_code": USER_CODE, "password": self._desk.terms.password, "channel": CHANNEL}

    def read(self, request: Request) -> Call:
        """Understand one request to the web service, whichever way it is bound, or to the personalised page."""
        refused = filter_request(request)
        if refused is not None:
            return Call.answered(refused)
        if request.path.lower() == _INDIVIDUAL:
            return self._individual(request)
        service, slash, method = _split(request.path)
        if service != _SERVICE or slash not in ("", "/"):
            return Call.answered(not_found())
        if not method and wants_wsdl(request):
            return Call.answered(describe(request, "MsgSend", _SIGNATURES), "WSDL")
        invocation = bind_form(request, method, _PARAMETERS) if method else bind_soap(request, _METHODS)
        if isinstance(invocation, Answer):
            return Call.answered(invocation, method)
        return self._invoke(invocation)

    def _invoke(self, invocation: Invocation) -> Call:
        method = _METHODS[invocation.method]
        # What SOAP did not see is null to the method; it treats null and empty alike.
        arguments = {name: invocation.arguments.get(name, "") for name in method.parameters}
        refusal = ""
        if method.sealed:
            arguments, refusal = self._open(arguments, method)
        draft = _draft(arguments) if method.operation is Operation.SUBMIT else None
        call = _Asked(invocation.method, method.operation, lambda value: invocation.render(escape(value)), draft)

        def run(shape: str) -> str:
            return refusal or self._judge_login(arguments) or method.run(self, arguments, shape)

        return call.answer(run)

    def _open(self, arguments: dict[str, str], method: _Method) -> tuple[dict[str, str], str]:
        """Decrypt submitInfo with the account's password; return what it holds, or the code that refuses it."""
        given = {"userCode": arguments["userCode"]}
        names = _SEND if method.operation is Operation.SUBMIT else _LOGIN
        try:
            opened = open_seal(arguments["submitInfo"], self._desk.terms.password)
        except BadSeal:
            return dict.fromkeys(names, "") | given, BAD_SEAL
        return {name: opened.get(name, "") for name in names} | given, ""

    def _individual(self, request: Request) -> Call:
        """个性化短信发送: one text for each number; a plain value is the answer."""
        fields = read_form(request)
        refused = validate(fields, "Form")
        if refused is not None:
            return Call.answered(refused, "IndividualSm.aspx")
        draft = _individual_draft(fields.get("msg", ""), *self._desk.terms.separators)
        arguments = {"userCode": fields.get("account", ""), "userPass": fields.get("pwd", "")}
        # The table has Channel, the example channel; to a page both are the same.
        channel = fields.get("Channel", fields.get("channel", ""))

        def run(_: str) -> str:
            rights = TEMPLATES_ALONE if self._desk.terms.template_channel else ""
            return self._judge_login(arguments) or rights or self._take(draft, channel)

        return _Asked("IndividualSm.aspx", Operation.SUBMIT, _plain, draft).answer(run)

    def _judge_login(self, arguments: Arguments) -> str:
        known = USER_CODE, self._desk.terms.password
        return "" if (arguments["userCode"], arguments["userPass"]) == known else BAD_LOGIN

    def _take(self, draft: Draft, channel: str) -> str:
        # 19 digits, as 2114355899380234221 of the document: more than a double can hold.
        return judge_submit(draft, channel, self._desk) or self._batches.next(time.time_ns())

    def _submit(self, arguments: Arguments, _: str) -> str:
        return self._take(_draft(arguments), arguments["Channel"])

    def _balance(self, _: Arguments, __: str) -> str:
        return str(self._desk.terms.balance)

    def _spaced_balance(self, _: Arguments, __: str) -> str:
        too_soon = self._desk.is_too_soon("GetBalanceByEncrypt", _BALANCE_APART)
        return TOO_OFTEN if too_soon else str(self._desk.terms.balance)

    def _reports(self, _: Arguments, shape: str) -> str:
        return join_reports(report_rows(self._desk.carrier.take_reports()), shape)

    def _timed_reports(self, _: Arguments, shape: str) -> str:
        return join_reports(timed_report_rows(self._desk.carrier.take_reports()), shape)

    def _replies(self, _: Arguments, shape: str) -> str:
        return join_replies(reply_rows(self._desk.carrier.take_replies()), shape)

    def _channel_replies(self, _: Arguments, shape: str) -> str:
        return join_replies([[*row, CHANNEL] for row in reply_rows(self._desk.carrier.take_replies())], shape)

    def _keywords(self, arguments: Arguments, _: str) -> str:
        words = sorted(self._desk.terms.keywords)
        return judge_channel(arguments["Channel"]) or "".join(f"|{word}" for word in words)


class _Asked(NamedTuple):
    """A request whose answer is one value: what it asks, and how the value is written."""

    name: str
    operation: Operation
    render: Callable[[str], Answer]
    draft: Draft | None

    def answer(self, run: Callable[[str], str]) -> Call:
        """Return the call of what runs in the odd shape of a name."""
        return Call(
            operation=self.operation,
            name=self.name,
            draft=self.draft,
            perform=lambda shape: self._reply(run(shape)),
            refuse=self._reply,
        )

    def _reply(self, value: str) -> Reply:
        if value.startswith("-"):
            return Reply.refused(self.render, value)
        taken = self.draft is not None
        return Reply(answer=self.render(value), accepted=taken, vendor_id=value if taken else "")


class _Method(NamedTuple):
    operation: Operation
    parameters: tuple[str, ...]
    run: Callable[[Sandbox, Arguments, str], str]

    @property
    def sealed(self) -> bool:
        """Whether all but the name is encrypted."""
        return "submitInfo" in self.parameters


_LOGIN = ("userCode", "userPass")
_SEALED = ("userCode", "submitInfo")
_SEND = (*_LOGIN, "DesNo", "Msg", "Channel")

# source: 余额查询, 短信发送, 短信加密发送, 短信扩展发送, 获取状态报告 (2), 获取回复 (2), 获取关键字
_METHODS: Mapping[str, _Method] = {
    "GetBalance": _Method(Operation.BALANCE, _LOGIN, Sandbox._balance),
    "GetBalanceByEncrypt": _Method(Operation.BALANCE, _SEALED, Sandbox._spaced_balance),
    "SendMsg": _Method(Operation.SUBMIT, _SEND, Sandbox._submit),
    "sendMsgByEncrypt": _Method(Operation.SUBMIT, _SEALED, Sandbox._submit),
    "sendMesExt": _Method(Operation.SUBMIT, (*_SEND, "ExeNo"), Sandbox._submit),
    "GetReport": _Method(Operation.REPORTS, (*_LOGIN, "batchNumber"), Sandbox._reports),
    "GetReport2": _Method(Operation.REPORTS, _LOGIN, Sandbox._timed_reports),
    "GetReport2ByEncrypt": _Method(Operation.REPORTS, _SEALED, Sandbox._timed_reports),
    "GetMo": _Method(Operation.INBOUND, _LOGIN, Sandbox._replies),
    "GetMo2": _Method(Operation.INBOUND, _LOGIN, Sandbox._channel_replies),
    "GetMo2ByEncrypt": _Method(Operation.INBOUND, _SEALED, Sandbox._channel_replies),
    "GetKeyWords": _Method(Operation.OTHER, (*_LOGIN, "Channel"), Sandbox._keywords),
}
_PARAMETERS = {name: method.parameters for name, method in _METHODS.items()}
_SIGNATURES = {name: Signature(dict.fromkeys(parameters, "string")) for name, parameters in _PARAMETERS.items()}


def _split(path: str) -> tuple[str, str, str]:
    """Part the service, which ASP.NET finds in any case, from the method, whose case counts."""
    end = len(_SERVICE)
    return path[:end].lower(), path[end : end + 1], path[end + 1 :]


def _draft(arguments: Arguments) -> Draft:
    numbers = tuple(number for number in arguments["DesNo"].split(",") if number)
    return Draft(numbers=numbers, text=arguments["Msg"], extension=arguments.get("ExeNo", ""))


def _individual_draft(items: str, separator: str, item_separator: str) -> Draft:
    pairs = [item.partition(separator) for item in items.split(item_separator) if item]
    return Draft(numbers=tuple(number for number, _, _ in pairs), texts=tuple(text for _, _, text in pairs))


def _plain(value: str) -> Answer:
    """Write a value alone. No content type is documented; this is what ASP.NET gives a page that is silent about it."""
    return Answer(body=value.encode(), content_type="text/html; charset=utf-8")
