"""What can be looked at: accounts, inbound messages, events as they happen; and what is there at all."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from tests.waiting import wait_until

from tocsin.gateway.app import endpoints, open_gateway
from tocsin.gateway.events import MOST_STREAMS
from tocsin.gateway.openapi import load_document
from tocsin.model.ids import AccountId
from tocsin.model.phone import parse_vendor_number
from tocsin.model.push import Trust
from tocsin.model.report import Batch, InboundMessage
from tocsin.outbox.record import RawAnswer

MAIN = AccountId("main")


def test_accounts_stand_as_the_command_line_shows_them(call):
    """Every configured account is there, and no vendor was asked."""
    answer = call("GET", "/v1/accounts")

    assert [(one["account"], one["vendor"]) for one in answer.json["items"]] == [("main", "winnerlook")]


def test_inbound_messages_are_paged(call):
    """What people wrote, the newest first, each once."""
    store, now = call.tocsin.parts.store, datetime.now(UTC)
    raw = store.spool(RawAnswer(account=MAIN, kind="inbound", trust=Trust.POLL, body=b"raw"), now)
    rows = tuple(InboundMessage(sender=parse_vendor_number("13900000000"), text=f"{one}") for one in range(5))
    store.apply_inbound(raw, Batch(rows=rows), now)
    read, cursor = [], None
    while True:
        page = call("GET", "/v1/inbound", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json
        read += [one["text"] for one in page["items"]]
        if (cursor := page["next"]) is None:
            break

    assert read == ["4", "3", "2", "1", "0"]
    assert call("GET", "/v1/inbound", params={"account": "main"}).json["items"][0]["from"] == "+8613900000000"
    assert call("GET", "/v1/inbound", params={"account": "other"}).status_code == 404


def events_of(text):
    """Return what a stream held: pairs of id and data."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in fields:
            found.append((int(fields["id"]), json.loads(fields["data"])))
    return found


def test_events_are_streamed_from_any_number_on(call):
    """A stream that was cut goes on behind the last event that its reader had."""
    for _ in range(2):
        call("DELETE", f"/v1/messages/{call.send().json['id']}")

    whole = events_of(call("GET", "/v1/events", params={"after": 0, "seconds": 0}).text)
    rest = events_of(call("GET", "/v1/events", params={"seconds": 0}, headers={"Last-Event-ID": str(whole[0][0])}).text)

    assert [data["to"] for _, data in whole] == ["cancelled", "cancelled"]
    assert rest == whole[1:]


def test_a_stream_begins_with_what_happens_from_now_on(call):
    """Without a number, nothing of before is told."""
    call("DELETE", f"/v1/messages/{call.send().json['id']}")

    assert events_of(call("GET", "/v1/events", params={"seconds": 0}).text) == []


def test_streams_end_with_the_gateway(call):
    """A gateway that is told to end ends its streams, however long they were to last."""
    ended = threading.Event()

    def listen():
        call("GET", "/v1/events")
        ended.set()

    thread = threading.Thread(target=listen)
    thread.start()
    call.stopping.set()
    assert ended.wait(20)
    thread.join()


def test_there_are_so_many_streams_and_no_more(call):
    """One stream too many is told when to come again, and a place is free again once a stream has ended."""
    with ThreadPoolExecutor(MOST_STREAMS) as readers:
        open_ = [readers.submit(call, "GET", "/v1/events") for _ in range(MOST_STREAMS)]
        refused = wait_until(lambda: (answer := one_look(call)).status_code == 503 and answer)
        call.stopping.set()
        assert {one.result().status_code for one in open_} == {200}

    assert refused.headers["retry-after"] == "30"
    assert one_look(call).status_code == 200


def one_look(call):
    return call("GET", "/v1/events", params={"seconds": 0})


@pytest.mark.parametrize("asked", [{"after": "-1"}, {"after": "x"}, {"seconds": "3601"}, {"after": str(2**63)}])
def test_a_stream_from_nowhere_is_refused(call, asked):
    """A number that is no event's is 400."""
    assert call("GET", "/v1/events", params=asked).status_code == 400


def test_the_document_says_what_the_code_does(call):
    """Every path and method that answers stands in the OpenAPI document, and nothing else does."""
    served = {
        (path, method.removeprefix("on_"))
        for path, resource in endpoints(open_gateway(call.tocsin, call.config, call.stopping)).items()
        for method in dir(resource)
        if method in {"on_get", "on_post", "on_delete", "on_put", "on_patch"}
    }
    document = load_document()
    written = {
        (path, method)
        for path, operations in document["paths"].items()
        for method in operations
        if method != "parameters"
    }

    assert written == served
    assert call("GET", "/openapi.json", key=None).json == document


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/nothing", "/v2/enqueue", "/v1//messages"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothing_else_is_there(call, method, path):
    """A path that is none is 404 as problem details, and never a redirect."""
    answer = call(method, path)

    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
