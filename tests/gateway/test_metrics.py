"""`/metrics`: what the store says, what the gateway has counted; and nothing that is anybody's business."""

from __future__ import annotations

import json
import logging
import re
import sqlite3
import time
from contextlib import closing
from datetime import timedelta
from decimal import Decimal

import falcon
import falcon.testing
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tocsin.gateway.metrics import Counting, Meters
from tocsin.model.balance import Balance, Unit
from tocsin.model.ids import AccountId
from tocsin.observe import LogFormat, show_log
from tocsin.outbox.record import Listening
from tocsin.outbox.role import WorkerRole

MAIN = AccountId("main")


@pytest.fixture
def scrape(call):
    """What `/metrics` says: the value of each sample by its name and labels."""

    def scraped():
        answer = call("GET", "/metrics", key=None)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain; version=")
        return {
            (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }

    return scraped


def test_what_is_queued_is_seen_at_once(call, scrape):
    """What was accepted a moment ago stands in the next scrape, by state and by urgency."""
    call.send(**{"class": "bulk"})
    call.send(text="a second one")
    seen = scrape()

    assert seen["tocsin_deliveries", "", "queued"] == 2
    assert seen["tocsin_queue_deliveries", "bulk"] == seen["tocsin_queue_deliveries", "alert"] == 1
    assert seen["tocsin_queue_deliveries", "urgent"] == 0
    assert seen["tocsin_queue_oldest_due_seconds", "alert"] > 0
    assert seen["tocsin_gateway_batch_intakes_count",] == seen["tocsin_gateway_batch_intakes_sum",] == 2


def test_an_account_is_told_with_its_mode_balance_and_polls(call, scrape):
    """Mode, balance, its age and its floor, polls and their gaps stand there once they are known."""
    parts = call.tocsin.parts
    now, book = parts.clock.now(), parts.store.accounts
    before = scrape()
    assert before["tocsin_account_mode", "main", "closed"] == 1
    assert before["tocsin_account_balance_known", "main"] == 0
    assert ("tocsin_account_balance", "main", "cny") not in before

    balance = Balance(amount=Decimal("12.5"), unit=Unit.CNY, as_of=now - timedelta(seconds=30))
    book.hear_balance(MAIN, balance, None, now)
    book.disable(MAIN, now)
    parts.store.note_poll(Listening(account=MAIN, kind="reports", asked_at=now, trouble="dns", gaps=2))
    seen = scrape()

    assert seen["tocsin_account_mode", "main", "disabled"] == 1
    assert seen["tocsin_account_mode", "main", "closed"] == 0
    assert seen["tocsin_account_balance", "main", "cny"] == 12.5
    assert 30 <= seen["tocsin_account_balance_age_seconds", "main"] < 60
    assert seen["tocsin_account_balance_known", "main"] == 1
    assert seen["tocsin_poll_failing", "main", "reports"] == 1
    assert seen["tocsin_poll_gaps_total", "main", "reports"] == 2
    assert ("tocsin_poll_heard_age_seconds", "main", "reports") not in seen


def test_whether_a_worker_runs_is_told(call, scrape):
    """The worker's role is looked at, and not taken by the look."""
    assert scrape()["tocsin_worker_running",] == 0
    with WorkerRole(call.config.store.path):
        assert scrape()["tocsin_worker_running",] == 1
    assert scrape()["tocsin_worker_running",] == 0


def test_a_request_counts_under_its_template(call, scrape):
    """Whatever stands in a path, its endpoint's template is the label; what no endpoint answers has one label too."""
    call("GET", "/v1/messages/13900000001")
    call("GET", "/v1/messages/13900000002")
    for path in ("/wp-login.php", "/13900000003"):
        assert call("GET", path).status_code == 404
    seen = scrape()

    assert seen["tocsin_gateway_requests_total", "/v1/messages/{name}", "GET", "404"] == 2
    assert sum(value for key, value in seen.items() if key[:2] == ("tocsin_gateway_requests_total", "none")) == 2
    assert seen["tocsin_gateway_request_seconds_count", "/v1/messages/{name}"] == 2


def test_nothing_private_is_in_it(call):
    """No number, text, key or tag is in a scrape, not even a part of one."""
    call.send(text="the code is 424242", tags={"team": "rose"}, idempotency_key="key-424242")
    call("GET", "/v1/messages/+8613900000000?to=+8613900000000")
    text = call("GET", "/metrics", key=None).text

    for private in ("1390000", "424242", "rose", "k-all", "invented"):
        assert private not in text


def test_a_store_that_takes_nothing_is_told(call, scrape):
    """Whether a commit goes through stands in the scrape, too: the store may be readable all the same."""
    assert scrape()["tocsin_store_ready",] == 1
    with closing(sqlite3.connect(call.config.store.path, isolation_level=None)) as other:
        other.execute("CREATE TRIGGER full BEFORE INSERT ON canary BEGIN SELECT RAISE(FAIL, 'disk full'); END")
    until = time.monotonic() + 30
    while scrape()["tocsin_store_ready",] == 1:
        assert time.monotonic() < until

    assert scrape()["tocsin_store_readable",] == 1


def test_what_nobody_polls_is_not_deaf(call, scrape):
    """An account that is gone from the configuration, or is not polled, has no poll that could fail."""
    parts = call.tocsin.parts
    parts.store.note_poll(Listening(account=AccountId("gone"), kind="reports", asked_at=parts.clock.now()))

    assert not [key for key in scrape() if key[0].startswith("tocsin_poll") and "gone" in key]


def test_a_store_that_cannot_be_read_is_told(call, scrape):
    """The gateway's own figures go on, and one gauge says that the store's are missing."""
    assert scrape()["tocsin_store_readable",] == 1
    with closing(sqlite3.connect(call.config.store.path, isolation_level=None)) as other:
        other.execute("DROP TABLE tally")

    seen = scrape()
    assert seen["tocsin_store_readable",] == 0
    assert ("tocsin_deliveries", "", "queued") not in seen
    assert seen["tocsin_gateway_requests_total", "/metrics", "GET", "200"] == 1


def test_a_method_is_a_known_one_or_another(call):
    """A method that nobody has heard of is no label of its own."""
    meters = Meters()
    for method in ("GET", "BREW-13900000001"):
        request = falcon.Request(falcon.testing.create_environ("/", method=method))
        Counting(meters).process_request(request, falcon.Response())
        Counting(meters).process_response(request, falcon.Response(), None, True)
    (family,) = [one for one in meters.registry.collect() if one.name == "tocsin_gateway_requests"]

    assert [sample.labels["method"] for sample in family.samples] == ["GET", "other"]


def test_each_request_is_one_line(call, capsys):
    """Method, endpoint, status, milliseconds and the key's name: never the path, the key or what was sent."""
    logger = logging.getLogger("tocsin")
    handlers, level = list(logger.handlers), logger.level
    show_log(logging.INFO, LogFormat.JSON)
    try:
        call.send(text="the code is 424242")
        call("GET", "/v1/messages/13900000001?to=13900000001", key=None)
    finally:
        logger.handlers[:], logger.level = handlers, level
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    lines = [line for line in lines if line["event"] == "tocsin.gateway.request"]

    assert [(one["method"], one["endpoint"], one["status"], one.get("key_name")) for one in lines] == [
        ("POST", "/v1/messages", "202", "all"),
        ("GET", "/v1/messages/{name}", "401", None),
    ]
    for line in lines:
        assert list(line)[:3] == ["timestamp", "level", "event"]
        assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["timestamp"])
        assert line["level"] == "info"
        assert line["ms"] >= 0
        assert not [word for word in ("1390000", "424242", "k-all") if word in json.dumps(line)]
