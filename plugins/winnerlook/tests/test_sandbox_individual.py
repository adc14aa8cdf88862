"""IndividualSm.aspx: one text for each number, in one request."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlencode

import pytest

from tocsin.sandbox import Fault, RunningSandbox, start

ONE, OTHER = "13800000000", "13900000000"
ITEMS = f"{ONE}|!|王某某,明天记得要开会【123】|^|{OTHER}|!|张某某,明天记得要开会【123】"
LOGIN = {"account": "demo", "pwd": "demo-password", "Channel": "37"}


@pytest.fixture
def vendor() -> Iterator[RunningSandbox]:
    with start("winnerlook") as running:
        yield running


def send(vendor, msg: str = ITEMS, **fields: str) -> tuple[int, str]:
    with closing(http.client.HTTPConnection(vendor.base_url.removeprefix("http://"), timeout=10)) as connection:
        body = urlencode({**LOGIN, "msg": msg, **fields})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/api/IndividualSm.aspx", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def test_each_number_gets_its_own_text_under_one_batch(vendor):
    """The answer is the batch number and nothing else."""
    status, batch = send(vendor)

    assert (status, bool(re.fullmatch("[0-9]{19}", batch))) == (200, True)
    assert vendor.ledger.texts_to(ONE) == ("王某某,明天记得要开会【123】",)
    assert vendor.ledger.texts_to(OTHER) == ("张某某,明天记得要开会【123】",)
    (submit,) = vendor.ledger.submits
    assert (submit.operation, submit.numbers, submit.vendor_id) == ("IndividualSm.aspx", (ONE, OTHER), batch)


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("-3", {"pwd": "wrong"}),
        ("-5", {"msg": f"{ONE}|!|明天记得要开会"}),
        ("-6:促销", {"msg": f"{ONE}|!|x【123】|^|{OTHER}|!|促销【123】"}),
        ("-8", {"Channel": "38"}),
        ("-9", {"msg": "|^|".join([f"{ONE}|!|x【123】"] * 1001)}),
        ("-16", {"msg": ""}),
        ("-16", {"msg": f"{ONE}!|x【123】"}),
    ],
)
def test_each_rule_has_its_code(vendor, code, changes):
    """One bad item refuses the whole request."""
    vendor.set_terms(keywords=["促销"])

    assert send(vendor, **changes) == (200, code)
    assert vendor.ledger.received == ()


def test_the_separators_are_the_accounts(vendor):
    """The table of the document has ! and ^, its example |!| and |^|."""
    vendor.set_terms(separators=["!", "^"])
    send(vendor, f"{ONE}!a【123】^{OTHER}!b【123】")

    assert [entry.text for entry in vendor.ledger.received] == ["a【123】", "b【123】"]


def test_a_template_channel_takes_no_personalised_texts(vendor):
    """强制模板通道，不能使用个性化接口."""
    vendor.set_terms(template_channel=True)

    assert send(vendor) == (200, "-19")


def test_a_text_with_markup_is_refused_by_the_web_server(vendor):
    """A personalised text is a form field like any other."""
    status, body = send(vendor, f"{ONE}|!|a<b【123】")

    assert (status, "HttpRequestValidationException" in body) == (500, True)
    assert vendor.ledger.submits == ()


def test_a_fault_with_a_code_is_a_plain_value(vendor):
    """An injected code looks like the page's own."""
    vendor.inject(Fault("code", value="-19"))

    assert send(vendor) == (200, "-19")
