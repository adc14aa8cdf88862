"""Alerts, sources and a measure for the tests of what becomes of alerts."""

from datetime import UTC, datetime, timedelta

import pytest

from tocsin.model.alert import Alert, AlertStatus
from tocsin.model.source import Source

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def now():
    return NOW


@pytest.fixture
def source():
    return Source(name="alertmanager", kind="alertmanager")


@pytest.fixture
def alert():
    """Makes an alert that fires, unless told otherwise."""

    def alert(fingerprint="a", status=AlertStatus.FIRING, **changes):
        given = {"name": "DiskFull db1", "summary": "Disk /var 97% full", "starts_at": NOW - 5 * MINUTE} | changes
        if status is AlertStatus.RESOLVED:
            given.setdefault("ends_at", NOW)
        return Alert(fingerprint=fingerprint, status=status, **given)

    return alert
