"""Thousands of requests made from the served OpenAPI document, to a served gateway: no 5xx, no undocumented answer.

schemathesis makes them, valid ones and others, and judges the answers by the document. The gateway is a process of its
own; the store behind it has something of everything, so that what is looked at is there.

    python -m tests.gateway.fuzz [--cases N] [--seed N] [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.gateway.conftest import CONFIG, KEY, keys_as_toml
from tests.gateway_process import running

from tocsin.app import Tocsin
from tocsin.model.ids import AccountId
from tocsin.model.phone import parse_vendor_number
from tocsin.model.push import Trust
from tocsin.model.report import Batch, InboundMessage
from tocsin.outbox.record import RawAnswer

CASES = 5000
_TURNS = 12
"""Hypothesis puts no request twice in a turn, and ends one early where it has nothing new."""
PUSH = 'push = { token = "invented-token", allow = ["127.0.0.0/8"] }'
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
)
OUR_TROUBLE = 503
"""Documented where it may be: too much at once. Nothing here is too much, so that it counts as a failure."""


@attrs.define
class Tally:
    """What came of the requests.

    Args:
        operations: how many each operation had.
        statuses: how often each status was answered.
        failures: what was wrong, by operation and check; one of each is kept.
    """

    operations: Counter[str] = attrs.field(factory=Counter)
    statuses: Counter[int] = attrs.field(factory=Counter)
    failures: dict[str, str] = attrs.field(factory=dict)


def seeded(home: Path) -> str:
    """Write a configuration and a store with something of everything; return a message's id."""
    config = CONFIG.replace('signature = "【Example】"', f'signature = "【Example】"\n{PUSH}')
    (home / "tocsin.toml").write_text(config + keys_as_toml(), encoding="utf-8")
    with Tocsin.from_config(home / "tocsin.toml", {}) as tocsin:
        for number in range(3):
            receipt = tocsin.send(to=["+8613900000000", "+8613900000001"], text=f"disk {number} full")
        store, now = tocsin.parts.store, datetime.now(UTC)
        raw = store.spool(RawAnswer(account=AccountId("main"), kind="inbound", trust=Trust.POLL, body=b"raw"), now)
        said = InboundMessage(sender=parse_vendor_number("13900000000"), text="ok")
        store.apply_inbound(raw, Batch(rows=(said,) * 3), now)
        return receipt.id


class Fuzz:
    """Puts requests to a gateway.

    Args:
        url: where it answers.
        message: the id of one that is there.
        told: told of each request.
    """

    def __init__(self, url: str, message: str, told: Any = lambda: None) -> None:
        self.url = url
        self.message = message
        self.told = told
        self.tally = Tally()
        self.schema = schemathesis.openapi.from_url(f"{url}/openapi.json")

    def run(self, cases: int, first_seed: int) -> Tally:
        """Put so many requests or a few more: as many to each operation that can be asked in more ways than one."""
        operations = [found.ok() for found in self.schema.get_all_operations()]
        varied = [one for one in operations if one.body or any(one.iter_parameters())]
        for operation in operations:
            self._put(operation, -(-cases // len(varied)), first_seed)
        return self.tally

    def _put(self, operation: Any, cases: int, first_seed: int) -> None:
        """Put requests to one operation until there were so many: half of them as documented, half of them not."""
        strategies = [operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode]
        for turn in range(_TURNS):
            for strategy in strategies:
                left = cases - self.tally.operations[operation.label]
                if left > 0:
                    with suppress(Unsatisfiable):  # nothing of it can be wrong
                        self._drive(operation, strategy, max(1, left // 2), first_seed + turn)

    def _drive(self, operation: Any, strategy: Any, cases: int, first_seed: int) -> None:
        @seed(first_seed)
        @settings(
            max_examples=cases,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy)
        def put(case: Any) -> None:
            self._call(operation.label, case)

        put()

    def _call(self, label: str, case: Any) -> None:
        self._steer(label, case)
        response = case.call(base_url=self.url, headers=self._headers(label), timeout=30)
        self.tally.operations[label] += 1
        self.tally.statuses[response.status_code] += 1
        self.told()
        if response.status_code == OUR_TROUBLE:
            self.tally.failures.setdefault(f"{label}: 503", response.text[:300])
        for check in CHECKS:
            try:
                case.validate_response(response, checks=[check])
            except (Failure, FailureGroup) as error:
                self.tally.failures.setdefault(f"{label}: {check.__name__}", str(error)[:1500])

    def _headers(self, label: str) -> dict[str, str]:
        """Show a key: mostly one that may do everything, now and then one that may not, none, or nonsense."""
        shown = {5: "Bearer k-read", 11: "Bearer nobody's", 17: "Basic ???", 19: ""}
        return {"Authorization": shown.get(self.tally.operations[label] % 20, f"Bearer {KEY}")}

    def _steer(self, label: str, case: Any) -> None:
        """Let half of what names something name what is there, and no stream last."""
        if "/v1/events" in label:
            case.query = {**(case.query or {}), "seconds": 0}
        if "{name}" in label and self.tally.operations[label] % 2:
            case.path_parameters = {"name": self.message}
        if "/push/" in label and self.tally.operations[label] % 2:
            case.path_parameters = {"account": "main", "token": "invented-token"}
        if "alert" in label and self.tally.operations[label] % 2:
            case.query = {"group": "oncall"}
            case.path_parameters = {"source": "alertmanager"} if case.path_parameters else case.path_parameters
        if label == "POST /v1/messages" and self.tally.operations[label] % 2 and isinstance(case.body, dict):
            left_out = ("group", "send_at", "expires_at")  # nearly all of what is made up for them is in the past
            case.body = {key: value for key, value in case.body.items() if key not in left_out}
            case.body["to"] = ["+8613900000000"]


def fuzz(cases: int, first_seed: int, told: Any = lambda: None) -> Tally:
    """Serve a gateway and put so many requests to it."""
    with tempfile.TemporaryDirectory(prefix="tocsin-fuzz-") as directory:
        home = Path(directory)
        message = seeded(home)
        with running(home, "gateway") as service:
            return Fuzz(service.url, message, told).run(cases, first_seed)


def main(argv: Sequence[str]) -> int:
    """Run it; exit 1 where an answer was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(argv)
    columns = (TextColumn("requests"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task("", total=args.cases)
        tally = fuzz(args.cases, args.seed, lambda: progress.advance(task))
    if args.json:
        print(json.dumps(attrs.asdict(tally)))
    else:
        for label, count in sorted(tally.operations.items()):
            print(f"{count:6}  {label}")
        print(f"{sum(tally.operations.values())} requests, {dict(sorted(tally.statuses.items()))}")
        for where, what in tally.failures.items():
            print(f"\nWRONG  {where}\n{what}")
        print(f"{len(tally.failures)} wrong")
    return 1 if tally.failures or sum(tally.operations.values()) < args.cases else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
