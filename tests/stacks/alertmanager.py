"""Alertmanager, alone or as one of a pair: real processes with intervals as short as it permits.

Its notifications go to the address that it is given. Called by the scenarios, and by the pair that Prometheus feeds.
"""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..waiting import until
from .programs import Account, Program, require

PROGRAM = "prometheus-alertmanager"

_SETTINGS = """\
route:
  receiver: tocsin
  group_by: [alertname, unit]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 2s
receivers:
- name: tocsin
  webhook_configs:
  - url: {url}
    send_resolved: true
    http_config:
      authorization:
        type: Bearer
        credentials: {key}
"""
_TOLD = re.compile(r'^alertmanager_notification_requests_total\{integration="webhook"\} (\S+)', re.MULTILINE)
_FAILED = re.compile(r'^alertmanager_notification_requests_failed_total\{integration="webhook"\} (\S+)', re.MULTILINE)
_ALONE = ("--cluster.listen-address=",)


class Alertmanager:
    """One Alertmanager, and whoever tells it of alerts.

    Args:
        home: an empty directory.
        account: who runs it.
        url: where its notifications go.
        key: what it shows there.
        cluster: arguments that make it one of a pair.
    """

    def __init__(self, home: Path, account: Account, url: str, key: str, cluster: Sequence[str] = _ALONE) -> None:
        require(PROGRAM)
        settings = account.write(home / "alertmanager.yml", _SETTINGS.format(url=json.dumps(url), key=key))
        command = (
            PROGRAM,
            f"--config.file={settings}",
            f"--storage.path={account.make_directory(home / 'data')}",
            "--web.listen-address=127.0.0.1:0",
            *cluster,
        )
        self._program = Program(command, home, account, "alertmanager")
        self._began: dict[str, str] = {}
        self.address = self._program.says(r'msg="Listening on" address=(\S+)')[1]
        until(self._is_ready, "Alertmanager is ready")

    @property
    def told(self) -> int:
        """How many notifications have been taken from it so far."""
        page = self._get("/metrics").decode()
        total, failed = _TOLD.search(page), _FAILED.search(page)
        return int(float(total[1])) - int(float(failed[1])) if total and failed else 0

    @property
    def cluster_address(self) -> str:
        """Where a peer finds it."""
        peers = self.status["cluster"]["peers"]
        return str(peers[0]["address"])

    @property
    def status(self) -> Any:
        """What it says of itself."""
        return json.loads(self._get("/api/v2/status"))

    @property
    def complaints(self) -> tuple[str, ...]:
        """Say nothing: what was not taken it tries again."""
        return ()

    def fire(self, units: Iterable[str]) -> None:
        """Tell it of an alert for each unit."""
        for unit in units:
            self._began[unit] = _now()
            self._post(unit, {})

    def repeat(self, units: Iterable[str]) -> None:
        """Do nothing: it repeats by itself."""

    def resolve(self, units: Iterable[str]) -> None:
        """Tell it that each of these alerts is over."""
        for unit in units:
            self._post(unit, {"endsAt": _now()})

    def stop(self) -> None:
        """End it."""
        self._program.stop()

    def _post(self, unit: str, more: dict[str, str]) -> None:
        alert = {
            "labels": {"alertname": "UnitDown", "unit": unit, "severity": "critical"},
            "annotations": {"summary": f"{unit} is down"},
            "startsAt": self._began[unit],
            **more,
        }
        request = urllib.request.Request(
            f"http://{self.address}/api/v2/alerts",
            json.dumps([alert]).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10):
            pass

    def _is_ready(self) -> bool:
        try:
            return b"OK" in self._get("/-/ready")
        except OSError:
            return False

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://{self.address}{path}", timeout=10) as answer:
            content: bytes = answer.read()
            return content


def _now() -> str:
    return datetime.now(UTC).isoformat()
