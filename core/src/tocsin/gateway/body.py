"""Reads the body of a request, bounded in size and in time. Whoever calls it knows by then who is asking.

The server hands a body over by a `read` that waits as long as the client likes, and that nothing can interrupt. So a
thread of ours waits for it, and the request gives up when its time is over. It can be answered then, but it must not
end: the server frees the body at the end of a request, and would wait for the reading, with everybody else stopped. So
what is answered lingers (`Lingering`) until the client goes. Both are bounded, for each caller and for all together.

All that costs more than the reading does, so a few small bodies at a time may be read at once, by the request itself:
they are nearly always there. Nothing is ever decoded: what is compressed is refused.
"""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

SMALL_BYTES = 16 * 1024
"""A body of that size comes together with its head."""

_UNREAD = "tocsin.unread"
"""Where in its environment a request says that its body is still being read."""

_WHOLE = "tocsin.whole"
"""Where it says that all of its body was read."""

_CLOSES = ("connection", "close")

_PATIENCE_S = 0.1
"""How long is waited for room. Bodies that come make room much sooner, those that do not come make none."""

_REST_S = 30.0
"""How long a thread without work stays."""


class Stream(Protocol):
    """What a server hands a body over by."""

    def read(self, size: int, /) -> bytes:
        """Return so many bytes, or fewer at the end."""
        ...


class BodyRefused(Exception):
    """A body is not taken. Nothing more is to be read from this connection: answer with `Connection: close`.

    Args:
        status: which HTTP status says so.
        reason: one word for the log.
    """

    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(f"the body is refused: {reason}")


class _Job:
    """One body to read."""

    __slots__ = ("content", "done", "error", "owner", "size", "stream")

    def __init__(self, stream: Stream, size: int, owner: str) -> None:
        self.stream = stream
        self.size = size
        self.owner = owner
        self.content = b""
        self.error: OSError | None = None
        self.done = threading.Event()

    def run(self) -> None:
        try:
            self.content = _read(self.stream, self.size)
        except OSError as error:
            self.error = error


class BodyReader:
    """Reads bodies. Thread-safe.

    Args:
        deadline_s: how long one may take to come, all of it.
        most: bodies that are waited for at a time, those included whose request has given up; well below the server's
            threads, each of which may linger.
        most_each: likewise, of one owner.
        at_once: small bodies of a known length that their request may read itself at a time. One that does not come
            keeps its request without an answer until the client goes; all others then have the deadline.
    """

    def __init__(self, *, deadline_s: float, most: int, most_each: int, at_once: int = 0) -> None:
        self._deadline_s = deadline_s
        self._most = most
        self._most_each = most_each
        self._at_once = threading.Semaphore(at_once)
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._room = threading.Condition()
        self._reading: Counter[str] = Counter()
        self._idle = 0

    def read(self, environ: WSGIEnvironment, most_bytes: int, owner: str = "", *, at_once: bool = False) -> bytes:
        """Return the body of a request.

        Args:
            environ: the request's WSGI environment.
            most_bytes: of the body.
            owner: who is asking: whoever lets others wait shall hold up nobody else.
            at_once: a small one may be read by the request itself.

        Raises:
            BodyRefused: 400 cut, 408 too slow, 413 too large, 415 encoded, 503 too many are waited for.
        """
        length = _length_of(environ)
        if length == 0:
            return b""
        if length is not None and length > most_bytes:
            raise BodyRefused(413, "too-large")
        size = most_bytes + 1 if length is None else length
        try:
            body = self._read_at_once(environ, size) if at_once and length is not None else None
            if body is None:
                body = self._wait_for(environ, size, owner)
        except OSError as error:
            raise BodyRefused(400, "cut") from error
        if length is None and len(body) > most_bytes:
            raise BodyRefused(413, "too-large")
        if length is not None and len(body) < length:
            raise BodyRefused(400, "cut")
        environ[_WHOLE] = True
        return body

    def _read_at_once(self, environ: WSGIEnvironment, size: int) -> bytes | None:
        """Read a small body here; None for one that is not small, or where too many are read so."""
        if size > SMALL_BYTES or not self._at_once.acquire(blocking=False):
            return None
        try:
            return _read(environ["wsgi.input"], size)
        finally:
            self._at_once.release()

    def _wait_for(self, environ: WSGIEnvironment, size: int, owner: str) -> bytes:
        job = _Job(environ["wsgi.input"], size, owner)
        self._hand_over(job)
        if not job.done.wait(self._deadline_s):
            environ[_UNREAD] = job.done
            raise BodyRefused(408, "too-slow")
        if job.error is not None:
            raise job.error
        return job.content

    def _hand_over(self, job: _Job) -> None:
        """Give the job to a thread that rests, or to a new one."""
        with self._room:
            if not self._room.wait_for(lambda: self._has_room(job.owner), _PATIENCE_S):
                raise BodyRefused(503, "busy")
            self._reading[job.owner] += 1
            if self._idle:
                self._idle -= 1
                self._jobs.put(job)
                return
        threading.Thread(target=self._work, args=(job,), name="body", daemon=True).start()

    def _has_room(self, owner: str) -> bool:
        return self._reading.total() < self._most and self._reading[owner] < self._most_each

    def _work(self, job: _Job | None) -> None:
        while job is not None:
            job.run()
            with self._room:
                self._idle += 1
                self._reading[job.owner] -= 1
                if not self._reading[job.owner]:
                    del self._reading[job.owner]
                self._room.notify_all()
            job.done.set()
            job = self._next()

    def _next(self) -> _Job | None:
        """Return the next job; None for a thread that has rested long enough, and that nobody counts on."""
        while True:
            try:
                return self._jobs.get(timeout=_REST_S)
            except queue.Empty:
                with self._room:
                    if self._idle:
                        self._idle -= 1
                        return None


class Lingering:
    """A WSGI application in front of another: what is answered before its body came is not ended before it did.

    Who is answered before their body was read is told that the connection ends: the server drops it as soon as more of
    the body arrives, and whoever meant to use it again would be cut off.

    Args:
        app: whose requests read their bodies by a `BodyReader`.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        has_body = environ.get("CONTENT_LENGTH") not in (None, "", "0") or "HTTP_TRANSFER_ENCODING" in environ
        answer = self._app(environ, _closing(environ, start) if has_body else start)
        done: threading.Event | None = environ.get(_UNREAD)
        return answer if done is None else _Linger(answer, done)


def _closing(environ: WSGIEnvironment, start: StartResponse) -> StartResponse:
    """Return what begins an answer, and says of a connection with an unread body that it ends."""

    def begin(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
        ends = _WHOLE not in environ and not any(name.lower() == _CLOSES[0] for name, _ in headers)
        return start(status, [*headers, _CLOSES] if ends else headers, *error)

    return begin


class _Linger:
    """Gives the whole answer, and then waits for the end of the reading; so does its end, whenever that comes."""

    def __init__(self, answer: Iterable[bytes], done: threading.Event) -> None:
        self._answer = answer
        self._pieces = iter(answer)
        self._done = done

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except StopIteration:
            self._done.wait()
            raise

    def close(self) -> None:
        """Wait, and close the answer."""
        self._done.wait()
        getattr(self._answer, "close", lambda: None)()


def _read(stream: Stream, size: int) -> bytes:
    """Read a body; whatever the server raises while it does is a body that broke."""
    try:
        return stream.read(size)
    except Exception as error:  # the server's own; nothing of it is told
        raise OSError("the body broke") from error


def _length_of(environ: WSGIEnvironment) -> int | None:
    """Return the length that a body is said to have; None where it comes in chunks.

    Raises:
        BodyRefused: it is encoded, or its length is none.
    """
    framing = environ.get("HTTP_TRANSFER_ENCODING", "").strip().lower()
    coding = environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if coding not in ("", "identity") or framing not in ("", "chunked"):
        raise BodyRefused(415, "encoded")
    if framing:
        return None
    length = environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        raise BodyRefused(400, "no-length")
    return int(length) if len(length) < 20 else 10**20
