"""ensms.ashx against the document: 1.5."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import CBC

from tocsin.sandbox import Fault, RunningSandbox, start
from tocsin_ipyy.sandbox.text64 import is_in_time

NUMBER = "15510331875"
TEXT = "我的验证码是：7890。<b>&#1【Example】"
PASSWORD = "demo-password"
DOCUMENTED = (
    "0DqKGm9MWnsFM2wlYEW65VXylBxJGBiuZzP5dTp1ALdK7QaTgx0cR5GftknjiNJBOd46tdJp+6J3OYAoukEBOKlfsExTaFYC7X514PyLC+NrwhDL"
    "KYOvFAb7gBo+dqkslvVJklz4qm7/gUHrHAT2d7hEcQxhDMD+Ij8NIy1kvHqU3noZTqjlC1PaaFYy6zifBr5ND+V4UK0xM7scF/avfVKW/0k16qqV"
    "zDDJocRkTz0jqvtJYfo1liuI2+h2fRkK"
)


@pytest.fixture
def vendor() -> Iterator[RunningSandbox]:
    with start("ipyy") as running:
        yield running


def post(vendor, **fields: str) -> dict:
    with closing(http.client.HTTPConnection(vendor.base_url.removeprefix("http://"), timeout=10)) as connection:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/ensms.ashx", urlencode(fields), headers)
        answer = connection.getresponse()
        assert answer.status == 200
        return json.loads(answer.read())


def stamp(minutes: float = 0) -> str:
    return f"{datetime.now(UTC) + timedelta(hours=8, minutes=minutes):%m%d%H%M%S}"


def seal(plain: bytes, password: str = PASSWORD) -> str:
    key = password.encode()[:8].ljust(8, b"\0")
    padding = 8 - len(plain) % 8
    encryptor = Cipher(TripleDES(key * 3), CBC(key)).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()).decode()


def members(**changes: str) -> dict[str, str]:
    at = changes.get("Stamp", stamp())
    secret = hashlib.md5((PASSWORD + at).encode()).hexdigest().upper()
    given = {
        "UserName": "demo",
        "Secret": secret,
        "Stamp": at,
        "Moblie": NUMBER,
        "Text": TEXT,
        "Ext": "",
        "SendTime": "",
    }
    return {**given, **changes}


def send(vendor, **changes: str) -> dict:
    return post(vendor, UserId="12", Text64=seal(json.dumps(members(**changes)).encode()))


def test_an_encrypted_submit_is_taken(vendor):
    """The answer's numbers are numbers and its id is text; what request validation would refuse arrives whole."""
    answer = send(vendor, Ext="01", SendTime="2030-10-24 09:08:10")

    assert answer == {
        "StatusCode": 1,
        "Description": "操作成功",
        "MsgId": vendor.ledger.submits[0].vendor_id,
        "Amount": 9999,
        "SuccessCounts": 1,
        "Errors": [],
    }
    (submit,) = vendor.ledger.submits
    assert (submit.operation, submit.extension, submit.planned) == ("ensms.ashx", "01", "2030-10-24 09:08:10")
    assert vendor.ledger.texts_to(NUMBER) == (TEXT,)


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        (1002, {"UserName": ""}),
        (1004, {"UserName": "other"}),
        (1005, {"Secret": "0" * 32}),
        (1003, {"Secret": ""}),
        (1010, {"Stamp": "tomorrow"}),
        (1010, {"Stamp": "1332000000"}),
        (1103, {"Moblie": ""}),
        (1108, {"Moblie": "1"}),
        (2001, {"Text": ""}),
        (2113, {"Text": "磁盘已满"}),
        (1104, {"Ext": "123456"}),
        (1001, {"SendTime": "tomorrow"}),
    ],
)
def test_each_rule_has_its_code(vendor, code, changes):
    """A refusal is a number of chapter 9 in StatusCode."""
    answer = send(vendor, **changes)

    assert (answer["StatusCode"], answer["MsgId"], answer["SuccessCounts"]) == (code, "", 0)
    assert vendor.ledger.received == ()


@pytest.mark.parametrize(("minutes", "code"), [(-5.1, 1010), (-4.9, 1), (4.9, 1), (5.1, 1010)])
def test_a_stamp_is_good_for_five_minutes(vendor, minutes, code):
    """误差不超过5分钟, on either side."""
    assert send(vendor, Stamp=stamp(minutes))["StatusCode"] == code


def test_a_wrong_clock_makes_every_stamp_wrong(vendor):
    """It does not matter whose clock is off."""
    vendor.advance(600)
    assert send(vendor)["StatusCode"] == 1010


@pytest.mark.parametrize(
    ("stamp", "now", "good"),
    [
        ("1231235800", "2026-12-31T16:01:00+00:00", True),
        ("0101000200", "2026-12-31T15:59:00+00:00", True),
        ("0229120000", "2028-02-29T04:00:00+00:00", True),
        ("0229120000", "2027-03-01T04:00:00+00:00", False),
        ("1231235800", "2026-12-31T16:04:00+00:00", False),
    ],
)
def test_a_stamp_lacks_its_year(stamp, now, good):
    """At the turn of the year the nearest one counts; 29 February exists in leap years alone."""
    assert is_in_time(stamp, datetime.fromisoformat(now)) is good


@pytest.mark.parametrize(
    "text64",
    [
        "",
        "no base64",
        base64.b64encode(b"no blocks").decode(),
        seal(b"{}", "other-password"),
        seal(b"no json"),
        seal(b"[]"),
        seal(b"\xff\xfe"),
        seal(b'{"UserName": ["demo"]}'),
    ],
)
def test_what_cannot_be_opened_is_1009(vendor, text64):
    """不是有效的base64编码, Des解密失败, 解析json时出错."""
    assert post(vendor, UserId="12", Text64=text64)["StatusCode"] == 1009
    assert [submit.code for submit in vendor.ledger.submits] == ["1009"]


def test_a_plus_sign_that_was_not_encoded_breaks_the_text(vendor):
    """在传输此值时，请使用urlencode: a bare plus is a blank to the vendor."""
    vendor.set_terms(password="test")
    assert "+" in DOCUMENTED

    assert post(vendor, UserId="12", Text64=DOCUMENTED.replace("+", " "))["StatusCode"] == 1009


def test_the_documents_own_example_opens(vendor):
    """Text64 of password `test` holds the document's number and text; its name is not this account's."""
    vendor.set_terms(password="test")

    assert post(vendor, UserId="12", Text64=DOCUMENTED)["StatusCode"] == 1004
    (submit,) = vendor.ledger.submits
    assert (submit.numbers, submit.text) == ((NUMBER,), "我的验证码是：7890。【奥创时代】")


@pytest.mark.parametrize("user_id", ["", "demo", "13"])
def test_the_user_id_is_the_vendors_number(vendor, user_id):
    """UserId参数错误，该值必需要是数字，由供应商提供."""
    assert post(vendor, UserId=user_id, Text64=seal(json.dumps(members()).encode()))["StatusCode"] == 1008


def test_a_fault_with_a_code_is_a_number(vendor):
    """An injected 9999 looks like the vendor's own; nothing reaches a phone."""
    vendor.inject(Fault("code", value="9999"))

    answer = send(vendor)
    assert (answer["StatusCode"], answer["Description"]) == (9999, "系统内部错误")
    assert vendor.ledger.received == ()
