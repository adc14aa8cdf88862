"""A pair of Alertmanagers that back each other up, fed by a Prometheus with a rule over machines that a test breaks.

Called by the scenarios.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from ..waiting import until
from .alertmanager import Alertmanager
from .programs import Account, Program, require

PROGRAM = "prometheus"
PEER_TIMEOUT_S = 2
"""So long the second of the pair leaves a notification to the first."""

_SETTINGS = """\
global:
  scrape_interval: 1s
  evaluation_interval: 1s
rule_files: [rules.yml]
scrape_configs:
- job_name: machines
  static_configs:
  - targets: [{target}]
alerting:
  alertmanagers:
  - static_configs:
    - targets: {alertmanagers}
"""
_RULES = """\
groups:
- name: machines
  rules:
  - alert: UnitDown
    expr: last_over_time(unit_is_up[1m]) == 0
    labels: {severity: critical}
    annotations: {summary: "{{ $labels.unit }} is down"}
"""
"""A scrape that fails on a busy machine ends no alert: it would be a transition that really happened."""


class Machines:
    """What Prometheus looks at: a metric for each unit that was ever broken."""

    def __init__(self) -> None:
        self._up: dict[str, bool] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def page(self) -> bytes:
        """The metrics as they stand."""
        with self._lock:
            lines = [f'unit_is_up{{unit="{unit}"}} {int(up)}\n' for unit, up in self._up.items()]
        return "".join(lines).encode()

    def set(self, units: Iterable[str], up: bool) -> None:
        """Break or mend units."""
        with self._lock:
            self._up.update(dict.fromkeys(units, up))

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(machines: Machines) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = machines.page
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(page)))
            with suppress(ConnectionError):  # a Prometheus that waited too long has gone
                self.end_headers()
                self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


class Pair:
    """Two Alertmanagers, a Prometheus, and its machines.

    Args:
        home: an empty directory.
        account: who runs them.
        url: where both send their notifications.
        key: what they show there.
    """

    def __init__(self, home: Path, account: Account, url: str, key: str) -> None:
        require(PROGRAM)
        self._peers: list[Alertmanager] = []
        self._machines = Machines()
        self._prometheus: Program | None = None
        try:
            self._start(home, account, url, key)
        except BaseException:
            self.stop()
            raise

    @property
    def told(self) -> int:
        """How many notifications have been taken from both so far."""
        return sum(peer.told for peer in self._peers)

    @property
    def complaints(self) -> tuple[str, ...]:
        """Say nothing: what was not taken it tries again."""
        return ()

    def fire(self, units: Iterable[str]) -> None:
        """Break units."""
        self._machines.set(units, up=False)

    def repeat(self, units: Iterable[str]) -> None:
        """Do nothing: they repeat by themselves."""

    def resolve(self, units: Iterable[str]) -> None:
        """Mend units."""
        self._machines.set(units, up=True)

    def stop(self) -> None:
        """End all of them."""
        if self._prometheus is not None:
            self._prometheus.stop()
        for peer in self._peers:
            peer.stop()
        self._machines.close()

    def _start(self, home: Path, account: Account, url: str, key: str) -> None:
        cluster: tuple[str, ...] = (
            "--cluster.listen-address=127.0.0.1:0",
            f"--cluster.peer-timeout={PEER_TIMEOUT_S}s",
            "--cluster.settle-timeout=5s",
        )
        for name in ("first", "second"):
            self._peers.append(Alertmanager(account.make_directory(home / name), account, url, key, cluster))
            cluster = (*cluster, f"--cluster.peer={self._peers[0].cluster_address}")
        until(self._know_each_other, "both Alertmanagers know each other")
        self._start_prometheus(account.make_directory(home / "prometheus"), account)

    def _know_each_other(self) -> bool:
        clusters = [peer.status["cluster"] for peer in self._peers]
        return all(one["status"] == "ready" and len(one["peers"]) == len(self._peers) for one in clusters)

    def _start_prometheus(self, home: Path, account: Account) -> None:
        alertmanagers = json.dumps([peer.address for peer in self._peers])
        settings = _SETTINGS.format(target=json.dumps(self._machines.address), alertmanagers=alertmanagers)
        account.write(home / "rules.yml", _RULES)
        command = (
            PROGRAM,
            f"--config.file={account.write(home / 'prometheus.yml', settings)}",
            f"--storage.tsdb.path={account.make_directory(home / 'data')}",
            "--web.listen-address=127.0.0.1:0",
            "--rules.alert.resend-delay=1s",
        )
        self._prometheus = Program(command, home, account, "prometheus")
        self._prometheus.says("Server is ready to receive web requests")
