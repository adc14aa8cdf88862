"""The log of the serving process: a thread of its own writes it, many lines at once, and loses none."""

import io
import logging
import sys
import threading
from contextlib import contextmanager

import pytest

from tocsin import observe
from tocsin.gateway.serverlog import write_aside

LINES, THREADS = 200, 8


@pytest.fixture(autouse=True)
def as_before():
    """The project's logger is as before afterwards."""
    logger = logging.getLogger("tocsin")
    handlers, level = list(logger.handlers), logger.level
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)


@contextmanager
def written_to(monkeypatch, stream):
    """Write the log there meanwhile."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        observe.show_log(logging.INFO)
        end = write_aside()
        yield
        end()


def log(thread):
    for number in range(LINES):
        observe.log.info(observe.GATEWAY_REQUEST, endpoint=str(thread), count=number)


def test_all_is_written_once_it_has_ended(monkeypatch):
    """What many threads log is written whole, each thread's in its order, by the time that it has ended."""
    stream = io.StringIO()
    threads = [threading.Thread(target=log, args=(number,)) for number in range(THREADS)]
    with written_to(monkeypatch, stream):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    lines = stream.getvalue().splitlines()

    assert len(lines) == LINES * THREADS
    for number in range(THREADS):
        own = [line for line in lines if f"endpoint={number} " in line]
        assert [line.split("count=")[1] for line in own] == [str(count) for count in range(LINES)]


class Unreadable:
    """What cannot be made text."""

    def __str__(self):
        raise ValueError("unreadable")


def test_a_line_that_cannot_be_rendered_costs_no_other(monkeypatch):
    """Who logs is not hurt by it, and the lines around it are written, whether they leave together or not."""
    monkeypatch.setattr(logging, "raiseExceptions", False)
    stream = io.StringIO()
    with written_to(monkeypatch, stream):
        for cause in ("before", Unreadable(), "after"):
            observe.log.info(observe.GATEWAY_REQUEST, cause=cause)

    assert [line.rpartition(" ")[2] for line in stream.getvalue().splitlines()] == ["cause=before", "cause=after"]


def test_a_log_that_cannot_be_written_ends_nothing(monkeypatch):
    """Where standard error is gone, the lines are lost; the next that can be written is."""
    monkeypatch.setattr(logging, "raiseExceptions", False)
    gone, stream = io.StringIO(), io.StringIO()
    gone.close()
    with written_to(monkeypatch, gone):
        observe.log.info(observe.GATEWAY_REQUEST, cause="lost")
    with written_to(monkeypatch, stream):
        observe.log.info(observe.GATEWAY_REQUEST, cause="found")

    assert stream.getvalue().endswith("cause=found\n")
