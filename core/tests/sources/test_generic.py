"""Anything that posts: what is made of it without a word, and by an operator's expressions."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.model.alert import AlertRequest, AlertStatus, NotAlerts, Notice
from tocsin.model.template import Expression
from tocsin.registry import build_registry

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
PLUGIN = build_registry().sources["generic"]
FORM = (("content-type", "application/x-www-form-urlencoded"),)


def read(body, headers=(), now=NOW, query=(), **expressions):
    settings = PLUGIN.kind.settings(**{name: Expression(text) for name, text in expressions.items()})
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return PLUGIN.read_alerts(settings, AlertRequest(headers=headers, query=query, body=raw), now)


def told(*arguments, **expressions):
    (alert,) = read(*arguments, **expressions).alerts
    return alert.status.value, alert.name, alert.summary, alert.level


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"text": "disk full"}, ("event", "disk full", "", "")),
        ({"message": "disk full"}, ("event", "disk full", "", "")),
        ({"title": "db1", "message": "disk full"}, ("event", "db1", "disk full", "")),
        ({"title": "db1", "status": "Resolved"}, ("resolved", "db1", "", "")),
        ({"name": "db1", "state": "DOWN", "severity": "warn", "output": "x"}, ("firing", "db1", "x", "warn")),
        ({"title": "db1", "status": "acknowledged"}, ("event", "db1", "", "")),
        ({"title": 7, "message": 1.5, "status": True}, ("event", "7", "1.5", "")),
        (b"disk full\n", ("event", "disk full", "", "")),
        ("磁盘".encode(), ("event", "磁盘", "", "")),
    ],
)
def test_without_a_word_of_configuration(body, expected):
    """What fields are often called is found; what says no status is an event."""
    assert told(body) == expected


def test_a_form():
    """A form is read by its type; what is JSON under that type is read as JSON."""
    assert told(urlencode({"title": "db1", "message": "full"}).encode(), FORM) == ("event", "db1", "full", "")
    assert told({"title": "db1"}, FORM) == ("event", "db1", "", "")


def test_an_operator_s_expressions():
    """Expressions over body, query, headers and item take the place of the usual names."""
    body = {"checks": [{"id": 1, "up": False, "what": {"n": "db1"}}, {"id": 2, "up": True, "what": {"n": "db2"}}]}
    notice = read(
        body,
        headers=(("x-team", "db"),),
        query=(("zone", "a"),),
        each="body.checks",
        key="item.id",
        status="'ok' if item.up else 'down'",
        name="item.what.n ~ ' ' ~ query.zone",
        summary="item.text",
        level="item.level|default('high')",
        group="headers['x-team']",
    )

    assert [(one.status.value, one.name, one.summary, one.level, one.labels["sms_to"]) for one in notice.alerts] == [
        ("firing", "db1 a", "", "high", "db"),
        ("resolved", "db2 a", "", "high", "db"),
    ]
    assert len({one.fingerprint for one in notice.alerts}) == 2


def test_fields_are_labels():
    """Plain fields are labels, so that they lead to people and to classes."""
    (alert,) = read({"title": "x", "team": "db", "n": 7, "group": "oncall", "deep": {"a": 1}}).alerts

    assert alert.labels == {"title": "x", "team": "db", "n": "7", "group": "oncall", "sms_to": "oncall"}


def name(body, headers=(), now=NOW):
    return read(body, headers, now).alerts[0].fingerprint


def test_what_an_alert_is_known_by():
    """By its key; else, where it can end, by its name."""
    assert name({"title": "a", "key": "k"}) == name({"title": "b", "key": "k", "status": "ok"})
    assert name({"title": "a", "status": "down"}) == name({"title": "a", "status": "up", "message": "x"})
    assert name({"title": "a", "status": "down"}) != name({"title": "b", "status": "down"})


def test_what_an_event_is_known_by():
    """Each post is an event of its own, unless its sender gives it a key: two equal ones may be meant."""
    key = (("idempotency-key", "one"),)

    assert name({"text": "a"}) != name({"text": "a"}, now=NOW + timedelta(microseconds=1))
    assert name({"text": "a"}, key) == name({"text": "a"}, key, NOW + timedelta(hours=1))
    assert name({"text": "a", "key": "k"}) == name({"text": "a", "key": "k"}, now=NOW + timedelta(hours=1))


@pytest.mark.parametrize(
    ("body", "why", "expressions"),
    [
        (b"", "expected a body", {}),
        (b"\xff", "expected a body in UTF-8", {}),
        (b"{", "expected JSON, since the body begins like it", {}),
        (b"[" * 100_000, "expected JSON, since the body begins like it", {}),
        ({}, "expected a field that names the alert", {}),
        ([], "expected an object, or a list of 1 to", {}),
        ([7], "expected an object, or a list of 1 to", {}),
        ({"a": 1}, "expected an object, or a list of 1 to", {"each": "body.a"}),
        ({"a": 1}, "the expression of name does not fit the body (TypeError)", {"name": "'x' * 1000000000"}),
    ],
)
def test_what_cannot_be_read(body, why, expressions):
    """What is no alert is refused in a sentence that quotes nothing of it."""
    found = read(body, **expressions)

    assert isinstance(found, NotAlerts)
    assert why in found.why


def test_a_form_of_too_many_fields():
    """A form is bounded in its fields."""
    assert isinstance(read(b"&".join(b"a=1" for _ in range(2000)), FORM), NotAlerts)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("title", "message", "status", "key", "level", "group", "other")


@given(st.dictionaries(st.sampled_from(FIELDS), values) | values)
def test_anything_is_a_notice_or_a_sentence(body):
    """Whatever is posted is read or refused, and what is read can be written as UTF-8."""
    found = read(body)

    assert isinstance(found, Notice | NotAlerts)
    for alert in found.alerts if isinstance(found, Notice) else ():
        assert isinstance(alert.status, AlertStatus)
        "".join((alert.fingerprint, alert.name, alert.summary, alert.level)).encode()
