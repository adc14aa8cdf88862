"""What ipyy's sandbox pushes, and when it tries again: 第六章."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest

from tocsin.sandbox import RunningSandbox, start
from tocsin.sandbox.customer import listen
from tocsin.sandbox.http import Answer

NUMBER = "15023239810"


@pytest.fixture
def vendor() -> Iterator[RunningSandbox]:
    with start("ipyy") as running:
        yield running


def submit(vendor) -> str:
    form = {"userid": "", "account": "demo", "password": "demo-password", "mobile": NUMBER}
    form |= {"content": "x【Example】", "sendTime": "", "action": "send", "extno": ""}
    with closing(http.client.HTTPConnection(vendor.base_url.removeprefix("http://"), timeout=10)) as connection:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/sms.aspx", urlencode(form), headers)
        connection.getresponse().read()
    return vendor.ledger.submits[-1].vendor_id


@pytest.mark.parametrize(
    ("form", "kind"), [("xml", "text/xml; charset=utf-8"), ("form", "application/x-www-form-urlencoded")]
)
def test_the_whole_body_is_the_xml(vendor, form, kind):
    """客户应该获取整个post内容（而并非某个参数值）, whatever the content type says."""
    task = submit(vendor)
    vendor.reply(NUMBER, "你好，我不需要", "01")
    with listen(Answer(body=b"1")) as (url, came):
        vendor.push_reports(url, form=form)
        vendor.push_replies(url, form=form)

    assert [request.headers["Content-Type"] for request in came] == [kind, kind]
    report, reply = (ElementTree.fromstring(request.body)[0] for request in came)
    assert [report.findtext(name) for name in ("mobile", "taskid", "status", "errorcode")] == [
        NUMBER,
        task,
        "10",
        "DELIVRD",
    ]
    assert [reply.findtext(name) for name in ("content", "extno")] == ["你好，我不需要", "01"]


@pytest.mark.parametrize(
    ("answers", "tries"),
    [
        ([Answer(body=b"1")], 1),
        ([Answer(body=b"")], 1),
        ([Answer(body=b"whatever")], 1),
        ([Answer(body=b"error"), Answer(body=b"1")], 2),
        ([Answer(body=b"error")], 3),
        ([Answer(status=503), Answer(body=b"1")], 2),
    ],
)
def test_only_error_and_trouble_make_it_try_again(vendor, answers, tries):
    """最多尝试3次; 如果客户未返回值或返回其它值，当作成功处理."""
    submit(vendor)
    with listen(*answers) as (url, came):
        vendor.push_reports(url)

    assert len(came) == tries


def test_a_broken_connection_is_tried_again(vendor):
    """如果调用时出现网络异常，则当作失败，继续重试, three times here as well."""
    submit(vendor)
    with listen(Answer()) as (url, _):
        pass

    assert [post.status for post in vendor.push_reports(url)] == [None, None, None]
