"""ipyy's sandbox against the vendor's document, spoken to by the standard library alone."""

from __future__ import annotations

import hashlib
import http.client
import re
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlencode
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest

from tocsin.sandbox import Fault, RunningSandbox, start

NS = "http://tempuri.org/"
LOGIN = {"userid": "12", "account": "demo", "password": "demo-password"}
NUMBER, OTHER = "15023239810", "13527576163"
TEXT = "磁盘已满【Example】"
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")


@pytest.fixture
def vendor() -> Iterator[RunningSandbox]:
    with start("ipyy") as running:
        yield running


def ask(vendor, path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection(vendor.base_url.removeprefix("http://"), timeout=10)) as connection:
        connection.request("POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read()


def post(vendor, path: str, **fields: str) -> tuple[int, bytes]:
    return ask(vendor, path, urlencode(fields).encode(), Content_Type="application/x-www-form-urlencoded")


def page(vendor, path: str, **fields: str) -> ElementTree.Element:
    """Post a form to a page and parse its answer."""
    status, body = post(vendor, path, **{**LOGIN, **fields})
    assert status == 200
    assert body.startswith(b'<?xml version="1.0" encoding="utf-8" ?>')
    root = ElementTree.fromstring(body)
    assert root.tag == "returnsms"
    return root


def fields(element: ElementTree.Element) -> dict[str, str]:
    return {child.tag: child.text or "" for child in element}


def send(vendor, **changes: str) -> dict[str, str]:
    given = {"mobile": NUMBER, "content": TEXT, "sendTime": "", "action": "send", "extno": "", **changes}
    return fields(page(vendor, "/sms.aspx", **given))


def query(vendor, path: str, **changes: str) -> list[dict[str, str]]:
    return [fields(box) for box in page(vendor, path, **{"action": "query", **changes})]


def test_a_submit_is_taken_under_a_fresh_task_id(vendor):
    """Success carries a task id of 16 digits, never the same twice, and counts what was taken."""
    first, second = send(vendor), send(vendor, mobile=f"{NUMBER},{OTHER}", extno="01")

    assert first == {
        "returnstatus": "Success",
        "message": "操作成功",
        "remainpoint": "9999",
        "taskID": first["taskID"],
        "successCounts": "1",
    }
    assert re.fullmatch(r"[0-9]{16}", first["taskID"])
    assert int(second["taskID"]) > int(first["taskID"])
    assert (second["remainpoint"], second["successCounts"]) == ("9997", "2")
    assert vendor.ledger.copies(NUMBER, TEXT) == 2
    assert [entry.extension for entry in vendor.ledger.received] == ["", "01", "01"]


@pytest.mark.parametrize(
    ("message", "changes"),
    [
        ("用户名为空", {"account": ""}),
        ("密码为空", {"password": ""}),
        ("用户名错误", {"account": "other"}),
        ("密码错误", {"password": "wrong"}),
        ("手机号码为空", {"mobile": ""}),
        ("内容为空", {"content": ""}),
        ("扩展错误", {"extno": "123456"}),
        ("扩展错误", {"extno": "1a"}),
        ("错误的手机号码", {"mobile": f"{NUMBER},1502323981"}),
        ("需要签名", {"content": "磁盘已满"}),
        ("需要签名", {"content": "【Example】"}),
        ("敏感词汇", {"content": "大促销【Example】"}),
        ("黑名单的手机号码", {"mobile": "13900000009"}),
        ("参数错误", {"action": "sned"}),
        ("参数错误", {"sendTime": "tomorrow"}),
    ],
)
def test_each_rule_has_its_message(vendor, message, changes):
    """What breaks a rule is `Faild` with the text of chapter 9, costs nothing and reaches no phone."""
    vendor.set_terms(keywords=["促销"], blocked=["13900000009"])

    answer = send(vendor, **changes)

    assert (answer["returnstatus"], answer["message"]) == ("Faild", message)
    assert (answer["taskID"], answer["successCounts"]) == ("", "0")
    assert vendor.ledger.received == ()
    assert vendor.terms.balance == 10000


@pytest.mark.parametrize("left_out", ["userid", "mobile", "content", "sendTime", "extno"])
def test_every_listed_parameter_is_wanted(vendor, left_out):
    """A parameter of the document that is not sent, even empty, is an error."""
    given = {**LOGIN, "mobile": NUMBER, "content": TEXT, "sendTime": "", "action": "send", "extno": ""}
    del given[left_out]

    assert "参数错误".encode() in post(vendor, "/sms.aspx", **given)[1]


def test_the_password_may_be_its_md5_in_upper_case(vendor):
    """可以使用明文，也可以全用md5加密方式，md5采用32位大写; lower case is wrong."""
    digest = hashlib.md5(b"demo-password").hexdigest()

    assert send(vendor, password=digest.upper())["returnstatus"] == "Success"
    assert send(vendor, password=digest)["message"] == "密码错误"


def test_the_userid_is_not_verified(vendor):
    """企业ID(不验证)."""
    assert send(vendor, userid="")["returnstatus"] == "Success"


def test_an_empty_balance_refuses_and_a_postpaid_account_goes_below(vendor):
    """A prepaid account without messages left is 额度不足; a postpaid one has a negative balance."""
    vendor.set_terms(balance=1)
    assert send(vendor, mobile=f"{NUMBER},{OTHER}")["message"] == "额度不足"
    assert send(vendor)["remainpoint"] == "0"

    vendor.set_terms(postpaid=True)
    assert send(vendor)["remainpoint"] == "-1"
    assert fields(page(vendor, "/sms.aspx", action="overage"))["payinfo"] == "后付费"


def test_the_balance_has_the_documents_spelling(vendor):
    """Success is `Sucess` here, and a login error does not tell name from password."""
    assert fields(page(vendor, "/sms.aspx", action="overage")) == {
        "returnstatus": "Sucess",
        "message": "操作成功",
        "payinfo": "预付费",
        "overage": "10000",
        "sendTotal": "10000",
    }
    wrong = fields(page(vendor, "/sms.aspx", action="overage", password="wrong"))
    assert (wrong["returnstatus"], wrong["message"]) == ("Faild", "用户名或密码错误")
    empty = fields(page(vendor, "/sms.aspx", action="overage", account=""))
    assert empty["message"] == "用户名或密码不能为空"


def test_reports_are_boxes_handed_out_once(vendor):
    """10 is delivered, 20 is failed; the second poll is empty."""
    vendor.reports("failed", number=OTHER)
    task = send(vendor, mobile=f"{NUMBER},{OTHER}")["taskID"]

    boxes = query(vendor, "/statusApi.aspx")

    assert [(box["mobile"], box["taskid"], box["status"], box["errorcode"]) for box in boxes] == [
        (NUMBER, task, "10", "DELIVRD"),
        (OTHER, task, "20", "2"),
    ]
    assert all(TIME.fullmatch(box["receivetime"]) for box in boxes)
    assert query(vendor, "/statusApi.aspx") == []


def test_reports_come_in_pages(vendor):
    """A full page of 4,000, then the rest; statusNum makes the page smaller; taskid narrows to one task."""
    for _ in range(5):
        send(vendor, mobile=",".join([NUMBER] * 801))
    task = send(vendor, mobile=OTHER)["taskID"]

    assert [box["mobile"] for box in query(vendor, "/statusApi.aspx", taskid=task)] == [OTHER]
    assert [len(query(vendor, "/statusApi.aspx", statusNum=n)) for n in ("2", "", "", "")] == [2, 4000, 3, 0]


def test_replies_are_boxes_handed_out_once(vendor):
    """A reply carries the extension it was sent to and the task that reached that phone last."""
    task = send(vendor)["taskID"]
    vendor.reply(NUMBER, "你好，<我>不需要", "01")

    (box,) = query(vendor, "/callApi.aspx")

    assert TIME.fullmatch(box.pop("receivetime"))
    assert box == {"mobile": NUMBER, "taskid": task, "content": "你好，<我>不需要", "extno": "01"}
    assert query(vendor, "/callApi.aspx") == []


@pytest.mark.parametrize("path", ["/statusApi.aspx", "/callApi.aspx"])
@pytest.mark.parametrize(
    ("error", "remark", "changes"),
    [
        ("1", "用户名或密码不能为空", {"password": ""}),
        ("2", "用户名或密码错误", {"password": "wrong"}),
        ("4", "参数不正确", {"action": "send"}),
        ("4", "参数不正确", {"statusNum": "all"}),
    ],
)
def test_a_query_that_fails_has_an_error_box(vendor, path, error, remark, changes):
    """4.4 and 5.4: a number from 1 to 4 and its remark."""
    assert query(vendor, path, **changes) == [{"error": error, "remark": remark}]


def test_the_limits_of_one_number_are_off_until_asked_for(vendor):
    """With limits on, the fourth submit within 3 minutes fails; another number is free."""
    assert [send(vendor)["returnstatus"] for _ in range(4)] == ["Success"] * 4

    vendor.reset()
    vendor.set_terms(limited=True)
    assert [send(vendor)["returnstatus"] for _ in range(4)] == ["Success"] * 3 + ["Faild"]
    assert send(vendor, mobile=OTHER)["returnstatus"] == "Success"


def soap(vendor, **changes: str) -> dict[str, str]:
    given = {"userName": "demo", "password": "demo-password", "text": TEXT, "numbers": NUMBER, "time": "", **changes}
    sms = (
        f"<Msisdns>{given['numbers']}</Msisdns><SMSContent>{escape(given['text'])}</SMSContent>"
        f"<PlanSendTime>{given['time']}</PlanSendTime><ExtNumber></ExtNumber>"
    )
    body = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f'<SendSms xmlns="{NS}"><userName>{given["userName"]}</userName><password>{given["password"]}</password>'
        f"<sms>{sms}</sms></SendSms></s:Body></s:Envelope>"
    )
    headers = {"Content_Type": "text/xml; charset=utf-8", "SOAPAction": f'"{NS}SendSms"'}
    status, answer = ask(vendor, "/WebService.asmx", body.encode(), **headers)
    assert status == 200
    result = ElementTree.fromstring(answer).find(f".//{{{NS}}}SendSmsResult")
    return {child.tag.removeprefix(f"{{{NS}}}"): child.text or "" for child in result}


def test_soap_carries_what_a_form_may_not(vendor):
    """A text with markup is refused as a form before the page runs; by SOAP it arrives as it was written."""
    text = "if a<b && c &#1 </x>【Example】"
    status, body = post(vendor, "/sms.aspx", **LOGIN, mobile=NUMBER, content=text, sendTime="", action="send", extno="")
    assert (status, b"HttpRequestValidationException" in body) == (500, True)
    assert vendor.ledger.submits == ()

    result = soap(vendor, text=text)
    assert result == {
        "StatusCode": "OK",
        "Description": "操作成功",
        "MsgId": result["MsgId"],
        "Amount": "9999",
        "SuccessCounts": "1",
        "BillingCount": "1",
        "Errors": "",
    }
    assert len(result["MsgId"]) == 16
    assert vendor.ledger.texts_to(NUMBER) == (text,)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("PasswordError", {"password": "wrong"}),
        ("RequiredSuffix", {"text": "磁盘已满"}),
        ("MsisdnError", {"numbers": "1"}),
        ("ParamError", {"time": "tomorrow"}),
    ],
)
def test_soap_refuses_by_the_name_of_the_code(vendor, name, changes):
    """StatusCode is OK or a name of chapter 9."""
    assert soap(vendor, **changes)["StatusCode"] == name
    assert vendor.ledger.received == ()


def test_a_fault_with_a_code_speaks_each_pages_language(vendor):
    """An injected code is a message to sms.aspx, a name to SOAP, an error box to a query; an unlisted one is itself."""
    for code in ("1111", "1111", "系统维护"):
        vendor.inject(Fault("code", value=code))
    vendor.inject(Fault("code", "reports", value="3"))

    assert send(vendor)["message"] == "额度不足"
    assert soap(vendor)["StatusCode"] == "AmountNotEnough"
    assert send(vendor)["message"] == "系统维护"
    assert query(vendor, "/statusApi.aspx") == [{"error": "3", "remark": "该用户不允许查看状态报告"}]
    assert vendor.ledger.received == ()


@pytest.mark.parametrize(
    ("shape", "field", "value"), [("count-short", "successCounts", "1"), ("no-task-id", "taskID", "")]
)
def test_a_success_may_say_less_than_it_did(vendor, shape, field, value):
    """Both numbers got the text and the vendor knows its task, though the answer tells it wrong."""
    vendor.inject(Fault("shape", value=shape))

    assert send(vendor, mobile=f"{NUMBER},{OTHER}")[field] == value
    assert len(vendor.ledger.received) == 2
    assert len(vendor.ledger.received[0].vendor_id) == 16


def test_another_page_is_not_found(vendor):
    """What the document does not list is 404."""
    assert post(vendor, "/smsText.aspx", **LOGIN)[0] == 404
