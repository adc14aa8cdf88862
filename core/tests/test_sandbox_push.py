"""Pushes: the vendor posts what waits, reads the customer's answer, and tries again as it promises."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from typing import ClassVar

import pytest

from tocsin.sandbox import Operation, Push, RunningSandbox, Terms, start_control
from tocsin.sandbox.customer import listen
from tocsin.sandbox.http import Answer
from tocsin.sandbox.push import Pushing
from tocsin.sandbox.site import Call, Draft, Reply

NUMBER = "13900000000"


def text(value):
    return Push(body=value.encode(), content_type="text/x-news")


class Crier:
    """A vendor that takes whatever is posted, and pushes until it hears `1`, three times at most."""

    vendor = "crier"
    account_settings: ClassVar = {}
    terms = Terms()
    shapes: ClassVar = {}
    pushing = Pushing(
        reports={
            "ids": lambda reports: text(",".join(report.vendor_id for report in reports)),
            "numbers": lambda reports: text(",".join(report.number for report in reports)),
        },
        replies={"texts": lambda replies: text(",".join(reply.text for reply in replies))},
        is_received=lambda post: post.answer == b"1",
        tries=3,
    )

    def __init__(self, desk):
        self.desk = desk

    def read(self, request):
        taken = Reply(answer=Answer(), accepted=True, vendor_id=request.path.strip("/"))
        draft = Draft(numbers=(NUMBER,), text="x")
        return Call(
            operation=Operation.SUBMIT, name="send", draft=draft, perform=lambda _: taken, refuse=lambda _: taken
        )


def say(body: bytes, status: int = 200) -> Answer:
    return Answer(body=body, status=status, content_type="text/plain")


def submit(vendor, vendor_id: str) -> None:
    with closing(http.client.HTTPConnection(vendor.base_url.removeprefix("http://"), timeout=10)) as connection:
        connection.request("POST", f"/{vendor_id}", b"")
        connection.getresponse().read()


@pytest.fixture
def vendor() -> Iterator[RunningSandbox]:
    with RunningSandbox(Crier) as running:
        yield running


def test_a_push_carries_all_that_waits_and_is_handed_out_once(vendor):
    """One POST brings every waiting report in the form asked for; then nothing waits, not even for a poll."""
    submit(vendor, "a")
    submit(vendor, "b")
    with listen(say(b"1")) as (url, came):
        posts = vendor.push_reports(f"{url}/main/token?x=1")
        assert vendor.push_reports(url) == ()

    assert [(request.method, request.path, request.query, request.body) for request in came] == [
        ("POST", "/push/main/token", "x=1", b"a,b")
    ]
    assert came[0].headers["Content-Type"] == "text/x-news"
    assert [(post.status, post.answer, post.push.body) for post in posts] == [(200, b"1", b"a,b")]


def test_replies_are_pushed_too(vendor):
    """A phone's reply goes to the customer by push."""
    vendor.reply(NUMBER, "TD")
    with listen(say(b"1")) as (url, came):
        vendor.push_replies(url)

    assert [request.body for request in came] == [b"TD"]


def test_a_form_is_chosen_by_name(vendor):
    """Documents leave the form open; the sandbox has each of them, and refuses any other before it takes anything."""
    assert vendor.push_forms == {"reports": ("ids", "numbers"), "replies": ("texts",)}
    submit(vendor, "a")
    with listen(say(b"1")) as (url, came):
        with pytest.raises(ValueError, match="expected ids, numbers"):
            vendor.push_reports(url, form="smoke")
        vendor.push_reports(url, form="numbers")

    assert [request.body for request in came] == [NUMBER.encode()]


@pytest.mark.parametrize(
    ("answers", "tries"),
    [([b"1"], 1), ([b"error", b"1"], 2), ([b"error"], 3)],
)
def test_a_push_is_tried_until_the_vendor_is_content(vendor, answers, tries):
    """The site says which answer ends the tries, and how many there are at most."""
    submit(vendor, "a")
    with listen(*map(say, answers)) as (url, came):
        posts = vendor.push_reports(url)

    assert len(posts) == len(came) == tries


def test_nobody_there_is_a_try_without_a_status(vendor):
    """A refused connect counts as a try."""
    submit(vendor, "a")
    with listen(say(b"1")) as (url, _):
        pass

    assert [(post.status, post.answer) for post in vendor.push_reports(url)] == [(None, b"")] * 3


@pytest.mark.parametrize("url", ["https://127.0.0.1/secret-token", "secret-token", ""])
def test_what_is_no_url_is_refused_without_repeating_it(vendor, url):
    """A push URL holds a token; the error does not show it, and nothing is handed out."""
    submit(vendor, "a")
    with pytest.raises(ValueError, match="expected an http:// URL") as caught:
        vendor.push_reports(url)

    assert "secret-token" not in str(caught.value)
    with listen(say(b"1")) as (good, came):
        vendor.push_reports(good)
    assert len(came) == 1


def test_pushes_can_be_ordered_over_http(vendor):
    """The control API orders a push and shows every try; a bad form is 400."""
    submit(vendor, "a")
    vendor.reply(NUMBER, "TD")
    with start_control([vendor]) as control, listen(say(b"error"), say(b"1")) as (url, _):

        def call(command, **fields):
            with closing(http.client.HTTPConnection(control.base_url.removeprefix("http://"), timeout=10)) as link:
                link.request("POST", f"/crier/{command}", json.dumps(fields))
                answer = link.getresponse()
                return answer.status, json.loads(answer.read())

        assert call("push-reports", url=url, form="smoke")[0] == 400
        assert call("push-reports", form="ids")[0] == 400
        assert call("push-reports", url=url) == (
            200,
            {"posts": [{"status": 200, "answer": "error"}, {"status": 200, "answer": "1"}]},
        )
        assert call("push-replies", url=url, form="texts") == (200, {"posts": [{"status": 200, "answer": "1"}]})
