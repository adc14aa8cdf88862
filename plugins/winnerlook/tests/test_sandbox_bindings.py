"""Every method of winnerlook's service by every binding, against the sandbox; and the service's own description."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlencode
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import CBC

from tocsin.sandbox import RunningSandbox, start

NS = "http://tempuri.org/"
SERVICE = "/api/MsgSend.asmx"
NUMBER = "13900000000"
TEXT = "磁盘已满【Example】"
PASSWORD = "demo-password"
KEY = b"3CE8D030"  # the first 8 digits of its SHA1
LOGIN = {"userCode": "demo", "userPass": PASSWORD}
SEND = {**LOGIN, "DesNo": NUMBER, "Msg": TEXT, "Channel": "37"}
SOAP = {
    "soap11": ("text/xml", "http://schemas.xmlsoap.org/soap/envelope/"),
    "soap12": ("application/soap+xml", "http://www.w3.org/2003/05/soap-envelope"),
}
TIME = "[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"
BATCH = "[0-9]{19}"


def seal(**fields: str) -> dict[str, str]:
    """Encrypt all but userCode, as the document says; the euro sign is what Python's GBK lacks of code page 936."""
    plain = "&".join(f"{name}={value}" for name, value in fields.items() if name != "userCode")
    encoded = b"\x80".join(part.encode("gbk") for part in plain.split("€"))
    padding = 8 - len(encoded) % 8
    encryptor = Cipher(TripleDES(KEY * 3), CBC(KEY)).encryptor()
    sealed = encryptor.update(encoded + bytes([padding]) * padding) + encryptor.finalize()
    return {"userCode": "demo", "submitInfo": sealed.hex().upper()}


# Method, its arguments, what it answers after one submit and one reply.
METHODS = [
    ("GetBalance", LOGIN, r"999\.90"),
    ("GetBalanceByEncrypt", seal(**LOGIN), r"999\.90"),
    ("SendMsg", SEND, BATCH),
    ("sendMsgByEncrypt", seal(**SEND), BATCH),
    ("sendMesExt", {**SEND, "ExeNo": ""}, BATCH),
    ("GetReport", {**LOGIN, "batchNumber": ""}, rf"{BATCH},{NUMBER},DELIVRD\|"),
    ("GetReport2", LOGIN, rf"{BATCH},{NUMBER},{TIME},DELIVRD\|"),
    ("GetReport2ByEncrypt", seal(**LOGIN), rf"{BATCH},{NUMBER},{TIME},DELIVRD\|"),
    ("GetMo", LOGIN, rf"{NUMBER}\|,\|TD\|,\|{TIME}"),
    ("GetMo2", LOGIN, rf"{NUMBER}\|,\|TD\|,\|{TIME}\|,\|37"),
    ("GetMo2ByEncrypt", seal(**LOGIN), rf"{NUMBER}\|,\|TD\|,\|{TIME}\|,\|37"),
    ("GetKeyWords", {**LOGIN, "Channel": "37"}, r"\|中奖\|促销"),
]


@pytest.fixture
def vendor() -> Iterator[RunningSandbox]:
    with start("winnerlook") as running:
        yield running


def ask(vendor, method, path, body=b"", **headers) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection(vendor.base_url.removeprefix("http://"), timeout=10)) as connection:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read()


def call(vendor, binding: str, method: str, fields: dict[str, str]) -> str:
    """Call a method by a binding; return its value."""
    if binding == "get":
        status, body = ask(vendor, "GET", f"{SERVICE}/{method}?{urlencode(fields)}")
    elif binding == "post":
        kind = "application/x-www-form-urlencoded"
        status, body = ask(vendor, "POST", f"{SERVICE}/{method}", urlencode(fields).encode(), Content_Type=kind)
    else:
        status, body = soap(vendor, binding, method, fields)
    assert status == 200
    root = ElementTree.fromstring(body)
    value = root if binding in ("get", "post") else root.find(f".//{{{NS}}}{method}Result")
    return value.text or ""


def soap(vendor, binding: str, method: str, fields: dict[str, str]) -> tuple[int, bytes]:
    kind, namespace = SOAP[binding]
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    body = f'<e:Envelope xmlns:e="{namespace}"><e:Body><{method} xmlns="{NS}">{inner}</{method}></e:Body></e:Envelope>'
    headers = {"Content_Type": f"{kind}; charset=utf-8", "SOAPAction": f'"{NS}{method}"'}
    return ask(vendor, "POST", SERVICE, body.encode(), **headers)


@pytest.mark.parametrize("binding", ["get", "post", "soap11", "soap12"])
@pytest.mark.parametrize(("method", "fields", "expected"), METHODS, ids=[row[0] for row in METHODS])
def test_every_method_is_there_by_every_binding(vendor, binding, method, fields, expected):
    """每个方法均支持get、post、soap接入."""
    call(vendor, "post", "SendMsg", SEND)
    vendor.reply(NUMBER, "TD")
    vendor.set_terms(keywords=["促销", "中奖"])

    assert re.fullmatch(expected, call(vendor, binding, method, fields))


def test_a_query_string_above_2048_bytes_is_refused_by_the_web_server(vendor):
    """IIS answers 404.15 with an HTML page; the vendor sees no submit."""
    query = urlencode({**SEND, "Msg": "x" * 2000 + "【Example】"})
    assert len(query) > 2048

    status, body = ask(vendor, "GET", f"{SERVICE}/SendMsg?{query}")

    assert (status, b"404.15" in body, b"<html>" in body) == (404, True, True)
    assert vendor.ledger.submits == ()


def test_the_service_describes_itself(vendor):
    """?WSDL lists every method once for each version of SOAP, with the document's parameters in order."""
    status, body = ask(vendor, "GET", f"{SERVICE}?wsdl")
    root = ElementTree.fromstring(body)
    wsdl, schema = "{http://schemas.xmlsoap.org/wsdl/}", "{http://www.w3.org/2001/XMLSchema}"

    assert status == 200
    for binding in root.iter(f"{wsdl}binding"):
        assert [one.get("name") for one in binding.iter(f"{wsdl}operation")] == [row[0] for row in METHODS]
    assert len(list(root.iter(f"{wsdl}binding"))) == 2
    element = root.find(f".//{schema}element[@name='SendMsg']")
    assert [one.get("name") for one in element.iter(f"{schema}element")][1:] == list(SEND)
    assert f'location="{vendor.base_url}{SERVICE}"'.encode() in body


@pytest.mark.parametrize(
    ("method", "code"),
    [("sendMsgByEncrypt", "-22"), ("GetBalanceByEncrypt", "-22"), ("GetMo2ByEncrypt", "-22")],
)
@pytest.mark.parametrize("sealed", ["", "xxx", "00", "AA" * 16, "ZZ" * 8])
def test_what_cannot_be_decrypted_is_minus_22(vendor, method, code, sealed):
    """No digits, no whole blocks, another key: 解密失败."""
    assert call(vendor, "post", method, {"userCode": "demo", "submitInfo": sealed}) == code
    assert vendor.ledger.received == ()


def test_the_documents_own_example_is_decrypted(vendor):
    """The published submitInfo of password 123 opens: its channel, 67, is what this account does not have."""
    vendor.set_terms(password="123")
    sealed = (
        "9ECD998D9F60F7963E137DBC61734970FEE419418FBD2E1622286696AD70D909BF58BB270916073B0464030D4FC52D4AF0"
        "6BF97B34D7CCB4CA87E2099218499E467074C1711B02A1EBD0A5328DE1DAB1"
    )

    assert call(vendor, "post", "sendMsgByEncrypt", {"userCode": "demo", "submitInfo": sealed}) == "-8"
    (submit,) = vendor.ledger.submits
    assert (submit.numbers, submit.text) == (("18616300000",), "你的验证码是:2345【饿了么】")


def test_the_sealed_text_is_code_page_936(vendor):
    """GB2312 is code page 936 to .NET: the repertoire of GBK, and a euro sign."""
    text = "价格 5€，镕【Example】"
    call(vendor, "post", "sendMsgByEncrypt", seal(**{**SEND, "Msg": text}))

    assert vendor.ledger.texts_to(NUMBER) == (text,)


def test_an_ampersand_cuts_a_sealed_text_short(vendor):
    """Nothing in the format can quote it; here the signature is lost."""
    assert call(vendor, "post", "sendMsgByEncrypt", seal(**{**SEND, "Msg": "a&b【Example】"})) == "-5"
    assert vendor.ledger.submits[0].text == "a"


def test_an_encrypted_balance_may_be_asked_every_ten_seconds(vendor):
    """查询余额过频繁（至少间隔 10 秒）; the plain method has no such rule."""
    assert call(vendor, "post", "GetBalanceByEncrypt", seal(**LOGIN)) == "1000"
    assert call(vendor, "post", "GetBalanceByEncrypt", seal(**LOGIN)) == "-23"
    assert [call(vendor, "post", "GetBalance", LOGIN) for _ in range(2)] == ["1000", "1000"]

    vendor.advance(10)
    assert call(vendor, "post", "GetBalanceByEncrypt", seal(**LOGIN)) == "1000"
    vendor.reset()
    assert call(vendor, "post", "GetBalanceByEncrypt", seal(**LOGIN)) == "1000"


@pytest.mark.parametrize(
    ("terms", "count", "code"),
    [
        ({"min_recipients": 2}, 1, "-11"),
        ({"min_recipients": 2}, 2, ""),
        ({"max_recipients": 2}, 3, "-10"),
        ({"max_recipients": 2}, 2, ""),
    ],
)
def test_an_account_may_have_bounds_of_its_own(vendor, terms, count, code):
    """号码数量大于允许上限, 号码数量小于允许下限."""
    vendor.set_terms(**terms)
    numbers = ",".join(f"1390000000{digit}" for digit in range(count))
    value = call(vendor, "post", "SendMsg", {**SEND, "DesNo": numbers})

    assert value == code or (not code and re.fullmatch(BATCH, value))


def test_a_changed_password_is_the_accounts_at_once(vendor):
    """The control API can change it; what an account needs changes with it."""
    vendor.set_terms(password="other")

    assert vendor.account_settings["password"] == "other"
    assert call(vendor, "post", "GetBalance", LOGIN) == "-3"
    assert call(vendor, "post", "GetBalance", {**LOGIN, "userPass": "other"}) == "1000"
