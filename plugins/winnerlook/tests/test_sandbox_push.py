"""What winnerlook's sandbox pushes, byte for byte, to a loopback listener."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import parse_qs, urlencode

import pytest

from tocsin.sandbox import RunningSandbox, start
from tocsin.sandbox.customer import listen
from tocsin.sandbox.http import Answer

NUMBER = "13900000000"
TIME = rb"[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"


@pytest.fixture
def vendor() -> Iterator[RunningSandbox]:
    with start("winnerlook") as running:
        yield running


def submit(vendor) -> str:
    form = {"userCode": "demo", "userPass": "demo-password", "DesNo": NUMBER, "Msg": "x【Example】", "Channel": "37"}
    with closing(http.client.HTTPConnection(vendor.base_url.removeprefix("http://"), timeout=10)) as connection:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/api/MsgSend.asmx/SendMsg", urlencode(form), headers)
        connection.getresponse().read()
    return vendor.ledger.submits[-1].vendor_id


@pytest.mark.parametrize(
    ("form", "expected"),
    [("", "account=demo&GetReport={},{},DELIVRD|"), ("encoded", "account=demo&GetReport={}%2C{}%2CDELIVRD%7C")],
)
def test_reports_are_pushed_as_the_document_shows(vendor, form, expected):
    """account=XXX&GetReport=YYY, unencoded as it is printed, or as a form would be."""
    batch = submit(vendor)
    with listen() as (url, came):
        vendor.push_reports(url, form=form)

    assert [request.body.decode() for request in came] == [expected.format(batch, NUMBER)]


@pytest.mark.parametrize("form", ["bare", "raw", "encoded"])
def test_replies_are_pushed_in_every_form_that_the_document_allows(vendor, form):
    """推送的内容格式和本方法的返回值相同: alone, or in a field whose name is not given."""
    vendor.reply(NUMBER, "好的")
    vendor.reply(NUMBER, "TD")
    with listen() as (url, came):
        vendor.push_replies(url, form=form)
    body = came[0].body
    if form == "encoded":
        body = parse_qs(body.decode())["GetMo"][0].encode()

    rows = rb"13900000000\|,\|%s\|,\|" + TIME + rb"\|;\|13900000000\|,\|TD\|,\|" + TIME
    assert re.fullmatch((b"account=demo&GetMo=" if form == "raw" else b"") + rows % "好的".encode(), body)


def test_a_push_is_tried_once(vendor):
    """The document promises no second try, whatever the answer."""
    submit(vendor)
    with listen(Answer(status=500)) as (url, came):
        posts = vendor.push_reports(url)

    assert ([post.status for post in posts], len(came)) == ([500], 1)
