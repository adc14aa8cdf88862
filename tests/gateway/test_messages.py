"""`/v1/messages`: what is accepted is durable, what is not is told apart, and nobody sees another's keys."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.gateway.conftest import KEY

from tocsin.model.ids import HolderId
from tocsin.outbox.record import Filter

LATER = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
BEFORE = (datetime.now(UTC) - timedelta(hours=1)).isoformat()


def stored(call):
    return call.tocsin.deliveries(Filter())


def test_what_is_accepted_is_in_the_store(call):
    """202 names a message and its deliveries, which another look at the store finds as they were handed in."""
    answer = call.send(to=["+8613900000000", "13900000001"], tags={"team": "db"}, **{"class": "critical"})

    message = call.tocsin.parts.store.message(answer.json["id"])
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/messages/{message.id}"
    assert (message.text, message.cls.value, dict(message.tags)) == ("disk full", "critical", {"team": "db"})
    assert [one["id"] for one in answer.json["deliveries"]] == [one.id for one in stored(call)]
    assert {one["state"] for one in answer.json["deliveries"]} == {"queued"}


def test_a_group_stands_for_its_numbers(call):
    """The numbers of a configured group are the recipients."""
    answer = call("POST", "/v1/messages", json={"group": "oncall", "text": "disk full"})

    assert [one["to"] for one in answer.json["deliveries"]] == ["+8613900000001", "+8613900000002"]


def test_a_message_expires_when_it_is_told_to(call):
    """An expiry of the caller's own counts where it is sooner than its route's."""
    call.send(expires_at=LATER)

    (delivery,) = stored(call)
    assert delivery.expires_at == datetime.fromisoformat(LATER)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"to": []}, "to"),
        ({"to": "13900000000"}, "to"),
        ({"to": ["12"]}, "to"),
        ({"to": [13900000000]}, "to"),
        ({"to": None}, "to"),
        ({"group": "oncall"}, "group"),
        ({"to": None, "group": "nobody"}, "group"),
        ({"text": ""}, "text"),
        ({"text": None}, "text"),
        ({"text": "x" * 4097}, "text"),
        ({"text": "a\0b"}, "text"),
        ({"class": "crisis"}, "class"),
        ({"class": ["alert"]}, "class"),
        ({"send_at": "tomorrow"}, "send_at"),
        ({"send_at": "2027-01-31T08:00:00"}, "send_at"),
        ({"send_at": 1}, "send_at"),
        ({"expires_at": "0001-01-01T00:00:00+23:59"}, "expires_at"),
        ({"extension": "12a"}, "extension"),
        ({"tags": {"team": 1}}, "tags"),
        ({"tags": []}, "tags"),
        ({"idempotency_key": ""}, "idempotency_key"),
        ({"urgent": True}, "body"),
    ],
)
def test_what_does_not_fit_is_named(call, change, field):
    """A field that is not as expected is 400, named, and nothing is stored."""
    answer = call.send(**change)

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert [one["field"] for one in answer.json["errors"]] == [field]
    assert stored(call) == ()


def test_half_a_character_is_no_text(call):
    """JSON can hold half of a pair; no charset can carry it."""
    answer = call("POST", "/v1/messages", body=b'{"to": ["+8613900000000"], "text": "\\ud800"}')

    assert [one["field"] for one in answer.json["errors"]] == ["text"]


def test_all_that_does_not_fit_is_told_at_once(call):
    """Two mistakes are two findings; no number that was given is repeated."""
    answer = call.send(to=["+8613900000000", "1390000"], text="")

    assert {one["field"] for one in answer.json["errors"]} == {"to", "text"}
    assert "1390000" not in answer.text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_message_is_refused(call, body):
    """A body that holds no object is 400."""
    assert call("POST", "/v1/messages", body=body).status_code == 400


def test_an_expiry_before_the_time_to_send_is_refused(call):
    """What could never be sent is not accepted."""
    assert call.send(expires_at=BEFORE).status_code == 400
    assert call.send(send_at=LATER, expires_at=LATER).status_code == 400
    assert stored(call) == ()


def test_the_same_key_is_one_message(call):
    """A repeated call is answered with the first message, as it stands now; another body is 422."""
    first = call.send(idempotency_key="a1")
    again = call.send(idempotency_key="a1")
    header = call(
        "POST", "/v1/messages", headers={"Idempotency-Key": "a1"}, json={"to": ["+8613900000000"], "text": "disk full"}
    )
    other = call.send(idempotency_key="a1", text="disk empty")

    assert (first.status_code, again.status_code, header.status_code, other.status_code) == (202, 202, 202, 422)
    assert first.json == again.json == header.json
    assert len(stored(call)) == 1


def test_two_keys_for_one_message_are_refused(call):
    """A header and a field that differ are 400."""
    answer = call(
        "POST",
        "/v1/messages",
        headers={"Idempotency-Key": "b"},
        json={"to": ["+8613900000000"], "text": "x", "idempotency_key": "a"},
    )

    assert [one["field"] for one in answer.json["errors"]] == ["idempotency_key"]


def test_a_key_belongs_to_who_used_it(call):
    """Two callers may choose the same idempotency key: they never meet."""
    message = {"to": ["+8613900000000"], "text": "disk full", "idempotency_key": "a1"}
    first = call("POST", "/v1/messages", json=message)
    second = call("POST", "/v1/messages", key="k-alert", json={**message, "text": "disk empty"})

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json["id"] != second.json["id"]


def test_the_story_is_told(call):
    """A message is shown whole, and so is one delivery of it."""
    message = call.send(to=["+8613900000000", "+8613900000001"]).json["id"]

    whole, one = call("GET", f"/v1/messages/{message}"), call("GET", f"/v1/messages/{message}.2")

    assert [one["id"] for one in whole.json["deliveries"]] == [f"{message}.1", f"{message}.2"]
    assert [one["id"] for one in one.json["deliveries"]] == [f"{message}.2"]
    assert whole.json["text"] == "disk full"


@pytest.mark.parametrize("name", ["0" * 20, "nothing", "a.1", "%2e%2e", "x" * 100])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_what_is_not_there_is_404(call, method, name):
    """A name that is no message's is 404."""
    assert call(method, f"/v1/messages/{name}").status_code == 404


def test_what_is_unsent_can_be_cancelled(call):
    """A call cancels, and the same call again finds it so."""
    message = call.send().json["id"]

    for answer in (call("DELETE", f"/v1/messages/{message}"), call("DELETE", f"/v1/messages/{message}")):
        assert answer.status_code == 200
        assert [one["state"] for one in answer.json["deliveries"]] == ["cancelled"]


def test_what_has_left_the_queue_cannot_be_cancelled(call):
    """409, and it stays as it is, where a worker has it in its hands."""
    message = call.send().json["id"]
    call.tocsin.parts.store.claim_due(HolderId("worker"), 10, datetime.now(UTC))

    assert call("DELETE", f"/v1/messages/{message}").status_code == 409
    assert [one.state.value for one in stored(call)] == ["claimed"]


def test_pages_hold_everything_once(call):
    """A list read a page at a time holds each delivery once, the newest first."""
    for _ in range(5):
        call.send(to=["+8613900000000", "+8613900000001"])
    read, cursor = [], ""
    while cursor is not None:
        page = call("GET", "/v1/messages", params={"limit": 3, **({"cursor": cursor} if cursor else {})}).json
        read += [one["id"] for one in page["items"]]
        cursor = page["next"]

    assert read == [one.id for one in stored(call)]


def test_lists_are_filtered(call):
    """State, number and time are ANDed."""
    call.send()
    call.send(to=["+8613900000001"])

    def found(**asked):
        return [one["to"] for one in call("GET", "/v1/messages", params=asked).json["items"]]

    assert found(to="+8613900000001", state="queued") == ["+8613900000001"]
    assert found(state="delivered") == []
    assert len(found(since=BEFORE)) == 2
    assert found(since=LATER) == []


@pytest.mark.parametrize(
    "asked",
    [
        {"state": "lost"},
        {"to": "12"},
        {"since": "yesterday"},
        {"since": "2027-01-31T08:00:00"},
        {"cursor": "x"},
        {"limit": "0"},
        {"limit": "501"},
        {"limit": "²"},
    ],
)
def test_a_question_that_makes_no_sense_is_refused(call, asked):
    """A parameter that is not as expected is 400, and named."""
    answer = call("GET", "/v1/messages", params=asked)

    assert (answer.status_code, [one["field"] for one in answer.json["errors"]]) == (400, list(asked))


@pytest.mark.parametrize(
    ("method", "path", "key", "status"),
    [
        ("GET", "/v1/messages", None, 401),
        ("GET", "/v1/messages", "k-al", 401),
        ("GET", "/v1/messages", "k-alert", 403),
        ("DELETE", "/v1/messages/x", "k-read", 403),
        ("GET", "/v1/accounts", "k-alert", 403),
        ("GET", "/v1/inbound", "k-alert", 403),
        ("GET", "/v1/events", "k-alert", 403),
        ("POST", "/v1/messages", None, 401),
    ],
)
def test_a_key_may_do_what_it_is_for(call, method, path, key, status):
    """Without a key 401, without the scope 403."""
    assert call(method, path, key=key).status_code == status


def test_the_class_decides_the_scope(call):
    """A key for alerts sends alerts alone, and what it may not send is not stored."""
    message = {"to": ["+8613900000000"], "text": "x"}
    allowed = call("POST", "/v1/messages", key="k-alert", json=message)
    refused = call("POST", "/v1/messages", key="k-alert", json={**message, "class": "critical"})

    assert (allowed.status_code, refused.status_code) == (202, 403)
    assert len(stored(call)) == 1


def test_basic_auth_shows_the_key_as_password(call):
    """Where a stack cannot send a bearer, the password is the key; a wrong one is none."""
    good = call("GET", "/v1/accounts", key=None, headers={"Authorization": "Basic YW55Omstcg=="[:6] + "Omstcg=="})
    right = call("GET", "/v1/accounts", key=None, headers={"Authorization": "Basic dXNlcjprLXJlYWQ="})
    broken = call("GET", "/v1/accounts", key=None, headers={"Authorization": "Basic ???"})

    assert (good.status_code, right.status_code, broken.status_code) == (401, 200, 401)


def test_a_key_that_is_used_too_often_is_told_when_to_come_again(call):
    """The third use within a minute is 429 with Retry-After."""
    answers = [
        call("POST", "/v1/messages", key="k-two", json={"to": ["+8613900000000"], "text": "x"}) for _ in range(3)
    ]

    assert [one.status_code for one in answers] == [202, 202, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 61


def test_looking_uses_a_key_as_well(call):
    """Whatever a key is shown for counts against its limits; what it may not do does not."""
    refused = [call("GET", "/v1/accounts", key="k-two").status_code for _ in range(5)]
    answers = [call("GET", "/v1/accounts", key="k-often").status_code for _ in range(3)]

    assert refused == [403] * 5
    assert answers == [200, 200, 429]


def test_no_key_is_no_key(call):
    """A digest of nothing in the configuration lets nobody in who shows nothing."""
    assert call("GET", "/v1/accounts", key=None).status_code == 401
    assert call("GET", "/v1/accounts", key="").status_code == 401


def test_a_method_that_is_not_there_is_405(call):
    """405 names the methods that are."""
    answer = call("PUT", "/v1/messages")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST, OPTIONS")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "key", "status", "closes"),
    [
        ("/v1/messages", KEY, 202, False),
        ("/v1/messages", None, 401, True),
        ("/nowhere", KEY, 404, True),
        ("/v1/alerts/nobody", KEY, 404, True),
        ("/push/main/some-wrong-token", None, 404, True),
    ],
)
def test_who_is_answered_before_their_body_was_read_is_told_that_the_connection_ends(call, path, key, status, closes):
    """A body that nobody read may still be under way: the connection is not one to be used again."""
    answer = call("POST", path, key=key, json={"to": ["+8613900000000"], "text": "x"})

    assert (answer.status_code, answer.headers.get("connection") == "close") == (status, closes)
    assert "connection" not in call("GET", path, key=key).headers
