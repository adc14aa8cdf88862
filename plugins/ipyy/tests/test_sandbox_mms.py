"""mms.aspx against the document: 第二章."""

from __future__ import annotations

import base64
import hashlib
import http.client
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest

from tocsin.sandbox import RunningSandbox, start

NUMBER = "15023239810"
LOGIN = {"userid": "12", "account": "demo", "password": "demo-password"}
FILES = (("a.txt", b"hello"), ("b.jpg", bytes(range(256))), ("c.smil", b""))


@pytest.fixture
def vendor() -> Iterator[RunningSandbox]:
    with start("ipyy") as running:
        yield running


def container(*files: tuple[str, bytes], order: str = "little") -> bytes:
    return b"".join(name.encode() + b"\0" + len(data).to_bytes(4, order) + data for name, data in files)


def ask(vendor, **fields: str) -> dict[str, str]:
    with closing(http.client.HTTPConnection(vendor.base_url.removeprefix("http://"), timeout=10)) as connection:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/mms.aspx", urlencode({**LOGIN, **fields}), headers)
        answer = connection.getresponse()
        assert answer.status == 200
        return {child.tag: child.text or "" for child in ElementTree.fromstring(answer.read())}


def send(vendor, tms: bytes | None = None, **changes: str) -> dict[str, str]:
    content = base64.b64encode(container(*FILES) if tms is None else tms).decode()
    given = {"mobile": NUMBER, "subject": "彩信主题", "sendTime": "", "action": "send", "extno": ""}
    return ask(vendor, **{**given, "content": content, **changes})


def test_an_mms_arrives_with_its_files(vendor):
    """Names and sizes are in the ledger; there is no text, and no signature is wanted."""
    answer = send(vendor)

    assert (answer["returnstatus"], answer["successCounts"], answer["remainpoint"]) == ("Success", "1", "499")
    (received,) = vendor.ledger.received
    assert (received.subject, received.text) == ("彩信主题", "")
    assert [(file.name, file.size, file.sha256) for file in received.attachments] == [
        (name, len(data), hashlib.sha256(data).hexdigest()) for name, data in FILES
    ]


def test_the_byte_order_is_the_accounts(vendor):
    """The document does not state it, so the account's terms do."""
    vendor.set_terms(byte_order="big")

    assert send(vendor)["message"] == "参数错误"
    assert send(vendor, container(*FILES, order="big"))["returnstatus"] == "Success"


@pytest.mark.parametrize(
    ("message", "changes"),
    [
        ("主题为空", {"subject": ""}),
        ("内容为空", {"content": ""}),
        ("参数错误", {"content": "no base64!"}),
        ("参数错误", {"sendTime": "tomorrow"}),
        ("参数错误", {"action": "sned"}),
        ("错误的手机号码", {"mobile": "1"}),
        ("扩展错误", {"extno": "123456"}),
        ("密码错误", {"password": "wrong"}),
    ],
)
def test_each_rule_has_its_message(vendor, message, changes):
    """返回值与短信相同; an empty subject is 3001."""
    assert send(vendor, **changes)["message"] == message
    assert vendor.ledger.received == ()
    assert vendor.terms.mms_balance == 500


@pytest.mark.parametrize(
    "content",
    [
        container(*FILES)[:-1],
        container(("a.txt", b"hello")) + b"rest",
        b"a.txt\0\1\0\0",
        b"a.txt\0\xff\xff\xff\xff",
        container(("", b"hello")),
        container(("图.jpg", b"hello")),
    ],
)
def test_a_container_that_is_not_whole_is_a_wrong_parameter(vendor, content):
    """Cut short, too long, a size below zero, no name, or a name that is no ASCII."""
    assert send(vendor, content)["message"] == "参数错误"


def test_mms_have_a_purse_of_their_own(vendor):
    """查询彩信余额，使用该地址: one is taken for each number, and text messages cost nothing of it."""
    vendor.set_terms(mms_balance=1)

    assert send(vendor, mobile=f"{NUMBER},13527576163")["message"] == "额度不足"
    assert send(vendor)["remainpoint"] == "0"
    assert ask(vendor, action="overage")["overage"] == "0"
    assert vendor.terms.balance == 10000
