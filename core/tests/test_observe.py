"""The one logger: what somebody hears is a line of allowed keys, and what nobody hears costs next to nothing."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from tocsin import observe

SILENT = """
import sys
from tocsin import observe
observe.log.info("tocsin.worker.started", count=1)
sys.exit("structlog" in sys.modules)
"""


def test_what_nobody_hears_loads_nothing():
    """In an application that asked for no lines, an event of ordinary business does not load what would write it."""
    assert subprocess.run([sys.executable, "-c", SILENT], timeout=40).returncode == 0


@pytest.mark.parametrize(
    ("take", "level"),
    [
        (observe.log.info, logging.INFO),
        (observe.log.warning, logging.WARNING),
        (observe.log.error, logging.ERROR),
        (lambda event, **keys: observe.log.log(logging.CRITICAL, event, **keys), logging.CRITICAL),
    ],
)
def test_who_listens_hears_an_event_and_its_allowed_keys(caplog, take, level):
    """At its level and below; a key that is not on the list is no part of the line."""
    for hears in (level, level + 1):
        with caplog.at_level(hears, logger="tocsin"):
            take("tocsin.alarm", reason="parked", count=3, text="disk full on db1")

    (record,) = caplog.records
    assert (record.name, record.levelno) == ("tocsin", level)
    assert str(record.msg) == "event=tocsin.alarm reason=parked count=3"
