"""winnerlook's sandbox against the vendor's document, spoken to by the standard library alone."""

from __future__ import annotations

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
LOGIN = {"userCode": "demo", "userPass": "demo-password"}
NUMBER, OTHER = "13900000000", "13900000001"
TEXT = "磁盘已满【Example】"
SERVICE = "/api/MsgSend.asmx"


@pytest.fixture
def vendor() -> Iterator[RunningSandbox]:
    with start("winnerlook") as running:
        yield running


def ask(vendor, method, path, body=b"", **headers) -> tuple[int, str, bytes]:
    with closing(http.client.HTTPConnection(vendor.base_url.removeprefix("http://"), timeout=10)) as connection:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read()


def post(vendor, method: str, **fields: str) -> tuple[int, str, bytes]:
    kind = "application/x-www-form-urlencoded"
    return ask(vendor, "POST", f"{SERVICE}/{method}", urlencode(fields).encode(), Content_Type=kind)


def call(vendor, method: str, **fields: str) -> str:
    """Post a form to a method and read the value of its string element."""
    status, kind, body = post(vendor, method, **{**LOGIN, **fields})
    assert (status, kind) == (200, "text/xml; charset=utf-8")
    element = ElementTree.fromstring(body)
    assert element.tag == f"{{{NS}}}string"
    return element.text or ""


def send(vendor, numbers: str = NUMBER, text: str = TEXT, **fields: str) -> str:
    return call(vendor, "SendMsg", **{"DesNo": numbers, "Msg": text, "Channel": "37", **fields})


def test_a_submit_is_taken_under_a_fresh_batch_number(vendor):
    """Success is a batch number of 19 digits, above what a double holds, never the same twice."""
    first, second = send(vendor), send(vendor, f"{NUMBER},{OTHER}")

    assert re.fullmatch(r"[0-9]{19}", first)
    assert int(second) > int(first) > 2**53
    assert vendor.ledger.copies(NUMBER, TEXT) == 2
    assert [(s.operation, s.numbers, s.vendor_id) for s in vendor.ledger.submits] == [
        ("SendMsg", (NUMBER,), first),
        ("SendMsg", (NUMBER, OTHER), second),
    ]


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        ("-3", {"userPass": "wrong"}),
        ("-3", {"userCode": ""}),
        ("-5", {"text": "磁盘已满"}),
        ("-5", {"text": "【Example】"}),
        ("-5", {"text": "磁盘已满【】"}),
        ("-5", {"text": f"{TEXT}."}),
        ("-6:促销", {"text": "大促销【Example】"}),
        ("-8", {"Channel": "38"}),
        ("-9", {"numbers": ",".join([NUMBER] * 1001)}),
        ("-14", {"numbers": f"{NUMBER},13900000009"}),
        ("-16", {"numbers": f"{NUMBER},1390000000"}),
        ("-16", {"numbers": f"+86{NUMBER}"}),
        ("-16", {"numbers": ""}),
        ("-17", {"numbers": "12345456765"}),
    ],
)
def test_each_rule_has_its_code(vendor, code, fields):
    """What breaks a rule of the document is refused with its code and reaches no phone."""
    vendor.set_terms(keywords=["促销"], blocked=["13900000009"])

    assert send(vendor, **fields) == code
    assert vendor.ledger.received == ()
    assert [(s.accepted, s.code) for s in vendor.ledger.submits] == [(False, code)]


def test_the_price_is_taken_for_each_segment_and_number(vendor):
    """70 characters are one segment, longer texts are cut at 67; what the balance cannot pay is -7."""
    vendor.set_terms(balance="0.50")
    send(vendor, f"{NUMBER},{OTHER}", "x" * 61 + "【Example】")
    assert call(vendor, "GetBalance") == "0.30"
    assert send(vendor, f"{NUMBER},{OTHER}", "x" * 62 + "【Example】") == "-7"
    assert call(vendor, "GetBalance") == "0.30"


def test_an_extension_goes_by_its_own_method(vendor):
    """sendMesExt carries an extension that may be empty; an account without the right gets -18."""
    fields = {"DesNo": NUMBER, "Msg": TEXT, "Channel": "37"}
    assert len(call(vendor, "sendMesExt", **fields, ExeNo="12")) == 19
    assert vendor.ledger.received[0].extension == "12"

    vendor.set_terms(extensions=False)
    assert call(vendor, "sendMesExt", **fields, ExeNo="12") == "-18"
    assert len(call(vendor, "sendMesExt", **fields, ExeNo="")) == 19


def test_reports_have_the_documents_form(vendor):
    """GetReport hands each report out once; GetReport2 adds Beijing time."""
    vendor.reports("failed", number=OTHER)
    batch = send(vendor, f"{NUMBER},{OTHER}")
    assert call(vendor, "GetReport", batchNumber="") == f"{batch},{NUMBER},DELIVRD|{batch},{OTHER},UNDELIVRD|"
    assert call(vendor, "GetReport", batchNumber="") == ""

    batch = send(vendor)
    time = r"[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"
    assert re.fullmatch(f"{batch},{NUMBER},{time},DELIVRD\\|", call(vendor, "GetReport2"))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("double-comma", "B,,N,DELIVRD|B,,N,DELIVRD|"),
        ("blanks", "B, N, DELIVRD |\n" * 2),
        ("no-last-bar", "B,N,DELIVRD|B,N,DELIVRD"),
    ],
)
def test_reports_have_the_odd_forms_of_the_examples(vendor, shape, expected):
    """Double commas, blanks and line breaks round fields, a missing last bar: all are in the document."""
    batch = send(vendor, f"{NUMBER},{NUMBER}")
    vendor.inject(Fault("shape", "reports", value=shape))

    value = call(vendor, "GetReport", batchNumber="")
    assert value.replace(batch, "B").replace(NUMBER, "N").replace("\r", "") == expected


def test_line_breaks_travel_as_references(vendor):
    """A CR in a value is written as &#xD;, so that it survives XML."""
    send(vendor)
    vendor.inject(Fault("shape", "reports", value="blanks"))

    assert b" |&#xD;\n" in post(vendor, "GetReport", **LOGIN, batchNumber="")[2]


def test_replies_have_the_documents_form(vendor):
    """GetMo separates fields by |,| and records by |;|; GetMo2 adds the channel; each reply comes once."""
    time = r"[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"
    row = rf"{NUMBER}\|,\|TD, <br>\|,\|{time}"
    for _ in range(2):
        vendor.reply(NUMBER, "TD, <br>")
    assert re.fullmatch(rf"{row}\|;\|{row}", call(vendor, "GetMo"))
    assert call(vendor, "GetMo") == ""

    vendor.reply(NUMBER, "TD, <br>")
    vendor.inject(Fault("shape", "inbound", value="semicolon-end"))
    assert re.fullmatch(rf"{row}\|,\|37\|;\n", call(vendor, "GetMo2"))


def test_a_control_character_from_a_phone_breaks_strict_xml(vendor):
    """.NET writes it as a reference that XML 1.0 forbids; the poll has consumed the reply all the same."""
    vendor.reply(NUMBER, "a\x01b")

    body = post(vendor, "GetMo", **LOGIN)[2]

    assert b"a&#x1;b" in body
    with pytest.raises(ElementTree.ParseError):
        ElementTree.fromstring(body)
    assert call(vendor, "GetMo") == ""


def test_keywords_are_listed_behind_bars(vendor):
    """GetKeyWords is |word|word; another channel is -8."""
    vendor.set_terms(keywords=["促销", "中奖"])

    assert call(vendor, "GetKeyWords", Channel="37") == "|中奖|促销"
    assert call(vendor, "GetKeyWords", Channel="1") == "-8"


def test_a_get_does_the_same_as_a_post(vendor):
    """Every method is there by GET, in UTF-8 and URL-encoded."""
    query = urlencode({**LOGIN, "DesNo": NUMBER, "Msg": TEXT, "Channel": "37"})

    assert ask(vendor, "GET", f"/API/msgsend.ASMX/SendMsg?{query}")[0] == 200
    assert vendor.ledger.texts_to(NUMBER) == (TEXT,)


def soap(vendor, method: str, kind: str, **fields: str) -> tuple[int, bytes]:
    namespace = {
        "text/xml": "http://schemas.xmlsoap.org/soap/envelope/",
        "application/soap+xml": "http://www.w3.org/2003/05/soap-envelope",
    }[kind]
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    body = f'<s:Envelope xmlns:s="{namespace}"><s:Body><{method} xmlns="{NS}">{inner}</{method}></s:Body></s:Envelope>'
    status, _, answer = ask(
        vendor, "POST", SERVICE, body.encode(), Content_Type=f"{kind}; charset=utf-8", SOAPAction=f'"{NS}{method}"'
    )
    return status, answer


@pytest.mark.parametrize("kind", ["text/xml", "application/soap+xml"])
def test_soap_carries_what_a_form_may_not(vendor, kind):
    """A text with markup is refused as a form before the method runs; by SOAP it arrives as it was written."""
    text = "if a<b && c &#1 </x>【Example】"
    status, _, body = post(vendor, "SendMsg", **LOGIN, DesNo=NUMBER, Msg=text, Channel="37")
    assert (status, b"HttpRequestValidationException" in body) == (500, True)
    assert vendor.ledger.submits == ()

    status, answer = soap(vendor, "SendMsg", kind, **LOGIN, DesNo=NUMBER, Msg=text, Channel="37")
    result = ElementTree.fromstring(answer).find(f".//{{{NS}}}SendMsgResult")
    assert (status, len(result.text)) == (200, 19)
    assert vendor.ledger.texts_to(NUMBER) == (text,)


def test_a_parameter_that_soap_does_not_see_is_a_bad_login(vendor):
    """A missing element is null to the method, not an error of the web server."""
    assert b"<SendMsgResult>-3</SendMsgResult>" in soap(vendor, "SendMsg", "text/xml", userCode="demo")[1]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{SERVICE}/sendmsg", 500),
        (f"{SERVICE}/SendMsg", 500),
        ("/api/msgsend.aspx/sendMes", 404),
        (f"{SERVICE}xSendMsg", 404),
        ("/", 404),
    ],
)
def test_what_is_not_there_is_an_error(vendor, path, status):
    """Methods in another case, missing parameters and other paths are HTTP errors, never values."""
    assert ask(vendor, "POST", path)[0] == status


def test_a_fault_with_a_code_speaks_the_vendors_language(vendor):
    """An injected -7 looks like the vendor's own, whatever the balance."""
    vendor.inject(Fault("code", value="-7"))
    vendor.inject(Fault("code", "balance", value="-1"))

    assert send(vendor) == "-7"
    assert call(vendor, "GetBalance") == "-1"
    assert vendor.ledger.received == ()
