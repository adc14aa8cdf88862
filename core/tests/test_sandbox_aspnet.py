"""Laws of the web server that both sandboxes imitate: forms, request validation, `.asmx` and SOAP bindings."""

from __future__ import annotations

from email.message import Message
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.sandbox import aspnet, soap
from tocsin.sandbox.aspnet import Invocation
from tocsin.sandbox.http import Answer, Request

NS = "http://tempuri.org/"
METHODS = {"SendMsg": ("userCode", "Msg")}
ENVELOPES = {
    "soap11": ("text/xml; charset=utf-8", "http://schemas.xmlsoap.org/soap/envelope/"),
    "soap12": ("application/soap+xml; charset=utf-8", "http://www.w3.org/2003/05/soap-envelope"),
}


def request(body: bytes = b"", method: str = "POST", query: str = "", **headers: str) -> Request:
    message = Message()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    return Request(method=method, path="/", query=query, headers=message, body=body)


def posted(fields: dict[str, str], charset: str = "utf-8", content_type: str = "") -> Request:
    kind = content_type or "application/x-www-form-urlencoded"
    return request(urlencode(fields, encoding=charset).encode(), content_type=kind)


def enveloped(binding: str, inner: str, action: str = f'"{NS}SendMsg"') -> Request:
    kind, namespace = ENVELOPES[binding]
    body = f'<e:Envelope xmlns:e="{namespace}" xmlns:t="{NS}"><e:Body>{inner}</e:Body></e:Envelope>'
    return request(body.encode(), content_type=kind, SOAPAction=action)


def test_a_posted_form_binds_to_its_method():
    """Every documented parameter arrives, in UTF-8, and the result is one string element."""
    bound = aspnet.bind_form(posted({"userCode": "demo", "Msg": "磁盘已满"}), "SendMsg", METHODS)

    assert isinstance(bound, Invocation)
    assert bound.arguments == {"userCode": "demo", "Msg": "磁盘已满"}
    assert (
        bound.render("1").body == f'<?xml version="1.0" encoding="utf-8"?>\r\n<string xmlns="{NS}">1</string>'.encode()
    )
    assert bound.render("").body.endswith(f'<string xmlns="{NS}" />'.encode())


def test_a_charset_in_the_content_type_is_honoured():
    """A form in GBK that says so is read as GBK."""
    kind = "application/x-www-form-urlencoded; charset=gbk"

    assert aspnet.read_form(posted({"Msg": "磁盘已满"}, "gbk", kind)) == {"Msg": "磁盘已满"}


@pytest.mark.parametrize("name", ["sendmsg", "SendMsg2", ""])
def test_a_methods_case_counts(name):
    """A method in another case does not exist."""
    answer = aspnet.bind_form(posted({}), name, METHODS)

    assert isinstance(answer, Answer)
    assert answer.status == 500
    assert b"Web Service method name is not valid" in answer.body


def test_a_missing_parameter_is_named():
    """The first parameter that is not there, even in another case, is HTTP 500 and plain text."""
    answer = aspnet.bind_form(posted({"userCode": "demo", "msg": "x"}), "SendMsg", METHODS)

    assert isinstance(answer, Answer)
    assert (answer.status, answer.content_type) == (500, "text/plain; charset=utf-8")
    assert b"Missing parameter: Msg." in answer.body


@pytest.mark.parametrize("text", ["a<b", "</x", "<!--", "<?xml", "&#60;", "a&#"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_markup_in_a_field_is_refused(text, method):
    """Request validation refuses what looks like markup before any method runs, and never repeats it."""
    fields = {"userCode": "demo", "Msg": text}
    asked = posted(fields) if method == "POST" else request(method="GET", query=urlencode(fields))
    answer = aspnet.bind_form(asked, "SendMsg", METHODS)

    assert isinstance(answer, Answer)
    assert answer.status == 500
    assert b"System.Web.HttpRequestValidationException" in answer.body
    assert (b"Request.Form" in answer.body) is (method == "POST")
    assert text.encode() not in answer.body


@pytest.mark.parametrize("text", ["cpu < 5", "<5", "< a", "a&b", "x>y", "<中"])
def test_a_harmless_sign_passes(text):
    """`<` before a blank, a digit or a Chinese character is no markup, nor is a lone `&`."""
    assert aspnet.validate({"Msg": text}, "Form") is None


def test_a_long_query_is_not_found():
    """A query string above 2,048 bytes is 404.15 and an HTML page; at 2,048 bytes it passes."""
    assert aspnet.filter_request(request(method="GET", query="x" * 2048)) is None

    answer = aspnet.filter_request(request(method="GET", query="x" * 2049))
    assert answer is not None
    assert (answer.status, answer.content_type) == (404, "text/html; charset=utf-8")
    assert b"404.15" in answer.body


@given(st.text(st.characters(min_codepoint=0x20, exclude_categories=("Cs",), exclude_characters="\ufffe\uffff")))
def test_escaped_text_reads_back(text):
    """What is escaped as content is what an XML parser reads; a CR survives as a reference."""
    assert ElementTree.fromstring(f"<a>{aspnet.escape(text + chr(13))}</a>").text == text + "\r"


def test_control_characters_become_references():
    """As .NET writes them, though strict parsers refuse them."""
    assert aspnet.escape("a\x01\x0b\rb\n\t") == "a&#x1;&#xB;&#xD;b\n\t"


@pytest.mark.parametrize("binding", list(ENVELOPES))
def test_qualified_elements_are_arguments(binding):
    """Both versions bind wrapped, qualified elements, whatever the text holds, and answer in their own envelope."""
    inner = "<t:SendMsg><t:userCode>demo</t:userCode><t:Msg>a&lt;b &amp;#1</t:Msg></t:SendMsg>"
    bound = soap.bind(enveloped(binding, inner), METHODS)

    assert isinstance(bound, Invocation)
    assert (bound.method, bound.binding) == ("SendMsg", binding)
    assert bound.arguments == {"userCode": "demo", "Msg": "a<b &#1"}
    answer = bound.render("42")
    kind, namespace = ENVELOPES[binding]
    result = f"{{{namespace}}}Body/{{{NS}}}SendMsgResponse/{{{NS}}}SendMsgResult"
    assert answer.content_type == kind
    assert ElementTree.fromstring(answer.body).findtext(result) == "42"


def test_fields_of_an_object_have_paths():
    """A nested element is `outer/inner`."""
    bound = soap.bind(enveloped("soap11", "<t:SendMsg><t:sms><t:Msg>x</t:Msg></t:sms></t:SendMsg>"), METHODS)

    assert isinstance(bound, Invocation)
    assert bound.arguments["sms/Msg"] == "x"


def test_an_unqualified_element_is_not_seen():
    """An element outside the namespace silently becomes null."""
    bound = soap.bind(enveloped("soap11", "<t:SendMsg><Msg>x</Msg><t:userCode>demo</t:userCode></t:SendMsg>"), METHODS)

    assert isinstance(bound, Invocation)
    assert bound.arguments == {"userCode": "demo"}


@pytest.mark.parametrize(
    "asked",
    [
        enveloped("soap11", "<t:SendMsg/>", action=f"{NS}SendMsg"),
        enveloped("soap11", "<t:SendMsg/>", action=f'"{NS}sendmsg"'),
        enveloped("soap11", "<t:SendMsg/>", action=""),
        enveloped("soap12", "<t:sendmsg/>"),
        enveloped("soap12", "<SendMsg/>"),
        request(b"<cut", content_type="text/xml"),
        request(b'<?xml version="1.0" encoding="gb2312"?><a/>', content_type="text/xml"),
        request(b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', content_type="text/xml"),
        request(enveloped("soap12", "<t:SendMsg/>").body, content_type="text/xml"),
    ],
)
def test_what_soap_cannot_read_is_a_fault(asked):
    """An unknown or unquoted action, a document type, another version, cut XML: HTTP 500 and a Fault element."""
    answer = soap.bind(asked, METHODS)

    assert isinstance(answer, Answer)
    assert answer.status == 500
    assert any(element.tag.endswith("}Fault") for element in ElementTree.fromstring(answer.body).iter())


def test_another_content_type_is_not_supported():
    """What is no SOAP at all is 415."""
    answer = soap.bind(request(b"{}", content_type="application/json"), METHODS)

    assert isinstance(answer, Answer)
    assert answer.status == 415
