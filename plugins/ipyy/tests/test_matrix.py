"""Every row of matrix.toml, an operation by a transport, over real HTTP against the sandbox.

The documentation's capability matrix is rendered from the same file.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

import tocsin_ipyy as plugin
from tocsin.plugin import (
    E164,
    Accepted,
    Account,
    AccountId,
    Attachment,
    Balance,
    Batch,
    PushRequest,
    Reason,
    Refused,
    ReportState,
    Secret,
    SendResult,
    Submission,
    VerifiedPush,
)
from tocsin.sandbox import RunningSandbox, start
from tocsin.sandbox.customer import listen
from tocsin.sandbox.http import Answer, Request
from tocsin.testing import RecordingTransport
from tocsin.wire.perform import perform, perform_send
from tocsin.wire.pool import HttpTransport
from tocsin_ipyy.settings import INTERFACES, Settings

HERE = Path(__file__).parent
MATRIX = tomllib.loads((HERE / "matrix.toml").read_text("utf-8"))
ROWS = MATRIX["row"]
PUSHED = ("pushed reports", "pushed replies")


def now():
    """Return the time: a stamp of when the tests began is stale some minutes later."""
    return datetime.now(UTC)


A, B = "13900000000", "13900000001"
TEXT = "磁盘已满 a&b + 50%【Example】"
PICTURE = bytes.fromhex("47494638396100ff")


def row_id(row: dict) -> str:
    return f"{row['operation']}-{row['transport']}"


@pytest.fixture
def vendor() -> Iterator[RunningSandbox]:
    with start("ipyy") as running:
        yield running


@attrs.frozen
class Stage:
    """One account of the sandbox, and the line between."""

    vendor: RunningSandbox
    line: RecordingTransport
    account: Account

    def send(self, text: str = TEXT, **more: Any) -> SendResult:
        to = (E164(f"+86{A}"), E164(f"+86{B}"))
        submission = Submission(to=to, texts=(text,), **more)
        assert plugin.fits(self.account, submission) == ""
        return perform_send(plugin.send(self.account, submission, now()), self.line, to)

    def call(self, operation: str, **arguments: str) -> object:
        exchange = plugin.describe_vendor().operations[operation].exchange(self.account, arguments, now())
        return perform(exchange, self.line)


@pytest.fixture
def stage(vendor: RunningSandbox, request: pytest.FixtureRequest) -> Iterator[Stage]:
    with closing(RecordingTransport(HttpTransport())) as line:
        yield Stage(vendor, line, make_account(vendor, request.getfixturevalue("row")))


def make_account(vendor: RunningSandbox, row: dict) -> Account:
    """Return an account that does what the row says by the row's transport."""
    transport, settings = row["transport"], dict[str, str]()
    if row["operation"] in ("reports", "replies"):
        settings = {"reports": transport}
    elif transport in INTERFACES:
        settings = {"interface": transport}
    elif transport.startswith("soap"):
        settings = {"interface": "soap", "soap_version": {"soap11": "1.1", "soap12": "1.2"}[transport]}
    own = dict(vendor.account_settings) | {"password": Secret(vendor.account_settings["password"])} | settings
    return Account(id=AccountId("main"), vendor="ipyy", base_url=vendor.base_url, settings=Settings(**own))


# What each operation is asked for, and what must come of it


def accepted_id(result: SendResult) -> str:
    (outcome,) = set(result.outcomes.values())
    assert isinstance(outcome, Accepted)
    assert not outcome.partial
    return str(outcome.vendor_id)


def check_send(stage: Stage) -> None:
    later = now() + timedelta(hours=1)
    result = stage.send(extension="01234", send_at=later)
    (submit,) = stage.vendor.ledger.submits
    assert (submit.vendor_id, submit.numbers, submit.extension) == (accepted_id(result), (A, B), "01234")
    assert submit.planned == f"{later + timedelta(hours=8):%Y-%m-%d %H:%M:%S}"
    assert stage.vendor.ledger.texts_to(A) == stage.vendor.ledger.texts_to(B) == (TEXT,)
    assert result.balance is not None
    assert result.balance.amount == stage.vendor.terms.balance
    stage.vendor.set_terms(keywords=["磁盘"])
    refused = stage.send()
    assert {(one.reason, one.code) for one in refused.outcomes.values()} == {(Reason.KEYWORD, "2107")}


def check_mms(stage: Stage) -> None:
    files = (Attachment("1.smil", b"<smil/>"), Attachment("pic.gif", PICTURE))
    result = stage.send("见图", subject="彩信主题", attachments=files, extension="01")
    (submit,) = stage.vendor.ledger.submits
    assert (submit.vendor_id, submit.subject, submit.extension) == (accepted_id(result), "彩信主题", "01")
    contents = {"text.txt": "见图".encode(), "1.smil": b"<smil/>", "pic.gif": PICTURE}
    assert {one.name: one.sha256 for one in submit.attachments} == {
        name: hashlib.sha256(content).hexdigest() for name, content in contents.items()
    }
    assert [one.name for one in submit.attachments] == list(contents)


def check_balance(stage: Stage) -> None:
    balance = perform(plugin.query_balance(stage.account, now()), stage.line)
    assert isinstance(balance, Balance)
    assert (balance.amount, balance.postpaid) == (Decimal(10000), False)
    stage.vendor.set_terms(postpaid=True, balance="-4")
    balance = perform(plugin.query_balance(stage.account, now()), stage.line)
    assert isinstance(balance, Balance)
    assert (balance.amount, balance.postpaid) == (Decimal(-4), True)


def check_mms_balance(stage: Stage) -> None:
    left = str(stage.vendor.terms.mms_balance)
    assert stage.call("mms-balance") == {"amount": left, "unit": "messages", "postpaid": False}


def check_reports(stage: Stage) -> None:
    by_code = stage.account.settings.reports == "json"
    stage.vendor.reports("failed", number=B)
    vendor_id = accepted_id(stage.send())
    page = perform(plugin.fetch_reports(stage.account), stage.line)
    assert isinstance(page, Batch)
    failed = ReportState.UNKNOWN if by_code else ReportState.FAILED
    assert [(row.vendor_id, row.to.full, row.state) for row in page.rows] == [
        (vendor_id, f"+86{A}", ReportState.DELIVERED),
        (vendor_id, f"+86{B}", failed),
    ]
    assert all(row.at is not None and abs((row.at - now()).total_seconds()) < 3600 for row in page.rows)
    assert perform(plugin.fetch_reports(stage.account), stage.line) == Batch()


def check_replies(stage: Stage) -> None:
    text = 'TD, <br> & },{ "]\r\n好'
    stage.vendor.reply(A, text, "01")
    page = perform(plugin.fetch_mo(stage.account), stage.line)
    assert isinstance(page, Batch)
    assert [(row.sender.full, row.text, row.extension) for row in page.rows] == [(f"+86{A}", text, "01")]
    assert perform(plugin.fetch_mo(stage.account), stage.line) == Batch()


def check_password(stage: Stage) -> None:
    assert stage.call("change-password", new="Neu & <1>") == {"changed": True}
    assert stage.vendor.account_settings["password"] == "Neu & <1>"
    refused = stage.call("change-password", new="another")
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.AUTHENTICATION
    settle = plugin.describe_vendor().operations["change-password"].settle
    assert settle is not None
    assert perform(settle(stage.account, {"new": "Neu & <1>"}, now()), stage.line) == {"changed": True}


OPERATIONS: dict[str, tuple[Callable[[Stage], None], dict[str, str]]] = {
    "send": (
        check_send,
        {"xml": "sms.aspx", "gbk": "smsGBK.aspx", "json": "smsJson.aspx", "encrypted": "ensms.ashx"}
        | {"soap11": "WebService.asmx", "soap12": "WebService.asmx"},
    ),
    "send MMS": (check_mms, {"xml": "mms.aspx"}),
    "balance": (check_balance, {"xml": "sms.aspx", "gbk": "smsGBK.aspx", "json": "smsJson.aspx"}),
    "balance of MMS": (check_mms_balance, {"xml": "mms.aspx"}),
    "reports": (check_reports, {"xml": "statusApi.aspx", "json": "statusJsonApi.aspx"}),
    "replies": (check_replies, {"xml": "callApi.aspx", "json": "callJsonApi.aspx"}),
    "change of password": (check_password, {"xml": "pwd.aspx"}),
}


@pytest.mark.parametrize("row", [row for row in ROWS if row["operation"] not in PUSHED], ids=row_id)
def test_operation_over_a_socket(row, stage):
    """The operation leaves for the row's page in the row's form, and the vendor's side does what was asked."""
    check, pages = OPERATIONS[row["operation"]]
    check(stage)

    asked = [one for one in stage.line.requests if one.url.endswith(f"/{pages[row['transport']]}")]
    assert asked
    media = {"gbk": "application/x-www-form-urlencoded; charset=gb2312", "soap11": "text/xml; charset=utf-8"}
    media |= {"soap12": "application/soap+xml; charset=utf-8"}
    for request in asked:
        expected = media.get(row["transport"], "application/x-www-form-urlencoded")
        assert dict(request.headers)["Content-Type"] == expected


# Pushes


def as_it_came(request: Request) -> PushRequest:
    """Return a request as the gateway hands it to the plugin: raw."""
    headers = tuple((name.lower(), value) for name, value in request.headers.items())
    return PushRequest(
        method=request.method, path=request.path, headers=headers, query=(), body=request.body, peer="127.0.0.1"
    )


@pytest.mark.parametrize("row", [row for row in ROWS if row["operation"] in PUSHED], ids=row_id)
def test_push_over_a_socket(row, stage, vendor):
    """What the vendor's side posts in the row's form is read as what happened there."""
    vendor_id = accepted_id(stage.send())
    vendor.reply(A, "a+b & <c>, 好", "01")
    post = vendor.push_reports if row["operation"] == "pushed reports" else vendor.push_replies
    with listen(Answer(body=b"1")) as (url, pushes):
        post(url, form=row["transport"])

    (push,) = pushes
    read = plugin.verify_push(as_it_came(push))
    assert isinstance(read, VerifiedPush)
    if row["operation"] == "pushed reports":
        assert [(one.vendor_id, one.to.full) for one in read.reports.rows] == [
            (vendor_id, f"+86{A}"),
            (vendor_id, f"+86{B}"),
        ]
    else:
        assert [(one.sender.full, one.text) for one in read.inbound.rows] == [(f"+86{A}", "a+b & <c>, 好")]
    assert read.reports.unparsed == read.inbound.unparsed == ()


@pytest.mark.parametrize("row", [row for row in ROWS if row["operation"] == "pushed replies"][:1], ids=row_id)
def test_the_answers_to_a_push_are_the_vendors(row, vendor):
    """`when_stored` ends a push, and `when_not_stored` brings it again, three times in all."""
    vendor.reply(A, "text", "")
    with listen(Answer(body=b"1")) as (url, pushes):
        vendor.push_replies(url, form=row["transport"])
    read = plugin.verify_push(as_it_came(pushes[0]))
    assert isinstance(read, VerifiedPush)

    tries = []
    for reply in (read.when_stored, read.when_not_stored):
        vendor.reply(A, "text", "")
        with listen(Answer(body=reply.body)) as (url, pushes):
            vendor.push_replies(url, form=row["transport"])
        tries.append(len(pushes))
    assert tries == [1, 3]


# The table itself


def test_the_table_is_whole():
    """Each operation stands there by each of its transports, no row twice, each with vectors that exist and show it."""
    rows = [(row["operation"], row["transport"]) for row in ROWS]
    expected = {(name, way) for name, (_, pages) in OPERATIONS.items() for way in pages}

    assert len(rows) == len(set(rows))
    assert expected | {(name, form) for name in PUSHED for form in ("xml", "form")} == set(rows)
    for row in ROWS:
        vectors = [tomllib.loads((HERE / "vectors" / f"{name}.toml").read_text("utf-8")) for name in row["vectors"]]
        assert vectors
        assert all(row["section"] in vector["source"] for vector in vectors)
