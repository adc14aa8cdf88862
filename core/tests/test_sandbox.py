"""The sandboxes' machinery: server, faults on the wire, ledger and carrier, with a vendor of a few lines."""

from __future__ import annotations

import gzip
import http.client
import socket
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest

from tocsin.errors import NotFound
from tocsin.sandbox import Attachment, Fault, Operation, RunningSandbox, Terms, example_config, start
from tocsin.sandbox.http import Answer
from tocsin.sandbox.mischief import spoil
from tocsin.sandbox.push import Pushing
from tocsin.sandbox.site import Call, Draft, Reply

NUMBER, OTHER = "13900000000", "13900000001"
TEXT = "磁盘已满【Example】"
OPEN = '<?xml version="1.0" encoding="utf-8"?><r>'


class Parrot:
    """A vendor that takes every text, answers with it, and hands out reports as a count."""

    vendor = "parrot"
    account_settings: ClassVar = {"user_code": "demo"}
    terms = Terms(balance="1.00")
    shapes: ClassVar = {"shouted": Operation.SUBMIT}
    pushing = Pushing(reports={}, replies={}, is_received=bool, tries=1)

    def __init__(self, desk):
        self.desk = desk

    def read(self, request):
        if request.path == "/reports":
            return Call(operation=Operation.REPORTS, name="reports", perform=self.report, refuse=refuse)
        if request.path != "/send":
            return Call.answered(Answer(status=404))
        draft = self.draft(request)
        return Call(
            operation=Operation.SUBMIT,
            name="send",
            draft=draft,
            perform=lambda shape: self.take(draft, shape),
            refuse=refuse,
        )

    def draft(self, request):
        if request.query == "each":
            return Draft(numbers=(NUMBER, OTHER), texts=("for one", "for the other"))
        if request.query == "mms":
            file = Attachment(name="a.txt", size=2, sha256="00")
            return Draft(numbers=(NUMBER,), subject="hi", attachments=(file,), planned="tomorrow")
        return Draft(numbers=(NUMBER,), text=request.body.decode())

    def take(self, draft, shape):
        if not self.desk.charge(draft):
            return refuse("poor")
        text = draft.text.upper() if shape else draft.text
        return Reply(answer=Answer(body=f"{OPEN}{text}</r>".encode()), accepted=True, vendor_id="id-1")

    def report(self, _):
        rows = self.desk.carrier.take_reports()
        return Reply(answer=Answer(body=",".join(str(row.delivered) for row in rows).encode()))


def refuse(code):
    return Reply(answer=Answer(body=code.encode()), code=code)


@pytest.fixture
def vendor() -> Iterator[RunningSandbox]:
    with RunningSandbox(Parrot) as running:
        yield running


def connect(vendor: RunningSandbox, timeout_s: float = 10) -> closing[http.client.HTTPConnection]:
    return closing(http.client.HTTPConnection(vendor.base_url.removeprefix("http://"), timeout=timeout_s))


def ask(vendor: RunningSandbox, path: str = "/send", body: str = TEXT) -> tuple[int, http.client.HTTPMessage, bytes]:
    with connect(vendor) as connection:
        connection.request("POST", path, body.encode())
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def raw(vendor: RunningSandbox) -> bytes:
    """Send one submit over a bare socket and return all that comes until the vendor hangs up."""
    port = int(vendor.base_url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(b"POST /send HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
        received = b""
        while piece := sock.recv(4096):
            received += piece
        return received


def test_an_accepted_submit_reaches_the_phone(vendor):
    """Without a fault a submit is in the ledger as accepted, and its text on the phone, once."""
    status, _, body = ask(vendor)

    assert (status, body.decode()) == (200, f"{OPEN}{TEXT}</r>")
    assert vendor.ledger.texts_to(NUMBER) == (TEXT,)
    assert vendor.ledger.copies(NUMBER, TEXT) == 1
    assert [(s.accepted, s.vendor_id, s.fault) for s in vendor.ledger.submits] == [(True, "id-1", "")]


def test_a_connection_serves_many_requests(vendor):
    """HTTP/1.1 connections stay open between requests."""
    with connect(vendor) as connection:
        for _ in range(3):
            connection.request("POST", "/send", b"x")
            sock = connection.sock
            connection.getresponse().read()
            assert connection.sock is sock

    assert len(vendor.ledger.submits) == 3


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["reset", "close"])
def test_a_lost_answer_says_nothing_about_acceptance(vendor, kind, when):
    """The client sees the same broken connection whether the phone got the text or not; the ledger knows."""
    vendor.inject(Fault(kind, when=when))

    with pytest.raises(ConnectionResetError) as caught:
        ask(vendor)

    assert isinstance(caught.value, http.client.RemoteDisconnected) is (kind == "close")
    assert vendor.ledger.copies(NUMBER, TEXT) == (1 if when == "after" else 0)
    assert [s.fault for s in vendor.ledger.submits] == [f"{kind} {when}"]


def test_silence_lasts_until_the_client_gives_up(vendor):
    """A silent vendor took the message and never answers; the client's own timeout ends it."""
    vendor.inject(Fault("silence"))

    with connect(vendor, timeout_s=0.1) as connection:
        connection.request("POST", "/send", TEXT.encode())
        with pytest.raises(TimeoutError):
            connection.getresponse()

    assert vendor.ledger.copies(NUMBER, TEXT) == 1


@pytest.mark.parametrize("kind", ["silence", "drip", "delay"])
def test_closing_does_not_wait_for_a_slow_answer(kind):
    """A sandbox that holds a connection closes at once, and leaves no thread behind."""
    with RunningSandbox(Parrot) as vendor, connect(vendor) as connection:
        vendor.inject(Fault(kind, value="" if kind == "silence" else "3600"))
        connection.request("POST", "/send", TEXT.encode())
        assert vendor.ledger.wait_until(lambda page: len(page.submits) == 1)
        began = time.monotonic()

    assert time.monotonic() - began < 5
    port = vendor.base_url.rsplit(":", 1)[1]
    assert [thread for thread in threading.enumerate() if thread.name.startswith(f"sandbox-{port}")] == []


@pytest.mark.parametrize(
    ("kind", "value", "status", "header"),
    [
        ("status", "500", 500, None),
        ("status", "302", 302, "Location"),
        ("status", "429", 429, "Retry-After"),
        ("status-html", "503", 503, "Retry-After"),
        ("html", "", 200, None),
    ],
)
def test_a_foreign_answer_stands_for_no_acceptance(vendor, kind, value, status, header):
    """By default these answers come from something before the vendor: nothing was accepted."""
    vendor.inject(Fault(kind, value=value))

    got, headers, body = ask(vendor)

    assert got == status
    assert header is None or headers[header]
    assert (b"<html>" in body) is ("html" in kind)
    assert vendor.ledger.received == ()


@pytest.mark.parametrize(
    ("kind", "holds"),
    [
        ("empty", lambda headers, body: body == b""),
        ("garbage", lambda headers, body: len(body) == 256 and b"\xff\xfe" in body),
        ("oversized", lambda headers, body: len(body) > 1000 and body.strip() == f"{OPEN}{TEXT}</r>".encode()),
        ("charset", lambda headers, body: TEXT.encode("gbk") in body and b'"utf-8"' in body),
        ("gb2312", lambda headers, body: TEXT.encode("gbk") in body and b'"gb2312"' in body),
        ("gb2312", lambda headers, body: headers["Content-Type"] == "text/xml; charset=gb2312"),
        (
            "gzip",
            lambda headers, body: headers["Content-Encoding"] == "gzip" and TEXT.encode() in gzip.decompress(body),
        ),
    ],
)
def test_a_spoilt_answer_follows_an_acceptance(vendor, kind, holds):
    """The vendor took the message; only its answer is unreadable in the way the fault names."""
    vendor.inject(Fault(kind, when="after", value="1000" if kind == "oversized" else ""))

    status, headers, body = ask(vendor)

    assert status == 200
    assert holds(headers, body)
    assert vendor.ledger.copies(NUMBER, TEXT) == 1


def test_a_truncated_body_misses_its_length(vendor):
    """`truncated` promises the whole length and hangs up half-way."""
    vendor.inject(Fault("truncated"))

    with pytest.raises(http.client.IncompleteRead) as cut:
        ask(vendor)

    assert f"{OPEN}{TEXT}</r>".encode().startswith(cut.value.partial)


def test_a_close_delimited_cut_looks_whole_to_http(vendor):
    """`truncated-close` gives no length, so that only the parser can tell."""
    vendor.inject(Fault("truncated-close"))

    _, headers, body = ask(vendor)

    assert headers["Content-Length"] is None
    assert f"{OPEN}{TEXT}</r>".encode().startswith(body)
    assert b"</r>" not in body


def test_an_answer_can_end_inside_its_headers(vendor):
    """`cut-headers` hangs up before the first header line is whole."""
    vendor.inject(Fault("cut-headers"))

    assert raw(vendor) == b"HTTP/1.1 200 OK\r\nContent-"
    assert vendor.ledger.copies(NUMBER, "hi") == 1


@pytest.mark.parametrize(("kind", "value"), [("drip", "0.0001"), ("delay", "0.001")])
def test_a_slow_answer_is_whole_in_the_end(vendor, kind, value):
    """A client that waits long enough reads the right answer."""
    vendor.inject(Fault(kind, value=value))

    assert ask(vendor)[2].decode() == f"{OPEN}{TEXT}</r>"


def test_a_vendors_code_is_a_refusal(vendor):
    """`code` makes the vendor itself refuse: nothing on the phone, nothing charged."""
    vendor.inject(Fault("code", value="-7"))

    assert ask(vendor)[2] == b"-7"
    assert vendor.ledger.received == ()
    assert vendor.ledger.submits[0].code == "-7"
    assert vendor.terms == Parrot.terms


def test_a_shape_is_the_vendors_own(vendor):
    """`shape` asks the site for an odd answer; one that it does not have is refused when injected."""
    vendor.inject(Fault("shape", value="shouted"))

    assert b"HI" in ask(vendor, body="hi")[2]
    with pytest.raises(ValueError, match="shouted"):
        vendor.inject(Fault("shape", value="whispered"))


def test_a_dark_vendor_refuses_connects_and_comes_back(vendor):
    """Going dark drops open connections and refuses new ones; lighting up restores the same port."""
    with connect(vendor) as kept:
        kept.request("POST", "/send", b"x")
        kept.getresponse().read()
        url = vendor.base_url
        vendor.go_dark()
        vendor.go_dark()

        with pytest.raises(ConnectionRefusedError):
            ask(vendor)
        with pytest.raises(ConnectionError):
            kept.request("POST", "/send", b"x") or kept.getresponse()

    assert vendor.is_dark
    vendor.light_up()
    assert ask(vendor)[0] == 200
    assert vendor.base_url == url


def test_a_closed_dark_vendor_leaves_nothing_open():
    """Closing works in the dark and twice; no thread is left, and the port is anybody's again."""
    threads = set(threading.enumerate())
    vendor = RunningSandbox(Parrot)
    port = int(vendor.base_url.rpartition(":")[2])
    vendor.go_dark()
    vendor.close()
    vendor.close()

    assert set(threading.enumerate()) == threads
    with socket.create_server(("127.0.0.1", port)) as successor:
        assert successor.getsockname()[1] == port


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST /send HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"413"),
        (b"POST /send HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST /send HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
    ],
)
def test_what_is_no_bounded_request_is_refused(vendor, request_bytes, status):
    """Requests without a sane length are answered with an error and reach no vendor."""
    port = int(vendor.base_url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(request_bytes)

        assert sock.recv(4096).split()[1] == status

    assert vendor.ledger.submits == ()


def test_a_request_that_never_ends_reaches_no_vendor(vendor):
    """A client that dies inside its body has submitted nothing."""
    port = int(vendor.base_url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(b"POST /send HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf")
        sock.shutdown(socket.SHUT_WR)

        assert sock.recv(4096) == b""

    assert vendor.ledger.submits == ()


@pytest.mark.parametrize(
    ("mode", "polls", "received"),
    [
        ("delivered", [b"True", b""], 1),
        ("failed", [b"False", b""], 0),
        ("late", [b"", b"", b"True", b""], 1),
        ("never", [b"", b""], 1),
    ],
)
def test_a_report_is_handed_out_once(vendor, mode, polls, received):
    """Each mode decides whether the phone gets the text and at which poll the one report appears."""
    vendor.reports(mode)
    ask(vendor)

    assert [ask(vendor, "/reports")[2] for _ in polls] == polls
    assert vendor.ledger.copies(NUMBER, TEXT) == received


def test_a_number_may_have_a_mode_of_its_own(vendor):
    """The mode of one number goes before the mode of all."""
    vendor.reports("never")
    vendor.reports("late", number=NUMBER, polls=1)
    ask(vendor)

    assert [ask(vendor, "/reports")[2] for _ in range(2)] == [b"", b"True"]
    with pytest.raises(ValueError, match="polls"):
        vendor.reports("late", polls=-1)


@pytest.mark.parametrize(("when", "left"), [("before", b"True"), ("after", b"")])
def test_a_lost_poll_consumes_reports_only_after_acceptance(vendor, when, left):
    """A poll cut before it was served loses nothing; one cut behind has consumed the reports."""
    ask(vendor)
    vendor.inject(Fault("close", "reports", when=when))
    with pytest.raises(http.client.RemoteDisconnected):
        ask(vendor, "/reports")

    assert ask(vendor, "/reports")[2] == left


def test_a_reset_starts_afresh(vendor):
    """Ledger, faults, reports and terms are as at the start."""
    ask(vendor)
    vendor.inject(Fault("empty", "any", times=None))
    vendor.set_terms(balance=0)
    vendor.reset()

    assert vendor.ledger.page.submits == vendor.ledger.page.received == ()
    assert ask(vendor, "/reports")[2] == b""
    assert vendor.terms == Parrot.terms


def test_terms_are_checked(vendor):
    """An unknown term or a wrong value is refused and changes nothing."""
    for bad in (
        {"balanse": "1"},
        {"balance": "much"},
        {"keywords": "促销"},
        {"blocked": [1]},
        {"postpaid": "yes"},
        {"password": 1},
        {"min_recipients": 0},
        {"max_recipients": "many"},
        {"separators": ["|!|"]},
        {"separators": "!^"},
        {"byte_order": "middle"},
    ):
        with pytest.raises(ValueError, match=r"term|amount|count|separators|byte order"):
            vendor.set_terms(**bad)

    assert vendor.terms == Parrot.terms


def test_an_empty_purse_refuses(vendor):
    """A prepaid account below the price is refused; a postpaid one goes below zero."""
    vendor.set_terms(balance="0.05")
    assert ask(vendor)[2] == b"poor"

    vendor.set_terms(postpaid=True)
    ask(vendor)
    assert str(vendor.terms.balance) == "-0.05"


def test_no_repr_shows_a_number_or_a_text(vendor):
    """What lands in a traceback or a log holds counts alone."""
    vendor.set_terms(blocked=[NUMBER])
    ask(vendor)
    page = vendor.ledger.page

    shown = f"{vendor!r} {vendor.ledger!r} {page!r} {vendor.terms!r}"
    assert NUMBER not in shown
    assert TEXT not in shown
    assert "1 submits, 1 received" in shown


def test_every_concurrent_submit_is_in_the_ledger(vendor):
    """Submits of many threads are all recorded, each once."""
    threads = [threading.Thread(target=ask, args=(vendor, "/send", f"t{n}")) for n in range(20)]
    vendor.set_terms(postpaid=True)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(vendor.ledger.texts_to(NUMBER)) == sorted(f"t{n}" for n in range(20))


def test_an_unknown_vendor_is_named_in_one_sentence():
    """`start` says what is installed when it cannot find a sandbox."""
    with pytest.raises(NotFound, match="no sandbox named 'nobody'; installed: "):
        start("nobody")


def test_the_example_configuration_is_toml(vendor):
    """`example_config` renders an account for each sandbox and one route over all."""
    config = tomllib.loads(example_config([vendor], store_url="sqlite:///x.db"))

    assert config == {
        "allow_inline_secrets": True,
        "store": {"url": "sqlite:///x.db"},
        "accounts": {
            "parrot": {
                "vendor": "parrot",
                "user_code": "demo",
                "base_url": vendor.base_url,
                "insecure_http": "acknowledged",
                "signature": "【Example】",
            }
        },
        "routes": [{"name": "all", "strategy": "failover", "accounts": ["parrot"]}],
    }


def test_a_personalised_submit_brings_each_phone_its_own(vendor):
    """Each number gets the text that stands at its place, and each is charged."""
    ask(vendor, "/send?each")

    assert vendor.ledger.texts_to(NUMBER) == ("for one",)
    assert vendor.ledger.texts_to(OTHER) == ("for the other",)
    assert vendor.ledger.submits[0].texts == ("for one", "for the other")
    assert str(vendor.terms.balance) == "0.80"


def test_an_mms_is_in_the_ledger_with_its_files(vendor):
    """Subject and files stand in both columns; the time that was asked for stands with the submit."""
    ask(vendor, "/send?mms")
    (submit,), (received,) = vendor.ledger.page.submits, vendor.ledger.page.received

    assert (submit.subject, [(file.name, file.size) for file in submit.attachments]) == ("hi", [("a.txt", 2)])
    assert (received.subject, received.attachments) == (submit.subject, submit.attachments)
    assert submit.planned == "tomorrow"


def test_the_vendors_clock_can_be_set(vendor):
    """The ledger has the vendor's time; a reset sets the clock right."""
    began = datetime.now(UTC)
    vendor.advance(3600)
    ask(vendor)
    assert vendor.ledger.submits[0].at - began >= timedelta(hours=1)

    vendor.reset()
    ask(vendor)
    assert vendor.ledger.submits[0].at - began < timedelta(hours=1)


def test_a_page_in_gbk_suffers_the_charset_faults_the_other_way_round():
    """What says gb2312 becomes UTF-8 under `charset`, and stays what it is under `gb2312`."""
    answer = Answer(body=TEXT.encode("gbk"), content_type="text/xml; charset=gb2312")

    assert spoil(answer, Fault("charset")).body == TEXT.encode()
    assert spoil(answer, Fault("gb2312")) == answer
