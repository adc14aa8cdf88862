"""winnerlook's side of the wire, written from the vendor's document v8.3 and from how ASP.NET behaves.

Shares no code with the codec, and must never. A further method is a row of `_METHODS` and a function; a further page
(IndividualSm.aspx) is a branch of `Sandbox.read`.

Order in which a submit is judged, which the document leaves open: login (-3), count (-9), numbers (-16, -17),
signature (-5), keywords (-6), channel (-8), blacklist (-14), extension (-18), balance (-7).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from tocsin.sandbox import Operation, Terms
from tocsin.sandbox.aspnet import Invocation, bind_form, escape, not_found
from tocsin.sandbox.carrier import PhoneReply
from tocsin.sandbox.http import Answer, Request
from tocsin.sandbox.site import Call, Desk, Draft, Reply, Serial
from tocsin.sandbox.soap import bind as bind_soap

USER_CODE, PASSWORD, CHANNEL = "demo", "demo-password", "37"

_SERVICE = "/api/msgsend.asmx"
_BEIJING = timezone(timedelta(hours=8))
_SIGNED = re.compile(r".+【[^【】]+】", re.DOTALL)
_ELEVEN_DIGITS = re.compile(r"1[0-9]{10}")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")

# source: 短信发送, 返回值; 余额查询; 获取状态报告
_BAD_LOGIN = "-3"
_BAD_SIGNATURE = "-5"
_KEYWORD = "-6:{}"
_NO_BALANCE = "-7"
_NO_CHANNEL = "-8"
_TOO_MANY = "-9"
_BLOCKED = "-14"
_BAD_NUMBER = "-16"
_NO_REAL_NUMBER = "-17"
_NO_EXTENSION = "-18"

DOUBLE_COMMA = "double-comma"
BLANKS = "blanks"
NO_LAST_BAR = "no-last-bar"
SEMICOLON_END = "semicolon-end"

Arguments = Mapping[str, str]


class Sandbox:
    """The site. What it knows of the account are the invented constants above; the rest is the desk's.

    Shapes: `double-comma` (`batch,,number,status|`), `blanks` (blanks and line breaks round fields) and `no-last-bar`
    in reports; `semicolon-end` in replies (each ends with `|;` in place of `|;|` between two).
    """

    vendor = "winnerlook"
    account_settings: Mapping[str, str] = {"user_code": USER_CODE, "password": PASSWORD, "channel": CHANNEL}
    terms = Terms()
    shapes: Mapping[str, Operation] = {
        DOUBLE_COMMA: Operation.REPORTS,
        BLANKS: Operation.REPORTS,
        NO_LAST_BAR: Operation.REPORTS,
        SEMICOLON_END: Operation.INBOUND,
    }

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._batches = Serial()

    def read(self, request: Request) -> Call:
        """Understand one request to the web service, whichever way it is bound."""
        service, slash, method = _split(request.path)
        if service != _SERVICE or slash not in ("", "/"):
            return Call.answered(not_found())
        invocation = bind_form(request, method, _PARAMETERS) if method else bind_soap(request, _METHODS)
        if isinstance(invocation, Answer):
            return Call.answered(invocation, method)
        return self._call(invocation)

    def _call(self, invocation: Invocation) -> Call:
        method = _METHODS[invocation.method]
        # What SOAP did not see is null to the method; it treats null and empty alike.
        arguments = {name: invocation.arguments.get(name, "") for name in method.parameters}

        def answer(value: str) -> Reply:
            refused = value.startswith("-")
            taken = method.operation is Operation.SUBMIT and not refused
            return Reply(
                answer=invocation.render(escape(value)),
                accepted=taken,
                vendor_id=value if taken else "",
                code=value if refused else "",
            )

        return Call(
            operation=method.operation,
            name=invocation.method,
            draft=_draft(arguments) if method.operation is Operation.SUBMIT else None,
            perform=lambda shape: answer(self._run(method, arguments, shape)),
            refuse=answer,
        )

    def _run(self, method: _Method, arguments: Arguments, shape: str) -> str:
        if (arguments["userCode"], arguments["userPass"]) != (USER_CODE, PASSWORD):
            return _BAD_LOGIN
        return method.run(self, arguments, shape)

    def _balance(self, _: Arguments, __: str) -> str:
        return str(self._desk.terms.balance)

    def _submit(self, arguments: Arguments, _: str) -> str:
        draft = _draft(arguments)
        code = _judge_numbers(draft.numbers) or self._judge_text(draft.text) or self._judge_account(arguments, draft)
        if code:
            return code
        if not self._desk.charge(draft):
            return _NO_BALANCE
        # 19 digits, as 2114355899380234221 of the document: more than a double can hold.
        return self._batches.next(time.time_ns())

    def _judge_text(self, text: str) -> str:
        """短信内容最后一个字符必须是】."""
        if not _SIGNED.fullmatch(text):
            return _BAD_SIGNATURE
        found = next((word for word in sorted(self._desk.terms.keywords) if word in text), None)
        return "" if found is None else _KEYWORD.format(found)

    def _judge_account(self, arguments: Arguments, draft: Draft) -> str:
        if arguments["Channel"] != CHANNEL:
            return _NO_CHANNEL
        if not self._desk.terms.blocked.isdisjoint(draft.numbers):
            return _BLOCKED
        return _NO_EXTENSION if draft.extension and not self._desk.terms.extensions else ""

    def _reports(self, _: Arguments, shape: str) -> str:
        due = self._desk.carrier.take_reports()
        return _join_reports([[report.vendor_id, report.number, _status(report.delivered)] for report in due], shape)

    def _reports_with_time(self, _: Arguments, shape: str) -> str:
        due = self._desk.carrier.take_reports()
        rows = [[report.vendor_id, report.number, _stamp(report.at), _status(report.delivered)] for report in due]
        return _join_reports(rows, shape)

    def _replies(self, _: Arguments, shape: str) -> str:
        return _join_replies([_reply_row(reply) for reply in self._desk.carrier.take_replies()], shape)

    def _replies_with_channel(self, _: Arguments, shape: str) -> str:
        rows = [[*_reply_row(reply), CHANNEL] for reply in self._desk.carrier.take_replies()]
        return _join_replies(rows, shape)

    def _keywords(self, arguments: Arguments, _: str) -> str:
        if arguments["Channel"] != CHANNEL:
            return _NO_CHANNEL
        return "".join(f"|{word}" for word in sorted(self._desk.terms.keywords))


class _Method(NamedTuple):
    operation: Operation
    parameters: tuple[str, ...]
    run: Callable[[Sandbox, Arguments, str], str]


_LOGIN = ("userCode", "userPass")
_SEND = (*_LOGIN, "DesNo", "Msg", "Channel")

# source: 余额查询, 短信发送, 短信扩展发送, 获取状态报告 (2), 获取回复 (2), 获取关键字
_METHODS: Mapping[str, _Method] = {
    "GetBalance": _Method(Operation.BALANCE, _LOGIN, Sandbox._balance),
    "SendMsg": _Method(Operation.SUBMIT, _SEND, Sandbox._submit),
    "sendMesExt": _Method(Operation.SUBMIT, (*_SEND, "ExeNo"), Sandbox._submit),
    "GetReport": _Method(Operation.REPORTS, (*_LOGIN, "batchNumber"), Sandbox._reports),
    "GetReport2": _Method(Operation.REPORTS, _LOGIN, Sandbox._reports_with_time),
    "GetMo": _Method(Operation.INBOUND, _LOGIN, Sandbox._replies),
    "GetMo2": _Method(Operation.INBOUND, _LOGIN, Sandbox._replies_with_channel),
    "GetKeyWords": _Method(Operation.OTHER, (*_LOGIN, "Channel"), Sandbox._keywords),
}
_PARAMETERS = {name: method.parameters for name, method in _METHODS.items()}


def _split(path: str) -> tuple[str, str, str]:
    """Part the service, which ASP.NET finds in any case, from the method, whose case counts."""
    end = len(_SERVICE)
    return path[:end].lower(), path[end : end + 1], path[end + 1 :]


def _draft(arguments: Arguments) -> Draft:
    numbers = tuple(number for number in arguments["DesNo"].split(",") if number)
    return Draft(numbers=numbers, text=arguments["Msg"], extension=arguments.get("ExeNo", ""))


def _judge_numbers(numbers: tuple[str, ...]) -> str:
    if len(numbers) > 1000:
        return _TOO_MANY
    if not numbers or not all(_ELEVEN_DIGITS.fullmatch(number) for number in numbers):
        return _BAD_NUMBER
    return "" if all(_MOBILE.fullmatch(number) for number in numbers) else _NO_REAL_NUMBER


def _status(delivered: bool) -> str:
    return "DELIVRD" if delivered else "UNDELIVRD"


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(_BEIJING):%Y/%m/%d %H:%M:%S}"


def _join_reports(rows: list[list[str]], shape: str) -> str:
    """批次,号码,状态| or 批次,号码,时间,状态|, with what the document's examples do to it."""
    if shape == DOUBLE_COMMA:
        rows = [[row[0], "", *row[1:]] for row in rows]
    if shape == BLANKS:
        return "".join(f"{', '.join(row)} |\r\n" for row in rows)
    joined = "".join(f"{','.join(row)}|" for row in rows)
    return joined.removesuffix("|") if shape == NO_LAST_BAR else joined


def _reply_row(reply: PhoneReply) -> list[str]:
    return [reply.number, reply.text, _stamp(reply.at)]


def _join_replies(rows: list[list[str]], shape: str) -> str:
    """每组回复之间，用“|;|”分隔; the example of GetMo2 ends each with |; and a line break."""
    records = ["|,|".join(row) for row in rows]
    return "".join(f"{record}|;\n" for record in records) if shape == SEMICOLON_END else "|;|".join(records)
