"""`/v1/events`: what happens to deliveries, as it happens, as server-sent events.

Events are numbered as the store numbers them, so that who was cut off goes on where it was.

Source: WHATWG HTML, section 9.2 (server-sent events).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import falcon

from tocsin.gateway.pages import read_whole
from tocsin.gateway.problems import Busy, InvalidFields
from tocsin.gateway.reception import Reception
from tocsin.outbox.record import Transition
from tocsin.shown import iso

MOST_STREAMS = 8
"""Each keeps a thread of the gateway's."""

LONGEST_S = 3600
LOOK_S = 0.5
HEARTBEAT_S = 15.0
_AT_ONCE = 500
_NEWEST = 2**63 - 1


class Events:
    """`/v1/events`."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._places = threading.BoundedSemaphore(MOST_STREAMS)

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Stream events until the caller leaves, the time is over, or the gateway ends."""
        self._reception.keys.enter(request, "read")
        after = _after(request)
        longest_s = read_whole(request, "seconds", 0, LONGEST_S, LONGEST_S)
        if not self._places.acquire(blocking=False):
            raise Busy(f"{MOST_STREAMS} streams of events are open already", retry_after_s=30)
        response.content_type = "text/event-stream"
        response.cache_control = ["no-store"]
        response.stream = _Stream(self._events(after, longest_s), self._places)

    def _events(self, after: int | None, longest_s: int) -> Iterator[bytes]:
        store, clock = self._reception.tocsin.parts.store, self._reception.tocsin.parts.clock
        number = store.last_event() if after is None else after
        yield b"retry: 2000\n\n"
        until = clock.monotonic() + longest_s
        quiet_since = clock.monotonic()
        while True:
            events = store.events(number, _AT_ONCE)
            for number, transition in events:
                yield _written(number, transition)
            now = clock.monotonic()
            if events:
                quiet_since = now
            elif now - quiet_since >= HEARTBEAT_S:
                quiet_since = now
                yield b": still here\n\n"
            if len(events) < _AT_ONCE and (now >= until or self._reception.stopping.wait(min(LOOK_S, until - now))):
                return


class _Stream:
    """The bytes of a stream; its place is given back once, when it ends or its caller has left."""

    def __init__(self, events: Iterator[bytes], places: threading.BoundedSemaphore) -> None:
        self._events = events
        self._places: threading.BoundedSemaphore | None = places

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._events
        finally:
            self.close()

    def close(self) -> None:
        places, self._places = self._places, None
        if places is not None:
            places.release()


def _written(number: int, transition: Transition) -> bytes:
    data = {
        "delivery": transition.delivery,
        "event": transition.event.value,
        "from": transition.before.value,
        "to": transition.after.value,
        "at": iso(transition.at),
    }
    return f"id: {number}\nevent: transition\ndata: {json.dumps(data)}\n\n".encode()


def _after(request: falcon.Request) -> int | None:
    """Return the number behind which the stream begins; None for what happens from now on."""
    header = request.get_header("Last-Event-ID")
    if header is not None and request.get_param("after") is None:
        if not (header.isascii() and header.isdigit() and len(header) < 19):
            raise InvalidFields({"Last-Event-ID": "expected the id of an event"})
        return int(header)
    if request.get_param("after") is None:
        return None
    return read_whole(request, "after", 0, _NEWEST, 0)
