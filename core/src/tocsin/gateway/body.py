"""Reads the body of a request, bounded in size and in time. Whoever calls it knows by then who is asking.

The server hands a body over by a `read` that waits as long as the client likes, and that nothing can interrupt. So a
thread of ours waits for it, and the request gives up when its time is over: it can be answered, while that thread stays
until the client goes. That costs more than the reading does, so a few small bodies at a time may be read at once, by
the request itself: they are nearly always there. Nothing is ever decoded: what is compressed is refused.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from typing import Any, Protocol

SMALL_BYTES = 16 * 1024
"""A body of that size comes together with its head."""

_REST_S = 30.0
"""How long a thread without work stays."""


class Stream(Protocol):
    """What a server hands a body over by."""

    def read(self, size: int, /) -> bytes:
        """Return so many bytes, or fewer at the end."""
        ...


class BodyRefused(Exception):
    """A body is not taken.

    Args:
        status: which HTTP status says so.
        reason: one word for the log.
        closes: nothing more is to be read from this connection: answer with `Connection: close`.
    """

    def __init__(self, status: int, reason: str, *, closes: bool = False) -> None:
        self.status = status
        self.reason = reason
        self.closes = closes
        super().__init__(f"the body is refused: {reason}")


class _Job:
    """One body to read."""

    __slots__ = ("content", "done", "error", "size", "stream")

    def __init__(self, stream: Stream, size: int) -> None:
        self.stream = stream
        self.size = size
        self.content = b""
        self.error: BaseException | None = None
        self.done = threading.Lock()
        self.done.acquire()

    def run(self) -> None:
        try:
            self.content = self.stream.read(self.size)
        except Exception as error:  # noqa: BLE001 (the server's own; whoever waits learns that it broke)
            self.error = error


class BodyReader:
    """Reads bodies. Thread-safe.

    Args:
        most_bytes: of a body.
        deadline_s: how long one may take to come, all of it.
        most_readers: bodies that are waited for at a time, those included whose request has given up.
        at_once: small bodies of a known length that their request may read itself at a time. One that does not come
            keeps its request without an answer until the client goes; all others then have the deadline.
    """

    def __init__(self, *, most_bytes: int, deadline_s: float, most_readers: int, at_once: int = 0) -> None:
        self._most_bytes = most_bytes
        self._deadline_s = deadline_s
        self._most_readers = most_readers
        self._at_once = threading.Semaphore(at_once)
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._readers = 0
        self._idle = 0

    def read(self, environ: Mapping[str, Any], most_bytes: int | None = None) -> bytes:
        """Return the body of a request.

        Args:
            environ: the request's WSGI environment.
            most_bytes: of this one; None for the usual.

        Raises:
            BodyRefused: 400 cut, 408 too slow, 413 too large, 415 encoded, 503 too many are waited for.
        """
        most = self._most_bytes if most_bytes is None else most_bytes
        length = _length_of(environ)
        if length == 0:
            return b""
        if length is not None and length > most:
            raise BodyRefused(413, "too-large", closes=True)
        body = self._read(environ["wsgi.input"], most + 1 if length is None else length)
        if length is None and len(body) > most:
            raise BodyRefused(413, "too-large", closes=True)
        if length is not None and len(body) < length:
            raise BodyRefused(400, "cut", closes=True)
        return body

    def _read(self, stream: Stream, size: int) -> bytes:
        job = _Job(stream, size)
        if size <= SMALL_BYTES and self._at_once.acquire(blocking=False):
            job.run()
            self._at_once.release()
        else:
            self._hand_over(job)
            if not job.done.acquire(timeout=self._deadline_s):
                raise BodyRefused(408, "too-slow", closes=True)
        if job.error is not None:
            raise BodyRefused(400, "cut", closes=True) from job.error
        return job.content

    def _hand_over(self, job: _Job) -> None:
        """Give the job to a thread that rests, or to a new one."""
        with self._lock:
            if self._idle:
                self._idle -= 1
                self._jobs.put(job)
                return
            if self._readers >= self._most_readers:
                raise BodyRefused(503, "busy", closes=True)
            self._readers += 1
        threading.Thread(target=self._work, args=(job,), name="body", daemon=True).start()

    def _work(self, job: _Job | None) -> None:
        while job is not None:
            job.run()
            with self._lock:
                self._idle += 1
            job.done.release()
            job = self._next()

    def _next(self) -> _Job | None:
        """Return the next job; None for a thread that has rested long enough, and that nobody counts on."""
        while True:
            try:
                return self._jobs.get(timeout=_REST_S)
            except queue.Empty:
                with self._lock:
                    if self._idle:
                        self._idle -= 1
                        self._readers -= 1
                        return None


def _length_of(environ: Mapping[str, Any]) -> int | None:
    """Return the length that a body is said to have; None where it comes in chunks.

    Raises:
        BodyRefused: it is encoded, or its length is none.
    """
    if environ.get("HTTP_CONTENT_ENCODING", "").strip().lower() not in ("", "identity"):
        raise BodyRefused(415, "encoded", closes=True)
    framing = environ.get("HTTP_TRANSFER_ENCODING", "").strip().lower()
    if framing not in ("", "chunked"):
        raise BodyRefused(415, "encoded", closes=True)
    if framing:
        return None
    length = environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        raise BodyRefused(400, "no-length", closes=True)
    return int(length) if len(length) < 20 else 10**20
