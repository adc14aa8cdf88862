"""ipyy's side of the wire, written from the vendor's document and from how ASP.NET behaves.

Shares no code with the codec, and must never. A further interface (GBK, JSON, encrypted, MMS) reads its own request,
calls `_judge` and `_take`, and renders its own answer: one more row of `_PAGES`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import partial

from tocsin.sandbox import Operation, Terms
from tocsin.sandbox.aspnet import escape, not_found, read_form, validate
from tocsin.sandbox.http import Answer, Request
from tocsin.sandbox.site import Call, Desk, Draft, Reply, Serial, count_segments
from tocsin.sandbox.soap import bind as bind_soap

USER_ID, ACCOUNT, PASSWORD = "12", "demo", "demo-password"

_BEIJING = timezone(timedelta(hours=8))
_PASSWORD_MD5 = hashlib.md5(PASSWORD.encode(), usedforsecurity=False).hexdigest().upper()
_SIGNED = re.compile(r".+【[^【】]+】", re.DOTALL)
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_EXTENSION = re.compile(r"[0-9]{0,5}")
_SEND_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2})?")
_PAGE_SIZE = "4000"  # statusNum: 必须为数字，默认4000，可不填

_OK = "1"
_OVER_LIMIT = "limit"

# source: 第九章 ResultCode定义. The limits of the first page have no code: 如提交（下发）第4条即失败.
_RESULTS: Mapping[str, tuple[str, str]] = {
    _OK: ("OK", "操作成功"),
    "1001": ("ParamError", "参数错误"),
    "1002": ("UserNameEmpty", "用户名为空"),
    "1003": ("PasswordEmpty", "密码为空"),
    "1004": ("UserNameError", "用户名错误"),
    "1005": ("PasswordError", "密码错误"),
    "1006": ("BindIpError", "IP绑定错误"),
    "1007": ("UserStop", "帐户已停用"),
    "2001": ("ContentEmpty", "内容为空"),
    "1103": ("MsisdnEmpty", "手机号码为空"),
    "1104": ("ExtNumberError", "扩展错误"),
    "2105": ("ContentLong", "内容太长"),
    "1106": ("NoChannel", "没有发送通道"),
    "2107": ("SensitiveWords", "敏感词汇"),
    "1108": ("MsisdnError", "错误的手机号码"),
    "1109": ("MsisdnBlack", "黑名单的手机号码"),
    "1110": ("MsisdnNoChannel", "没有通道的手机号码"),
    "1111": ("AmountNotEnough", "额度不足"),
    "1112": ("NoProduct", "没有配置产品"),
    "2113": ("RequiredSuffix", "需要签名"),
    "2114": ("SuffixError", "签名错误"),
    "9999": ("InternalError", "系统内部错误"),
    _OVER_LIMIT: ("OverLimit", "超出限制"),
}

# source: 3.4, 返回信息提示: this page does not tell name from password.
_OVERAGE_MESSAGES: Mapping[str, str] = {
    "1002": "用户名或密码不能为空",
    "1003": "用户名或密码不能为空",
    "1004": "用户名或密码错误",
    "1005": "用户名或密码错误",
}

# source: 4.4 and 5.4
_QUERY_ERRORS: Mapping[str, str] = {
    "1": "用户名或密码不能为空",
    "2": "用户名或密码错误",
    "3": "该用户不允许查看状态报告",
    "4": "参数不正确",
}
_QUERY_ERROR_OF: Mapping[str, str] = {"1002": "1", "1003": "1", "1004": "2", "1005": "2"}

COUNT_SHORT = "count-short"
NO_TASK_ID = "no-task-id"

Fields = Mapping[str, str]


class Sandbox:
    """The site. Its balance counts messages, not money.

    Shapes of a submit's success: `count-short` (successCounts is one less than was taken) and `no-task-id`.
    """

    vendor = "ipyy"
    account_settings: Mapping[str, str] = {"user_id": USER_ID, "account": ACCOUNT, "password": PASSWORD}
    terms = Terms(balance=Decimal(10000), price=Decimal(1))
    shapes: Mapping[str, Operation] = {COUNT_SHORT: Operation.SUBMIT, NO_TASK_ID: Operation.SUBMIT}

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._tasks = Serial()

    def read(self, request: Request) -> Call:
        """Understand one request to one of the vendor's pages; ASP.NET finds them in any case."""
        page = _PAGES.get(request.path.lower())
        return Call.answered(not_found()) if page is None else page(self, request)

    def _sms(self, request: Request) -> Call:
        """sms.aspx: 第一章 and 第三章, told apart by `action`."""
        fields = read_form(request)
        refused = validate(fields, "Form")
        if refused is not None:
            return Call.answered(refused, "sms.aspx")
        if fields.get("action") == "overage":
            return self._overage_call(fields)
        return self._send_call(fields)

    def _send_call(self, fields: Fields) -> Call:
        draft = _draft(fields, "mobile", "content", "extno")
        refuse = partial(_refuse, lambda code: _send_answer("Faild", _message(code)))

        def perform(shape: str) -> Reply:
            code = _judge_page(fields) or self._judge(fields["account"], fields["password"], draft)
            if code:
                return refuse(code)
            task, told, count = self._take(draft, shape)
            answer = _send_answer("Success", _message(_OK), self._left(), told, str(count))
            return Reply(answer=answer, accepted=True, vendor_id=task)

        return Call(operation=Operation.SUBMIT, name="sms.aspx", draft=draft, perform=perform, refuse=refuse)

    def _overage_call(self, fields: Fields) -> Call:
        refuse = partial(_refuse, lambda code: _overage_answer("Faild", _OVERAGE_MESSAGES.get(code, _message(code))))

        def perform(_: str) -> Reply:
            code = _missing(fields, _QUERY_FIELDS) or _log_in(fields["account"], fields["password"])
            if code:
                return refuse(code)
            paid = "后付费" if self._desk.terms.postpaid else "预付费"
            return Reply(answer=_overage_answer("Sucess", _message(_OK), paid, self._left(), str(self.terms.balance)))

        return Call(operation=Operation.BALANCE, name="sms.aspx", perform=perform, refuse=refuse)

    def _status(self, request: Request) -> Call:
        """statusApi.aspx: 第四章."""

        def rows(fields: Fields) -> str:
            limit = int(fields.get("statusNum") or _PAGE_SIZE)
            due = self._desk.carrier.take_reports(limit=limit, vendor_id=fields.get("taskid", ""))
            return "".join(
                _box(
                    "statusbox",
                    mobile=report.number,
                    taskid=report.vendor_id,
                    status="10" if report.delivered else "20",
                    receivetime=_stamp(report.at),
                    errorcode="DELIVRD" if report.delivered else "2",
                )
                for report in due
            )

        return _query(request, Operation.REPORTS, rows)

    def _calls(self, request: Request) -> Call:
        """callApi.aspx: 第五章."""

        def rows(_: Fields) -> str:
            return "".join(
                _box(
                    "callbox",
                    mobile=reply.number,
                    taskid=reply.vendor_id,
                    content=reply.text,
                    receivetime=_stamp(reply.at),
                    extno=reply.extension,
                )
                for reply in self._desk.carrier.take_replies()
            )

        return _query(request, Operation.INBOUND, rows)

    def _web_service(self, request: Request) -> Call:
        """WebService.asmx: 第八章. SOAP bodies are not looked at by request validation."""
        invocation = bind_soap(request, {"SendSms"})
        if isinstance(invocation, Answer):
            return Call.answered(invocation, "SendSms")
        given, render = invocation.arguments, invocation.render
        draft = _draft(given, "sms/Msisdns", "sms/SMSContent", "sms/ExtNumber")
        refuse = partial(_refuse, lambda code: render(_send_result(code)))

        def perform(shape: str) -> Reply:
            code = _judge_time(given.get("sms/PlanSendTime", ""))
            code = code or self._judge(given.get("userName", ""), given.get("password", ""), draft)
            if code:
                return refuse(code)
            task, told, count = self._take(draft, shape)
            billed = count_segments(draft.text) * len(draft.numbers)
            result = _send_result(
                _OK, MsgId=told, Amount=self._left(), SuccessCounts=str(count), BillingCount=str(billed)
            )
            return Reply(answer=render(result), accepted=True, vendor_id=task)

        return Call(operation=Operation.SUBMIT, name="SendSms", draft=draft, perform=perform, refuse=refuse)

    def _judge(self, account: str, password: str, draft: Draft) -> str:
        """Return the code of chapter 9 that refuses the submit; empty where nothing does: then it is charged."""
        code = _log_in(account, password) or _judge_draft(draft) or self._judge_rules(draft)
        return code or ("" if self._desk.charge(draft) else "1111")

    def _judge_rules(self, draft: Draft) -> str:
        terms = self._desk.terms
        if draft.extension and not terms.extensions:
            return "1104"
        if any(word in draft.text for word in terms.keywords):
            return "2107"
        if not terms.blocked.isdisjoint(draft.numbers):
            return "1109"
        return _OVER_LIMIT if terms.limited and any(self._is_full(number) for number in draft.numbers) else ""

    def _is_full(self, number: str) -> bool:
        """同一个号码一天限制接收10条信息; 3分钟之内只能提交3条."""
        received_by = self._desk.received_by
        return received_by(number, timedelta(minutes=3)) >= 3 or received_by(number, timedelta(days=1)) >= 10

    def _take(self, draft: Draft, shape: str) -> tuple[str, str, int]:
        """Give the submit its id; return it, the id that is told, and the count that is told."""
        # 16 digits as 1504080852350206 of the document: a date, a time and four more.
        task = self._tasks.next(int(f"{self._desk.now().astimezone(_BEIJING):%y%m%d%H%M%S}0000"))
        count = len(draft.numbers) - (shape == COUNT_SHORT)
        return task, "" if shape == NO_TASK_ID else task, count

    def _left(self) -> str:
        return str(self._desk.terms.balance)


_PAGES: Mapping[str, Callable[[Sandbox, Request], Call]] = {
    "/sms.aspx": Sandbox._sms,
    "/statusapi.aspx": Sandbox._status,
    "/callapi.aspx": Sandbox._calls,
    "/webservice.asmx": Sandbox._web_service,
}

_SEND_FIELDS = ("userid", "account", "password", "mobile", "content", "sendTime", "action", "extno")
_QUERY_FIELDS = ("userid", "account", "password", "action")


def _draft(fields: Fields, numbers: str, text: str, extension: str) -> Draft:
    mobile = tuple(number for number in fields.get(numbers, "").split(",") if number)
    return Draft(numbers=mobile, text=fields.get(text, ""), extension=fields.get(extension, ""))


def _missing(fields: Fields, names: tuple[str, ...]) -> str:
    return "" if set(names) <= set(fields) else "1001"


def _log_in(account: str, password: str) -> str:
    """可以使用明文，也可以全用md5加密方式，md5采用32位大写."""
    if not account or not password:
        return "1002" if not account else "1003"
    if account != ACCOUNT:
        return "1004"
    return "" if password in (PASSWORD, _PASSWORD_MD5) else "1005"


def _judge_page(fields: Fields) -> str:
    if _missing(fields, _SEND_FIELDS) or fields["action"] != "send":
        return "1001"
    return _judge_time(fields["sendTime"])


def _judge_time(planned: str) -> str:
    """定时发送格式2010-10-24 09:08:10, or empty. A planned message reaches its phone at once all the same."""
    return "" if _SEND_TIME.fullmatch(planned) else "1001"


def _judge_draft(draft: Draft) -> str:
    """Judge what can be judged without the account."""
    if not draft.numbers:
        return "1103"
    if not draft.text:
        return "2001"
    if not _EXTENSION.fullmatch(draft.extension):
        return "1104"
    if not all(_MOBILE.fullmatch(number) for number in draft.numbers):
        return "1108"
    return "" if _SIGNED.fullmatch(draft.text) else "2113"


def _query(request: Request, operation: Operation, rows: Callable[[Fields], str]) -> Call:
    """Ask for reports or replies: 4.2 and 5.2."""
    fields, name = read_form(request), request.path.removeprefix("/")
    refused = validate(fields, "Form")
    if refused is not None:
        return Call.answered(refused, name)
    refuse = partial(_refuse, _query_error)

    def perform(_: str) -> Reply:
        wrong = bool(_missing(fields, _QUERY_FIELDS)) or fields["action"] != "query"
        if wrong or not (fields.get("statusNum") or _PAGE_SIZE).isdecimal():
            return refuse("4")
        code = _log_in(fields["account"], fields["password"])
        return refuse(_QUERY_ERROR_OF[code]) if code else Reply(answer=_returnsms(rows(fields)))

    return Call(operation=operation, name=name, perform=perform, refuse=refuse)


def _refuse(render: Callable[[str], Answer], code: str) -> Reply:
    return Reply(answer=render(code), code=code)


def _message(code: str) -> str:
    """Return the text of a code of chapter 9; what is none stands for itself, to try unlisted messages."""
    return _RESULTS[code][1] if code in _RESULTS else code


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(_BEIJING):%Y-%m-%d %H:%M:%S}"


def _elements(fields: Mapping[str, str]) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>\r\n" for name, value in fields.items())


def _box(kind: str, **fields: str) -> str:
    return f"<{kind}>\r\n{_elements(fields)}</{kind}>\r\n"


def _returnsms(inner: str) -> Answer:
    document = f'<?xml version="1.0" encoding="utf-8" ?>\r\n<returnsms>\r\n{inner}</returnsms>'
    return Answer(body=document.encode())


def _send_answer(status: str, message: str, left: str = "0", task: str = "", count: str = "0") -> Answer:
    """Return the XML of 1.3."""
    fields = {
        "returnstatus": status,
        "message": message,
        "remainpoint": left,
        "taskID": task,
        "successCounts": count,
    }
    return _returnsms(_elements(fields))


def _overage_answer(status: str, message: str, paid: str = "", left: str = "0", total: str = "0") -> Answer:
    """Return the XML of 3.3."""
    fields = {"returnstatus": status, "message": message, "payinfo": paid, "overage": left, "sendTotal": total}
    return _returnsms(_elements(fields))


def _query_error(code: str) -> Answer:
    """Return the XML of 4.4 and 5.4."""
    return _returnsms(_box("errorstatus", error=code, remark=_QUERY_ERRORS.get(code, _message(code))))


def _send_result(code: str, **counts: str) -> str:
    """Return the fields of SendResult, 8.3; StatusCode is a name of chapter 9."""
    name, description = _RESULTS.get(code, (code, code))
    nothing = {"MsgId": "", "Amount": "0", "SuccessCounts": "0", "BillingCount": "0"}
    fields = {"StatusCode": name, "Description": description, **nothing, **counts, "Errors": ""}
    return "".join(f"<{field}>{escape(value)}</{field}>" for field, value in fields.items())
