"""Every row of matrix.toml, an operation by a transport, over real HTTP against the sandbox.

The documentation's capability matrix is rendered from the same file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

import tocsin_winnerlook as plugin
from tocsin.plugin import (
    E164,
    Accepted,
    Account,
    AccountId,
    Balance,
    Batch,
    HttpRequest,
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
from tocsin.sandbox.http import Request
from tocsin.testing import RecordingTransport
from tocsin.wire.perform import perform, perform_send
from tocsin.wire.pool import HttpTransport

HERE = Path(__file__).parent
MATRIX = tomllib.loads((HERE / "matrix.toml").read_text("utf-8"))
ROWS = MATRIX["row"]
PUSHED = ("pushed reports", "pushed replies")
CALLED = [row for row in ROWS if row["operation"] not in PUSHED]


def now():
    """Return the time: a stamp of when the tests began is stale some minutes later."""
    return datetime.now(UTC)


A, B = "13900000000", "13900000001"
TEXT = "磁盘已满 a&b【Example】"


def row_id(row: dict) -> str:
    return f"{row['operation']}-{row['transport']}"


@pytest.fixture
def vendor() -> Iterator[RunningSandbox]:
    with start("winnerlook") as running:
        yield running


@pytest.fixture
def line() -> Iterator[RecordingTransport]:
    line = RecordingTransport(HttpTransport())
    yield line
    line.close()


@attrs.frozen
class Stage:
    """One account of the sandbox, and the line between."""

    vendor: RunningSandbox
    line: RecordingTransport
    account: Account

    def send(self, *texts: str, extension: str = "") -> SendResult:
        to = (E164(f"+86{A}"), E164(f"+86{B}"))
        submission = Submission(to=to, texts=texts, extension=extension)
        assert plugin.fits(self.account, submission) == ""
        return perform_send(plugin.send(self.account, submission), self.line, to)


def make_account(vendor: RunningSandbox, **changes: Any) -> Account:
    own = dict(vendor.account_settings) | {"password": Secret(vendor.account_settings["password"])} | changes
    settings = plugin.Settings(**own)
    return Account(id=AccountId("main"), vendor="winnerlook", base_url=vendor.base_url, settings=settings)


# What each operation is asked for, and what must come of it


def check_balance(stage: Stage) -> None:
    balance = perform(plugin.query_balance(stage.account, now()), stage.line)
    assert isinstance(balance, Balance)
    assert balance.amount == Decimal(1000)


def check_spaced_balance(stage: Stage) -> None:
    check_balance(stage)
    refused = perform(plugin.query_balance(stage.account, now()), stage.line)
    assert refused == Refused(Reason.THROTTLED, "-23")


def accepted_id(result: SendResult) -> str:
    (outcome,) = set(result.outcomes.values())
    assert isinstance(outcome, Accepted)
    return str(outcome.vendor_id)


def check_submit(stage: Stage, extension: str = "", text: str = TEXT) -> None:
    vendor_id = accepted_id(stage.send(text, extension=extension))
    (submit,) = stage.vendor.ledger.submits
    assert (submit.vendor_id, submit.numbers, submit.extension) == (vendor_id, (A, B), extension)
    assert stage.vendor.ledger.texts_to(A) == stage.vendor.ledger.texts_to(B) == (text,)


def check_encrypted_submit(stage: Stage) -> None:
    check_submit(stage, text="a<b，镕 磁盘已满【Example】")


def check_extension(stage: Stage) -> None:
    check_submit(stage, extension="12")


def check_individual(stage: Stage) -> None:
    own = ("a&b + 50%【Example】", "磁盘已满【Example】")
    accepted_id(stage.send(*own))
    assert (stage.vendor.ledger.texts_to(A), stage.vendor.ledger.texts_to(B)) == ((own[0],), (own[1],))
    stage.vendor.set_terms(template_channel=True)
    refused = stage.send(*own)
    assert set(refused.outcomes.values()) == {Refused(Reason.ONE_BY_ONE, "-19")}


def check_reports(stage: Stage, timed: bool = True) -> None:
    stage.vendor.reports("failed", number=B)
    vendor_id = accepted_id(stage.send("磁盘已满【Example】"))
    page = perform(plugin.fetch_reports(stage.account), stage.line)
    assert isinstance(page, Batch)
    assert page.unparsed == ()
    assert [(row.vendor_id, row.to.full, row.state) for row in page.rows] == [
        (vendor_id, f"+86{A}", ReportState.DELIVERED),
        (vendor_id, f"+86{B}", ReportState.FAILED),
    ]
    assert all((row.at is not None) is timed for row in page.rows)
    assert perform(plugin.fetch_reports(stage.account), stage.line) == Batch()


def check_mo(stage: Stage, channel: str = "37") -> None:
    stage.vendor.reply(A, "TD, <br> & |;\r\n好")
    page = perform(plugin.fetch_mo(stage.account), stage.line)
    assert isinstance(page, Batch)
    assert [(row.sender.full, row.text, row.extension) for row in page.rows] == [
        (f"+86{A}", "TD, <br> & |;\r\n好", channel)
    ]
    assert page.rows[0].at is not None
    assert abs((page.rows[0].at - now()).total_seconds()) < 3600
    assert perform(plugin.fetch_mo(stage.account), stage.line) == Batch()


def check_keywords(stage: Stage) -> None:
    stage.vendor.set_terms(keywords=["促销", "中奖"])
    operation = plugin.describe_vendor().operations["keywords"]
    assert set(perform(operation.exchange(stage.account, {}, now()), stage.line)) == {"促销", "中奖"}


OPERATIONS: dict[str, tuple[dict[str, Any], Callable[[Stage], None]]] = {
    "GetBalance": ({}, check_balance),
    "GetBalanceByEncrypt": ({"encrypt": True}, check_spaced_balance),
    "SendMsg": ({}, check_submit),
    "sendMsgByEncrypt": ({"encrypt": True}, check_encrypted_submit),
    "sendMesExt": ({}, check_extension),
    "IndividualSm": ({}, check_individual),
    "GetReport": ({"poll_version": 1}, lambda stage: check_reports(stage, timed=False)),
    "GetReport2": ({}, check_reports),
    "GetReport2ByEncrypt": ({"encrypt": True}, check_reports),
    "GetMo": ({"poll_version": 1}, lambda stage: check_mo(stage, channel="")),
    "GetMo2": ({}, check_mo),
    "GetMo2ByEncrypt": ({"encrypt": True}, check_mo),
    "GetKeyWords": ({}, check_keywords),
}


def seen(request: HttpRequest) -> tuple[str, str]:
    """Return the operation and the transport of a request, told from its bytes."""
    headers = dict(request.headers)
    kind = headers.get("Content-Type", "").partition(";")[0]
    if request.method == "GET":
        return request.url.partition("?")[0].rpartition("/")[2], "get"
    if kind == "application/x-www-form-urlencoded":
        return request.url.rpartition("/")[2].removesuffix(".aspx"), "post"
    body = request.body.decode("utf-8")
    method = body.partition("<soap:Body><")[2].partition(" ")[0]
    version = {"text/xml": "soap11", "application/soap+xml": "soap12"}[kind]
    namespace = {"soap11": "http://schemas.xmlsoap.org/soap/envelope/", "soap12": "http://www.w3.org/2003/05/"}[version]
    assert f'xmlns:soap="{namespace}' in body
    assert headers.get("SOAPAction") == (f'"http://tempuri.org/{method}"' if version == "soap11" else None)
    return method, version


@pytest.mark.parametrize("row", CALLED, ids=row_id)
def test_operation_over_a_socket(row, vendor, line):
    """The operation leaves by the row's method and transport, and the vendor's side does what was asked."""
    settings, check = OPERATIONS[row["operation"]]
    check(Stage(vendor, line, make_account(vendor, interface=row["transport"], **settings)))

    assert (row["operation"], row["transport"]) in set(map(seen, line.requests))
    assert {transport for _, transport in map(seen, line.requests)} == {row["transport"]}


# Pushes


def as_it_came(request: Request) -> PushRequest:
    """Return a request as the gateway hands it to the plugin: raw."""
    headers = tuple((name.lower(), value) for name, value in request.headers.items())
    return PushRequest(
        method=request.method, path=request.path, headers=headers, query=(), body=request.body, peer="127.0.0.1"
    )


@pytest.mark.parametrize("row", [row for row in ROWS if row["operation"] in PUSHED], ids=row_id)
def test_push_over_a_socket(row, vendor, line):
    """What the vendor's side posts in the row's form is read as what happened there."""
    account = make_account(vendor)
    stage = Stage(vendor, line, account)
    vendor_id = accepted_id(stage.send("磁盘已满【Example】"))
    vendor.reply(A, "a+b & 50%25, 好")
    post = vendor.push_reports if row["operation"] == "pushed reports" else vendor.push_replies

    with listen() as (url, pushes):
        post(url, form=row["transport"])

    (push,) = pushes
    read = plugin.verify_push(account, as_it_came(push))
    assert isinstance(read, VerifiedPush)
    if row["operation"] == "pushed reports":
        assert [(one.vendor_id, one.to.full) for one in read.reports.rows] == [
            (vendor_id, f"+86{A}"),
            (vendor_id, f"+86{B}"),
        ]
    else:
        assert [(one.sender.full, one.text) for one in read.inbound.rows] == [(f"+86{A}", "a+b & 50%25, 好")]
    assert read.reports.unparsed == read.inbound.unparsed == ()


# The table itself


def test_the_table_is_whole():
    """Each operation stands there by each transport, no row twice, each with vectors that exist and show it."""
    rows = [(row["operation"], row["transport"]) for row in ROWS]
    four = {(name, way) for name in OPERATIONS if name != "IndividualSm" for way in plugin.INTERFACES}

    assert len(rows) == len(set(rows))
    assert four | {("IndividualSm", "post")} == {row for row in rows if row[0] not in PUSHED}
    for row in ROWS:
        vectors = [tomllib.loads((HERE / "vectors" / f"{name}.toml").read_text("utf-8")) for name in row["vectors"]]
        assert vectors
        assert all(row["section"] in vector["source"] for vector in vectors)
