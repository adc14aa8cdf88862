"""ipyy's further pages: GB2312, JSON, password and the service's description, spoken to by the standard library."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest

from tocsin.sandbox import Fault, RunningSandbox, start

NUMBER, OTHER = "15510331875", "13483728958"
LOGIN = {"userid": "12", "account": "demo", "password": "demo-password"}
SEND = {**LOGIN, "mobile": NUMBER, "content": "磁盘已满【Example】", "sendTime": "", "action": "send", "extno": ""}
TIME = "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"


@pytest.fixture
def vendor() -> Iterator[RunningSandbox]:
    with start("ipyy") as running:
        yield running


def post(vendor, page: str, fields: dict[str, str], charset: str = "utf-8") -> tuple[int, str, bytes]:
    with closing(http.client.HTTPConnection(vendor.base_url.removeprefix("http://"), timeout=10)) as connection:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", f"/{page}", urlencode(fields, encoding=charset), headers)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read()


def ask_json(vendor, page: str, **fields: str) -> dict:
    status, _, body = post(vendor, page, {**LOGIN, **fields})
    assert status == 200
    return json.loads(body)


def ask_gbk(vendor, **changes: str) -> dict[str, str]:
    status, kind, body = post(vendor, "smsGBK.aspx", {**SEND, **changes}, "gbk")
    assert (status, kind) == (200, "text/xml; charset=gb2312")
    document = body.decode("gbk")
    assert document.startswith('<?xml version="1.0" encoding="gb2312" ?>')
    return {child.tag: child.text or "" for child in ElementTree.fromstring(document.partition("?>")[2])}


def test_the_gbk_page_reads_and_writes_gb2312(vendor):
    """https://sh2.ipyy.com/smsGBK.aspx 对应GB2312, in both directions."""
    answer = ask_gbk(vendor)

    assert (answer["returnstatus"], answer["message"], len(answer["taskID"])) == ("Success", "操作成功", 16)
    assert vendor.ledger.texts_to(NUMBER) == (SEND["content"],)
    assert ask_gbk(vendor, content="磁盘已满")["message"] == "需要签名"
    assert ask_gbk(vendor, action="overage")["payinfo"] == "预付费"


def test_a_form_in_the_wrong_charset_arrives_garbled(vendor):
    """UTF-8 sent to the page for GB2312 is not what was meant: the vendor sees no signature."""
    assert "需要签名".encode("gbk") in post(vendor, "smsGBK.aspx", SEND, "utf-8")[2]


def test_the_json_page_writes_every_value_as_text(vendor):
    """1.4 and 3.4: the same names, all values text, and its own words for the kind of payment."""
    assert ask_json(vendor, "smsJson.aspx", **SEND) == {
        "returnstatus": "Success",
        "message": "操作成功",
        "remainpoint": "9999",
        "taskID": vendor.ledger.submits[0].vendor_id,
        "successCounts": "1",
    }
    assert ask_json(vendor, "smsJson.aspx", action="overage") == {
        "returnstatus": "Success",
        "message": "操作成功",
        "payinfo": "预付",
        "overage": "9999",
        "sendTotal": "10000",
    }
    refused = ask_json(vendor, "smsJson.aspx", **{**SEND, "content": "磁盘已满"})
    assert (refused["returnstatus"], refused["message"], refused["taskID"]) == ("Faild", "需要签名", "")


def test_json_reports_have_no_status(vendor):
    """4.5: "1" is success, and a report says what became of it in errorcode alone."""
    vendor.reports("failed", number=OTHER)
    post(vendor, "sms.aspx", {**SEND, "mobile": f"{NUMBER},{OTHER}"})
    task = vendor.ledger.submits[0].vendor_id

    answer = ask_json(vendor, "statusJsonApi.aspx", action="query")

    assert (answer["error"], answer["remark"]) == ("1", "成功")
    assert all(re.fullmatch(TIME, row.pop("receivetime")) for row in answer["statusbox"])
    assert answer["statusbox"] == [
        {"mobile": NUMBER, "taskid": task, "errorcode": "DELIVRD"},
        {"mobile": OTHER, "taskid": task, "errorcode": "2"},
    ]
    assert ask_json(vendor, "statusJsonApi.aspx", action="query")["statusbox"] == []


def test_json_replies_may_lack_task_and_time(vendor):
    """5.5, and the sample's year 1 where the shape asks for it."""
    vendor.reply(NUMBER, "a", "123")
    (row,) = ask_json(vendor, "callJsonApi.aspx", action="query")["callbox"]
    assert (row["mobile"], row["content"], row["extno"]) == (NUMBER, "a", "123")

    vendor.reply(NUMBER, "b")
    vendor.inject(Fault("shape", "inbound", value="no-time"))
    (row,) = ask_json(vendor, "callJsonApi.aspx", action="query")["callbox"]
    assert (row["taskid"], row["receivetime"], row["content"]) == ("", "0001-01-01 00:00:00", "b")


@pytest.mark.parametrize(("page", "box"), [("statusJsonApi.aspx", "statusbox"), ("callJsonApi.aspx", "callbox")])
@pytest.mark.parametrize(
    ("error", "remark", "changes"),
    [
        ("1005", "密码错了", {"password": "wrong"}),
        ("1004", "用户名错误", {"account": "other"}),
        ("1003", "密码为空", {"password": ""}),
        ("1001", "参数错误", {"action": "send"}),
    ],
)
def test_a_json_query_fails_with_a_code_of_chapter_9(vendor, page, box, error, remark, changes):
    """{"error":"1005","remark":"密码错了"} and no rows."""
    assert ask_json(vendor, page, **{"action": "query", **changes}) == {"error": error, "remark": remark, box: []}


def test_json_reports_come_in_pages(vendor):
    """statusNum and taskid are the JSON page's as well."""
    post(vendor, "sms.aspx", {**SEND, "mobile": f"{NUMBER},{OTHER},{NUMBER}"})
    post(vendor, "sms.aspx", SEND)
    task = vendor.ledger.submits[1].vendor_id

    def rows(**fields):
        return len(ask_json(vendor, "statusJsonApi.aspx", action="query", **fields)["statusbox"])

    assert [rows(taskid=task), rows(statusNum="2"), rows(), rows()] == [1, 2, 1, 0]


def change(vendor, old: str, new: str) -> tuple[str, str]:
    body = post(vendor, "pwd.aspx", {**LOGIN, "password": old, "newpassword": new})[2]
    root = ElementTree.fromstring(body)
    return root.findtext("returnstatus"), root.findtext("message")


def test_a_changed_password_holds_everywhere_until_the_reset(vendor):
    """7.3: `Sucess`; the old password is wrong from then on, on every page."""
    assert change(vendor, "demo-password", "x" * 20) == ("Sucess", "操作成功")

    assert vendor.account_settings["password"] == "x" * 20
    assert ask_json(vendor, "smsJson.aspx", action="overage")["message"] == "用户名或密码错误"
    assert ask_json(vendor, "smsJson.aspx", action="overage", password="x" * 20)["returnstatus"] == "Success"
    vendor.reset()
    assert ask_json(vendor, "smsJson.aspx", action="overage")["returnstatus"] == "Success"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("demo-password", "x" * 21, "参数错误"),
        ("demo-password", "", "用户名或密码不能为空"),
        ("", "new", "用户名或密码不能为空"),
        ("wrong", "new", "用户名或密码错误"),
        (hashlib.md5(b"demo-password").hexdigest().upper(), "new", "用户名或密码错误"),
    ],
)
def test_a_password_is_changed_only_as_the_document_says(vendor, old, new, message):
    """要设置的新密码，最长20位; 7.2 does not offer the old one as MD5."""
    assert change(vendor, old, new) == ("Faild", message)
    assert vendor.account_settings["password"] == "demo-password"


@pytest.mark.parametrize(("when", "holds"), [("before", "demo-password"), ("after", "new")])
def test_a_lost_answer_hides_whether_the_password_changed(vendor, when, holds):
    """A fault of operation `other` strikes on either side of the change."""
    vendor.inject(Fault("close", "other", when=when))
    with pytest.raises(http.client.RemoteDisconnected):
        change(vendor, "demo-password", "new")

    assert vendor.account_settings["password"] == holds


@pytest.mark.parametrize("page", ["sms.aspx", "smsGBK.aspx", "smsJson.aspx"])
def test_a_planned_time_stands_in_the_ledger(vendor, page):
    """定时发送格式2010-10-24 09:08:10; another form is 参数错误."""
    post(vendor, page, {**SEND, "sendTime": "2030-10-24 09:08:10"}, "gbk" if "GBK" in page else "utf-8")
    post(vendor, page, {**SEND, "sendTime": "2030-10-24T09:08:10"}, "gbk" if "GBK" in page else "utf-8")

    assert [(submit.planned, submit.code) for submit in vendor.ledger.submits] == [
        ("2030-10-24 09:08:10", ""),
        ("2030-10-24T09:08:10", "1001"),
    ]
    assert {submit.operation for submit in vendor.ledger.submits} == {page}


def test_a_fault_with_a_code_speaks_each_pages_language(vendor):
    """The same 1111 is a message in GB2312, a message in JSON, and a number in a query's answer."""
    for operation in ("submit", "submit", "reports", "other"):
        vendor.inject(Fault("code", operation, value="1111"))

    assert ask_gbk(vendor)["message"] == "额度不足"
    assert ask_json(vendor, "smsJson.aspx", **SEND)["message"] == "额度不足"
    assert ask_json(vendor, "statusJsonApi.aspx", action="query")["error"] == "1111"
    assert change(vendor, "demo-password", "new") == ("Faild", "额度不足")
    assert vendor.account_settings["password"] == "demo-password"


@pytest.mark.parametrize("page", ["sms.aspx", "smsGBK.aspx", "smsJson.aspx", "statusJsonApi.aspx", "pwd.aspx"])
@pytest.mark.parametrize(("kind", "charset"), [("charset", {"gbk", "utf-8"}), ("gb2312", {"gbk"})])
def test_the_charset_faults_fit_every_page(vendor, page, kind, charset):
    """`charset` answers in bytes that are not those that were declared; `gb2312` declares what it sends."""
    vendor.inject(Fault(kind, "any"))
    fields = {**SEND, "action": "query"} if page.startswith("status") else {**SEND, "newpassword": "new"}
    _, declared, body = post(vendor, page, fields, "gbk" if "GBK" in page else "utf-8")

    says = "gbk" if "gb2312" in declared else "utf-8"
    (sent,) = charset - {says} if kind == "charset" else charset
    assert ("成功" if page.startswith("status") else "操作成功") in body.decode(sent)


def test_the_service_describes_itself(vendor):
    """WebService.asmx?WSDL has SendSms, its SmsObject and its SendResult."""
    with closing(http.client.HTTPConnection(vendor.base_url.removeprefix("http://"), timeout=10)) as connection:
        connection.request("GET", "/WebService.asmx?WSDL")
        root = ElementTree.fromstring(connection.getresponse().read())
    schema = "{http://www.w3.org/2001/XMLSchema}"
    fields = {
        kind.get("name"): [element.get("name") for element in kind.iter(f"{schema}element")]
        for kind in root.iter(f"{schema}complexType")
    }

    assert fields["SmsObject"] == ["Msisdns", "SMSContent", "PlanSendTime", "ExtNumber"]
    assert fields["SendResult"] == [
        "StatusCode",
        "Description",
        "MsgId",
        "Amount",
        "SuccessCounts",
        "BillingCount",
        "Errors",
    ]


def test_a_long_query_string_is_refused_by_the_web_server(vendor):
    """404.15 stands before every page."""
    assert post(vendor, "sms.aspx?" + "x" * 2049, SEND)[0] == 404
    assert vendor.ledger.submits == ()
