"""The control API: what can be steered from another process, and how it refuses what cannot."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, ClassVar

import pytest

from tocsin.sandbox import Operation, RunningSandbox, Terms, start_control
from tocsin.sandbox.http import Answer
from tocsin.sandbox.push import Pushing
from tocsin.sandbox.site import Call, Draft, Reply

NUMBER = "13900000000"
Control = Callable[..., tuple[int, Any]]


class Mute:
    """A vendor that takes whatever is posted, answers nothing, and lists replies."""

    vendor = "mute"
    account_settings: ClassVar = {"user_code": "demo"}
    terms = Terms()
    shapes: ClassVar = {}
    pushing = Pushing(reports={"ids": repr}, replies={"texts": repr}, is_received=bool, tries=1)

    def __init__(self, desk):
        self.desk = desk

    def read(self, request):
        if request.path == "/replies":
            return Call(operation=Operation.INBOUND, name="replies", perform=self.replies, refuse=self.replies)
        draft = Draft(numbers=(NUMBER,), text=request.body.decode())
        taken = Reply(answer=Answer(), accepted=True, vendor_id="id-1")
        return Call(operation=Operation.SUBMIT, name="send", draft=draft, perform=lambda _: taken, refuse=refuse)

    def replies(self, _):
        rows = [f"{r.number} {r.text} {r.extension} {r.vendor_id}" for r in self.desk.carrier.take_replies()]
        return Reply(answer=Answer(body="|".join(rows).encode()))


def refuse(code):
    return Reply(answer=Answer(body=code.encode()), code=code)


def ask(base_url: str, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection(base_url.removeprefix("http://"), timeout=10)) as connection:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read()


@pytest.fixture
def vendor() -> Iterator[RunningSandbox]:
    with RunningSandbox(Mute) as running:
        yield running


@pytest.fixture
def control(vendor) -> Iterator[Control]:
    with start_control([vendor]) as running:

        def call(method: str, path: str, **fields: object) -> tuple[int, Any]:
            body = json.dumps(fields).encode() if fields else b""
            status, answer = ask(running.base_url, method, path, body)
            return status, json.loads(answer)

        yield call


def test_the_list_says_what_an_account_needs(control, vendor):
    """`GET /` lists every sandbox with its address, its state and its settings."""
    status, listed = control("GET", "/")

    assert status == 200
    assert [{key: row[key] for key in ("vendor", "base_url", "dark", "account_settings")} for row in listed] == [
        {"vendor": "mute", "base_url": vendor.base_url, "dark": False, "account_settings": {"user_code": "demo"}}
    ]
    assert listed[0]["terms"]["balance"] == "1000"
    assert listed[0]["push_forms"] == {"reports": ["ids"], "replies": ["texts"]}


def test_the_ledger_is_shown_in_full(control, vendor):
    """Numbers and texts are invented in a sandbox, so a reconciler gets them whole."""
    ask(vendor.base_url, "POST", "/send", "磁盘已满".encode())

    _, ledger = control("GET", "/mute/ledger")

    assert [(row["numbers"], row["text"], row["accepted"]) for row in ledger["submits"]] == [
        ([NUMBER], "磁盘已满", True)
    ]
    assert [(row["number"], row["text"], row["vendor_id"]) for row in ledger["received"]] == [
        (NUMBER, "磁盘已满", "id-1")
    ]


def test_a_fault_is_injected_and_cleared(control, vendor):
    """A fault of the table strikes; `clear` forgets what still waits."""
    assert control("POST", "/mute/faults", kind="status", value=503, times=2) == (200, {})
    assert ask(vendor.base_url, "POST", "/send")[0] == 503

    assert control("POST", "/mute/clear") == (200, {})
    assert ask(vendor.base_url, "POST", "/send")[0] == 200


def test_a_dark_vendor_can_be_lit_again(control, vendor):
    """The control API has a port of its own and answers while the vendor is dark."""
    control("POST", "/mute/dark")
    with pytest.raises(ConnectionRefusedError):
        ask(vendor.base_url, "POST", "/send")
    assert control("GET", "/")[1][0]["dark"] is True

    control("POST", "/mute/light")
    assert ask(vendor.base_url, "POST", "/send")[0] == 200


def test_a_phone_can_reply(control, vendor):
    """A reply waits for the next poll and names the submit that reached that phone last."""
    ask(vendor.base_url, "POST", "/send")
    control("POST", "/mute/replies", number=NUMBER, text="TD", extension="01")

    assert ask(vendor.base_url, "POST", "/replies")[1] == f"{NUMBER} TD 01 id-1".encode()
    assert ask(vendor.base_url, "POST", "/replies")[1] == b""


def test_modes_terms_and_reset(control, vendor):
    """Report modes, terms and a fresh start are one request each."""
    assert control("POST", "/mute/reports", mode="failed", number=NUMBER) == (200, {})
    status, terms = control("POST", "/mute/terms", balance="0", blocked=[NUMBER])
    assert (status, terms["balance"], terms["blocked"]) == (200, "0", [NUMBER])
    ask(vendor.base_url, "POST", "/send")
    assert vendor.ledger.received == ()

    control("POST", "/mute/reset")
    assert vendor.ledger.submits == ()
    assert vendor.terms == Terms()


def test_the_clock_is_set_forward(control, vendor):
    """A skewed clock shows in the ledger; `reset` sets it right."""
    ask(vendor.base_url, "POST", "/send")
    assert control("POST", "/mute/clock", advance_s=3600) == (200, {})
    ask(vendor.base_url, "POST", "/send")

    first, second = vendor.ledger.submits
    assert (second.at - first.at).total_seconds() >= 3600


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/mute/clock", {}),
        ("/mute/clock", {"advance_s": "1"}),
        ("/mute/clock", {"advance_s": 1e300}),
        ("/mute/push-reports", {"url": "nowhere"}),
        ("/mute/push-replies", {"url": "http://127.0.0.1:1", "form": "smoke"}),
        ("/mute/faults", {}),
        ("/mute/faults", {"kind": "flood"}),
        ("/mute/faults", {"kind": "reset", "time": 1}),
        ("/mute/faults", {"kind": "reset", "times": "1"}),
        ("/mute/faults", {"kind": "reset", "after": True}),
        ("/mute/faults", {"kind": "shape", "value": "odd"}),
        ("/mute/reports", {"mode": "sometimes"}),
        ("/mute/reports", {"number": NUMBER}),
        ("/mute/replies", {"number": NUMBER}),
        ("/mute/terms", {"balance": "much"}),
        ("/mute/terms", {"credit": "1"}),
    ],
)
def test_bad_input_is_one_clear_sentence(control, path, fields):
    """What cannot be done is 400 with a sentence that repeats no number."""
    status, answer = control("POST", path, **fields)

    assert status == 400
    assert set(answer) == {"error"}
    assert answer["error"]
    assert "\n" not in answer["error"]
    assert NUMBER not in answer["error"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'"x"'])
def test_a_body_that_is_no_object_is_bad_input(vendor, body):
    """Only JSON objects are read."""
    with start_control([vendor]) as running:
        assert ask(running.base_url, "POST", "/mute/reset", body)[0] == 400


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/deaf/ledger"), ("GET", "/mute/faults"), ("POST", "/mute/explode")]
)
def test_an_unknown_path_is_not_found(control, method, path):
    """Another vendor, method or command is 404."""
    assert control(method, path)[0] == 404


def test_two_sandboxes_of_one_name_cannot_be_told_apart(vendor):
    """The paths of the API are the vendors' names."""
    with pytest.raises(ValueError, match="different vendors"):
        start_control([vendor, vendor])
