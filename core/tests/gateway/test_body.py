"""Bodies of requests: within their size and time, or refused by the status that says why."""

import io
import os
import queue
import threading
import time

import pytest

from tocsin.gateway.body import SMALL_BYTES, BodyReader, BodyRefused, Lingering

LIMIT = 1000
DEADLINE_S = 20.0


class Pipe:
    """A body that comes when its sender likes, and ends when it goes."""

    def __init__(self):
        self._pieces = queue.SimpleQueue()

    def read(self, size):
        body = b""
        while len(body) < size and (piece := self._pieces.get()):
            body += piece
        return body

    def send(self, data):
        self._pieces.put(data)

    def end(self):
        self._pieces.put(b"")


@pytest.fixture
def pipe():
    opened = Pipe()
    yield opened
    opened.end()


def environ(stream=b"", length=None, **headers):
    opened = stream if hasattr(stream, "read") else io.BytesIO(stream)
    said = {} if length is None else {"CONTENT_LENGTH": str(length)}
    return {"wsgi.input": opened, **said, **headers}


def reader(**changes):
    return BodyReader(**{"deadline_s": 10.0, "most": 4, "most_each": 3, **changes})


def read(bodies, request, most=LIMIT, owner="", at_once=True):
    return bodies.read(request, most, owner, at_once=at_once)


def refused(bodies, request, most=LIMIT, owner="", at_once=True):
    with pytest.raises(BodyRefused) as refusal:
        bodies.read(request, most, owner, at_once=at_once)
    return refusal.value.status, refusal.value.reason


def until(holds):
    ends_at = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < ends_at
        time.sleep(0.005)


def readers():
    return [one for one in threading.enumerate() if one.name == "body"]


@pytest.mark.parametrize("at_once", [0, 4])
@pytest.mark.parametrize("size", [1, LIMIT - 1, LIMIT])
def test_a_body_within_the_limit_is_returned(size, at_once):
    """What has a length of up to the limit is returned whole, with a length and in chunks."""
    bodies = reader(at_once=at_once)
    body = os.urandom(size)

    assert read(bodies, environ(body, size)) == body
    assert read(bodies, environ(body, HTTP_TRANSFER_ENCODING="chunked")) == body
    assert read(bodies, environ(body + b"the next request", size)) == body


def test_no_body_is_no_body():
    """Without a length, or with one of 0, nothing is read."""
    requests = environ(b"x"), environ(b"x", 0), environ(b"x", "")
    assert [read(reader(), one) for one in requests] == [b""] * 3


@pytest.mark.parametrize("length", [LIMIT + 1, 10**19, 10**30])
def test_what_says_that_it_is_too_large_is_not_read(length):
    """A length above the limit is refused before anything is read of it."""
    stream = io.BytesIO(b"x" * 10)

    assert refused(reader(), environ(stream, length)) == (413, "too-large")
    assert stream.tell() == 0


def test_what_turns_out_too_large_is_read_no_further():
    """Of a body without a length one byte more than the limit is read."""
    stream = io.BytesIO(b"x" * 10 * LIMIT)

    assert refused(reader(), environ(stream, HTTP_TRANSFER_ENCODING="chunked")) == (413, "too-large")
    assert stream.tell() == LIMIT + 1


@pytest.mark.parametrize("length", ["+3", "-3", "3,3", "0x3", " ", "٣"])
def test_what_is_no_length_is_refused(length):
    """A length is digits and nothing else, whatever a server before us made of it."""
    assert refused(reader(), environ(b"xxx", length)) == (400, "no-length")


@pytest.mark.parametrize(
    "header",
    [
        *({"HTTP_CONTENT_ENCODING": value} for value in ("gzip", "identity, gzip", "br", "x", "GZIP")),
        *({"HTTP_TRANSFER_ENCODING": value} for value in ("gzip, chunked", "gzip", "identity", "chunked, chunked")),
    ],
    ids=lambda header: next(iter(header.values())),
)
def test_what_is_encoded_is_not_decoded(header):
    """A coded body is refused unread; `identity` is no coding."""
    assert refused(reader(), environ(b"xxx", 3, **header)) == (415, "encoded")
    assert read(reader(), environ(b"xxx", 3, HTTP_CONTENT_ENCODING=" Identity ")) == b"xxx"


@pytest.mark.parametrize("at_once", [0, 4])
def test_a_body_that_ends_too_soon_is_cut(at_once):
    """Fewer bytes than the length says are no body."""
    assert refused(reader(at_once=at_once), environ(b"xx", 3)) == (400, "cut")


@pytest.mark.parametrize("at_once", [0, 4])
def test_a_body_that_breaks_is_cut(at_once):
    """Where the server's own reading fails, the body is cut."""

    class Broken:
        def read(self, _):
            raise OSError

    assert refused(reader(at_once=at_once), environ(Broken(), 3)) == (400, "cut")


def test_a_body_that_does_not_come_is_too_slow(pipe):
    """When its time is over the request goes on; the reader stays until the body comes or its sender goes."""
    before = len(readers())
    bodies = reader(deadline_s=0.05)

    assert refused(bodies, environ(pipe, 3)) == (408, "too-slow")
    assert len(readers()) == before + 1

    pipe.send(b"xxx")
    assert read(bodies, environ(b"yy", 2)) == b"yy"


def test_the_time_is_for_the_whole_body(pipe):
    """A byte now and then does not make it last longer."""
    stop = threading.Event()

    def drip():
        while not stop.wait(0.02):
            pipe.send(b"x")

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        assert refused(reader(deadline_s=0.2), environ(pipe, LIMIT)) == (408, "too-slow")
    finally:
        stop.set()
        dripping.join()


def test_so_many_are_waited_for_and_no_more():
    """Once all readers wait, the next body is refused; when senders go there is room again."""
    pipes = [Pipe() for _ in range(4)]
    bodies = reader(deadline_s=0.05, most_each=4)
    for one in pipes:
        assert refused(bodies, environ(one, 3))[0] == 408

    assert refused(bodies, environ(b"xxx", 3)) == (503, "busy")

    for one in pipes:
        one.end()

    def is_read():
        try:
            return read(bodies, environ(b"xxx", 3)) == b"xxx"
        except BodyRefused:
            return False

    until(is_read)


def test_nobody_waits_for_another_owner_s_bodies():
    """Whoever does not send fills its own places; all others have theirs."""
    pipes = [Pipe() for _ in range(3)]
    bodies = reader(deadline_s=0.05)
    try:
        for one in pipes:
            assert refused(bodies, environ(one, 3), owner="slow")[0] == 408

        assert refused(bodies, environ(b"xxx", 3), owner="slow") == (503, "busy")
        assert read(bodies, environ(b"xxx", 3), owner="other") == b"xxx"
    finally:
        for one in pipes:
            one.end()


def test_a_crowd_of_bodies_that_come_is_read():
    """More at a time than there are places are no trouble, as long as they come."""
    bodies = reader(most_each=2)
    failures = []

    def read_many():
        try:
            for _ in range(100):
                read(bodies, environ(b"xxx", 3))
        except BodyRefused as refusal:
            failures.append(refusal)

    threads = [threading.Thread(target=read_many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_an_answer_lingers_until_the_body_has_come(pipe):
    """What is answered before its body came is answered whole, and does not end before the reading does."""
    bodies = reader(deadline_s=0.05)

    def answer_too_slow(request, start):
        assert refused(bodies, request) == (408, "too-slow")
        start("408 Request Timeout", [])
        return [b"too ", b"slow"]

    pieces = iter(Lingering(answer_too_slow)(environ(pipe, 3), lambda *_: None))
    assert [next(pieces), next(pieces)] == [b"too ", b"slow"]
    rest = []
    ending = threading.Thread(target=lambda: rest.extend(pieces))
    ending.start()
    ending.join(0.1)
    assert ending.is_alive()

    pipe.send(b"xxx")
    ending.join(DEADLINE_S)
    assert (rest, ending.is_alive()) == ([], False)


def test_an_answer_that_nobody_takes_lingers_too(pipe):
    """Where the server gives up before the first piece, the end waits all the same."""
    bodies = reader(deadline_s=0.05)

    def answer_too_slow(request, _):
        refused(bodies, request)
        return [b"too ", b"slow"]

    pieces = iter(Lingering(answer_too_slow)(environ(pipe, 3), lambda *_: None))
    closing = threading.Thread(target=pieces.close)
    closing.start()
    closing.join(0.1)
    assert closing.is_alive()

    pipe.send(b"xxx")
    closing.join(DEADLINE_S)
    assert not closing.is_alive()


def test_other_answers_are_what_they_were():
    """Where the body came, or was never read, the answer is passed on as it is."""
    answer = [b"x"]
    bodies = reader()

    assert Lingering(lambda *_: answer)(environ(b"xxx", 3), lambda *_: None) is answer
    assert Lingering(lambda request, _: read(bodies, request) and answer)(environ(b"xxx", 3), lambda *_: None) is answer


def test_a_reader_is_used_again():
    """Bodies that come are read by a thread that is there already."""
    before = len(readers())
    bodies = reader()
    for _ in range(50):
        read(bodies, environ(b"xxx", 3))

    assert len(readers()) - before <= 2


def test_many_at_a_time_each_have_their_own():
    """Whoever reads beside others gets its own body."""
    bodies = reader(most=64, most_each=64, at_once=2)
    wrong = []

    def read_many(number):
        body = str(number).encode() * 10
        wrong.extend(one for one in (read(bodies, environ(body, len(body))) for _ in range(200)) if one != body)

    threads = [threading.Thread(target=read_many, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_small_bodies_are_read_at_once_within_bounds(pipe):
    """So many small ones are read by their request itself; one more has the deadline, and so has a large one."""
    bodies = reader(deadline_s=0.05, at_once=1)
    stuck = []
    waiting = threading.Thread(target=lambda: stuck.append(read(bodies, environ(pipe, 3))))
    waiting.start()
    other = Pipe()
    try:
        until(lambda: not bodies._at_once._value)
        assert refused(bodies, environ(other, 3)) == (408, "too-slow")
        pipe.send(b"abc")
        waiting.join(DEADLINE_S)
        assert stuck == [b"abc"]
        assert refused(bodies, environ(other, SMALL_BYTES + 1), 10 * SMALL_BYTES) == (408, "too-slow")
    finally:
        other.end()


def test_nothing_is_read_at_once_unless_asked_for(pipe):
    """A caller that wants the deadline kept for every body says nothing, and has it."""
    bodies = reader(deadline_s=0.05, at_once=4)

    assert refused(bodies, environ(pipe, 3), at_once=False) == (408, "too-slow")
