"""ipyy's side of the wire, written from the vendor's document and from how ASP.NET behaves.

Shares no code with the codec, and must never. Each page of the document is a row of `_PAGES`; how it writes is its
`Dialect` (`answers`), what it does is in `send` and `query`, by what it judges in `rules`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tocsin.sandbox import Operation
from tocsin.sandbox.aspnet import filter_request, not_found, read_form, validate
from tocsin.sandbox.http import Answer, Request
from tocsin.sandbox.site import Call, Desk
from tocsin.sandbox.soap import bind as bind_soap
from tocsin.sandbox.wsdl import Record, Signature, describe, wants_wsdl
from tocsin_ipyy.sandbox.answers import GBK, JSON, XML, Fields, Page
from tocsin_ipyy.sandbox.push import PUSHING
from tocsin_ipyy.sandbox.query import NO_TIME, read_overage, read_password, read_replies, read_reports
from tocsin_ipyy.sandbox.rules import ACCOUNT, TERMS, USER_ID
from tocsin_ipyy.sandbox.send import COUNT_SHORT, NO_TASK_ID, Sender


class Sandbox:
    """The site. Its balances count messages, not money.

    Shapes of a submit's success: `count-short` (successCounts is one less than was taken) and `no-task-id`. Of
    replies: `no-time` (an empty taskid and the year 1, as in the sample of 5.5).
    """

    vendor = "ipyy"
    terms = TERMS
    pushing = PUSHING
    shapes: Mapping[str, Operation] = {
        COUNT_SHORT: Operation.SUBMIT,
        NO_TASK_ID: Operation.SUBMIT,
        NO_TIME: Operation.INBOUND,
    }

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._sender = Sender(desk)

    @property
    def account_settings(self) -> Mapping[str, str]:
        """What an account needs; the password may have been changed."""
        return {"user_id": USER_ID, "account": ACCOUNT, "password": self._desk.terms.password}

    def read(self, request: Request) -> Call:
        """Understand one request to one of the vendor's pages; ASP.NET finds them in any case."""
        path = request.path.lower()
        refused = filter_request(request)
        if refused is not None:
            return Call.answered(refused)
        if path == _SERVICE:
            return self._web_service(request)
        if path not in _PAGES:
            return Call.answered(not_found())
        page, read = _PAGES[path]
        fields = read_form(request, page.dialect.charset)
        refused = validate(fields, "Form")
        return read(self, fields, page) if refused is None else Call.answered(refused, page.name)

    def _sms(self, fields: Fields, page: Page) -> Call:
        """第一章 and 第三章, told apart by `action`."""
        return self._overage(fields, page) or self._sender.read_sms(fields, page)

    def _mms(self, fields: Fields, page: Page) -> Call:
        """第二章, and 彩信余额 of 第三章."""
        return self._overage(fields, page) or self._sender.read_mms(fields, page)

    def _encrypted(self, fields: Fields, page: Page) -> Call:
        return self._sender.read_encrypted(fields, page)

    def _overage(self, fields: Fields, page: Page) -> Call | None:
        return read_overage(self._desk, fields, page) if fields.get("action") == "overage" else None

    def _reports(self, fields: Fields, page: Page) -> Call:
        return read_reports(self._desk, fields, page)

    def _replies(self, fields: Fields, page: Page) -> Call:
        return read_replies(self._desk, fields, page)

    def _password(self, fields: Fields, page: Page) -> Call:
        return read_password(self._desk, fields, page)

    def _web_service(self, request: Request) -> Call:
        """WebService.asmx. SOAP bodies are not looked at by request validation."""
        if wants_wsdl(request):
            return Call.answered(describe(request, "WebService", _METHODS), "WSDL")
        invocation = bind_soap(request, _METHODS)
        if isinstance(invocation, Answer):
            return Call.answered(invocation, "SendSms")
        return self._sender.read_soap(invocation)


_MMS = Page("mms.aspx", XML, purse=lambda terms: terms.mms_balance)

# source: 1.1, 2.1, 3.1, 4.1, 5.1, 7.1
_PAGES: Mapping[str, tuple[Page, Callable[[Sandbox, Fields, Page], Call]]] = {
    "/sms.aspx": (Page("sms.aspx", XML), Sandbox._sms),
    "/smsgbk.aspx": (Page("smsGBK.aspx", GBK), Sandbox._sms),
    "/smsjson.aspx": (Page("smsJson.aspx", JSON), Sandbox._sms),
    "/ensms.ashx": (Page("ensms.ashx", JSON), Sandbox._encrypted),
    "/mms.aspx": (_MMS, Sandbox._mms),
    "/statusapi.aspx": (Page("statusApi.aspx", XML), Sandbox._reports),
    "/statusjsonapi.aspx": (Page("statusJsonApi.aspx", JSON), Sandbox._reports),
    "/callapi.aspx": (Page("callApi.aspx", XML), Sandbox._replies),
    "/calljsonapi.aspx": (Page("callJsonApi.aspx", JSON), Sandbox._replies),
    "/pwd.aspx": (Page("pwd.aspx", XML), Sandbox._password),
}

# source: 8.1, 8.2, 8.3; types and their order are not stated.
_SERVICE = "/webservice.asmx"
_SMS_OBJECT = Record("SmsObject", dict.fromkeys(("Msisdns", "SMSContent", "PlanSendTime", "ExtNumber"), "string"))
_SEND_RESULT = Record(
    "SendResult",
    {
        **dict.fromkeys(("StatusCode", "Description", "MsgId"), "string"),
        "Amount": "decimal",
        **dict.fromkeys(("SuccessCounts", "BillingCount"), "int"),
        "Errors": "string",
    },
)
_METHODS = {"SendSms": Signature({"userName": "string", "password": "string", "sms": _SMS_OBJECT}, result=_SEND_RESULT)}
