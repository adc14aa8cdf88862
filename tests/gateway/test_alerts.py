"""What alerting stacks post: which answer they get, and what is stored before it."""

from __future__ import annotations

import base64
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest

from tocsin.outbox.record import Filter

PATH = "/v1/alerts/alertmanager"
QUERY = {"group": "oncall"}


def one(fingerprint="a", status="firing", **labels):
    return {
        "status": status,
        "labels": {"alertname": "DiskFull", "host": "db1"} | labels,
        "annotations": {"summary": "Disk full"},
        "startsAt": "2026-01-01T00:00:00Z",
        "endsAt": datetime.now(UTC).isoformat() if status == "resolved" else "0001-01-01T00:00:00Z",
        "fingerprint": fingerprint,
    }


def document(*alerts, **changes):
    return {"receiver": "ops", "version": "4", "alerts": list(alerts or (one(),))} | changes


@pytest.fixture
def post(call):
    """Posts as Alertmanager does; returns the answer."""

    def post(*alerts, path=PATH, params=QUERY, **request):
        return call("POST", path, json=document(*alerts), params=params, **request)

    return post


def texts(call):
    store = call.tocsin.parts.store
    return {store.message(one.message).text for one in call.tocsin.deliveries(Filter())}


def test_alerts_are_taken(call, post):
    """202 names the messages, which are stored by then, to all who were asked for."""
    answer = post()
    (message,) = answer.json["messages"]
    deliveries = call.tocsin.find(message)

    assert answer.status_code == 202
    assert [one.to.full for one in deliveries] == ["+8613900000001", "+8613900000002"]
    assert texts(call) == {"FIRING DiskFull db1: Disk full"}


def test_no_news_is_taken_too(post):
    """A copy is answered like the first, and names no message."""
    post()

    assert (post().status_code, post().json) == (202, {"messages": []})


def test_sachet_s_path(call, post):
    """What speaks to Sachet speaks to Alertmanager's source."""
    assert len(post(path="/alert").json["messages"]) == 1
    assert post().json == {"messages": []}


def test_the_generic_source(call):
    """Anything that posts JSON, a form or a text is an event or an alert."""
    answer = call("POST", "/v1/alerts/generic", json={"title": "backup", "message": "3 GB"}, params=QUERY)
    form = call(
        "POST",
        "/v1/alerts/generic",
        body="title=backup&message=4+GB",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        params=QUERY,
    )

    assert (answer.status_code, form.status_code) == (202, 202)
    assert texts(call) == {"backup: 3 GB", "backup: 4 GB"}


def test_class_and_number_by_query(call, post):
    """The query says who and by what class; a plus that became a blank is one."""
    (message,) = post(params=None, path=PATH, query_string="to=+8613900000003&class=critical").json["messages"]
    stored = call.tocsin.parts.store.message(message)

    assert ([one.full for one in stored.to], stored.cls) == (["+8613900000003"], "critical")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", [PATH, "/alert", "/v1/alerts/nowhere", PATH + "/"])
def test_only_posts(call, method, path):
    """Any other method is 405: a redirected post that became a GET must not look delivered."""
    answer = call(method, path)

    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_a_trailing_slash_is_no_redirect(post):
    """A slash behind the path is the same path."""
    assert post(path=PATH + "/").status_code == 202


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "expected the JSON that Alertmanager posts"),
        (b"{", "expected the JSON that Alertmanager posts"),
        (b'{"alerts": []}', "alerts: expected a list of at least one alert"),
        (json.dumps(document({"status": "odd"})).encode(), "alerts[0].status: expected firing or resolved"),
    ],
)
def test_no_alerts(call, body, detail):
    """What is no notification is 400, with a sentence that says where."""
    answer = call("POST", PATH, body=body, params=QUERY)

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert detail in answer.json["detail"]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("", "nobody is told: expected ?group"),
        ("group=nobody", "group: expected the name of a configured group"),
        ("to=12345", "to: expected numbers or the names of groups"),
        ("group=oncall&class=urgent", "class: expected one of otp"),
        ("&".join(["a=1"] * 1001), "expected at most 1000 fields in the query"),
    ],
)
def test_a_query_that_leads_to_nobody(call, post, query, detail, caplog):
    """What leads to nobody is 400, and an alarm: somebody was to be told."""
    with caplog.at_level("ERROR", "tocsin"):
        answer = post(params=None, query_string=query)

    assert answer.status_code == 400
    assert detail in answer.json["detail"]
    assert "alerts-refused" in caplog.text


@pytest.mark.parametrize("source", ["nowhere", "icinga", "%2e%2e", "x" * 500])
def test_an_unknown_source(post, source):
    """A source that is not there, or that posts nothing, is 404, and its name is not repeated."""
    answer = post(path=f"/v1/alerts/{source}")

    assert answer.status_code == 404
    assert source not in answer.text


def test_who_calls(call, post):
    """Without a key it is 401, whatever the source; basic auth with the key as password is as good as a bearer."""
    basic = base64.b64encode(b"alertmanager:k-alert").decode()

    assert post(key=None).status_code == 401
    assert post(key="wrong").status_code == 401
    assert post(key=None, path="/v1/alerts/nowhere").status_code == 401
    assert post(key=None, headers={"Authorization": f"Basic {basic}"}).status_code == 202


def test_a_key_sends_what_it_may(call, post):
    """Every class that a post's messages get is asked of the key; what it may not send is not stored at all."""
    refused = post(key="k-alert", params=QUERY | {"class": "critical"})

    assert refused.status_code == 403
    assert "send:critical" in refused.json["detail"]
    assert post(key="k-read").status_code == 403
    assert texts(call) == set()
    assert post(key="k-alert").status_code == 202


def test_a_key_used_too_often(post):
    """Who comes too often is told 503, which Alertmanager understands, not 429, which it does not."""
    answers = [post(key="k-two") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [202, 202, 503]
    assert int(answers[2].headers["Retry-After"]) > 0


def test_a_large_storm(call):
    """Some megabytes of alerts are one message; more than 16 MiB are 413."""
    alerts = [one(f"{number:016x}", odd="x" * 400, host=str(number)) for number in range(4000)]
    body = json.dumps(document(*alerts)).encode()
    answer = call("POST", PATH, body=body, params=QUERY)

    assert len(body) > 2 * 1024 * 1024
    assert (answer.status_code, len(answer.json["messages"])) == (202, 1)
    assert call("POST", PATH, body=b" " * (16 * 1024 * 1024 + 1), params=QUERY).status_code == 413


def test_a_store_that_cannot(call, post):
    """Our own trouble is 503 with a time to come again, and nothing is known of the alert then."""
    with closing(sqlite3.connect(call.config.store.path, isolation_level=None)) as other:
        other.execute("CREATE TRIGGER full BEFORE INSERT ON alert BEGIN SELECT RAISE(FAIL, 'disk full'); END")
        answer = post()
        other.execute("DROP TRIGGER full")

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert texts(call) == set()
    assert len(post().json["messages"]) == 1
