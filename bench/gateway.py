"""What durable acceptance costs over HTTP: the gateway against the same server that stores nothing, in the same run.

Rounds of both in turn, the same load from a process of its own; the medians count, their ratio is the figure. Then
three times what the gateway took, whether it answers or not: what it turns away it must turn away at once, and what it
lets in must be answered as fast as before. Figures as they are, no bar.

    python bench/gateway.py [--seconds S] [--rounds N] [--connections N] [--json]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from loadgen import Felt, Load, put, request_of

KEY = "bench-key"
CONFIG = f"""
allow_inline_secrets = true
[store]
url = "sqlite:///bench.db"
[accounts.main]
vendor = "winnerlook"
user_code = "bench"
password = "bench"
channel = "1"
signature = "【Bench】"
insecure_http = "acknowledged"
base_url = "http://127.0.0.1:9"
[[routes]]
name = "all"
accounts = ["main"]
[gateway]
listen = "127.0.0.1:0"
[[gateway.keys]]
name = "bench"
sha256 = "{hashlib.sha256(KEY.encode()).hexdigest()}"
scopes = ["send:alert"]
"""
BODY = json.dumps({"to": ["+8613900000000"], "text": "disk full on db1", "class": "alert"}).encode()
REQUEST = request_of(
    "POST", "/v1/messages", [("Authorization", f"Bearer {KEY}"), ("Content-Type", "application/json")], BODY
)
OVER = 3
PATIENCE_S = 60
_ADDRESS = re.compile(r"http://127\.0\.0\.1:([0-9]+)")


@contextmanager
def served(home: Path, *command: str) -> Iterator[int]:
    """Run a server; yield its port once it answers."""
    log = home / f"{Path(command[-1]).name}-{time.monotonic_ns()}.log"
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, *command], cwd=home, stdout=out, stderr=out)
    try:
        yield _port(log, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)


def _port(log: Path, process: subprocess.Popen[bytes]) -> int:
    until = time.monotonic() + PATIENCE_S
    while not (found := _ADDRESS.search(log.read_text())):
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit(f"the server did not begin:\n{log.read_text()}")
        time.sleep(0.05)
    return int(found[1])


def measure(load: Load) -> Felt:
    """Put a load from a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(put, (load,))


def rounds(home: Path, args: argparse.Namespace) -> dict[str, list[Felt]]:
    """Measure both servers in turn, each alone on the machine."""
    bare = (str(Path(__file__).with_name("bare_gateway.py")), "0")
    servers = {"bare": bare, "stored": ("-m", "tocsin", "gateway")}
    felt: dict[str, list[Felt]] = {name: [] for name in servers}
    for _ in range(args.rounds):
        for name, command in servers.items():
            with served(home, *command) as port:
                load = Load(port=port, request=REQUEST, connections=args.connections, seconds=args.seconds)
                measure(Load(port=port, request=REQUEST, connections=args.connections, seconds=0.5))
                felt[name].append(measure(load))
            print(f"  {name}: {felt[name][-1].per_second(202):,.0f}/s", file=sys.stderr)
    return felt


def overload(home: Path, args: argparse.Namespace, capacity: float) -> tuple[Felt, Felt]:
    """Put as much as the gateway takes well, then three times what it can take; return what both met."""
    with served(home, "-m", "tocsin", "gateway") as port:
        calm = measure(Load(port=port, request=REQUEST, connections=512, seconds=args.seconds, rate=0.5 * capacity))
        storm = measure(Load(port=port, request=REQUEST, connections=512, seconds=args.seconds, rate=OVER * capacity))
    return calm, storm


def shown(name: str, felt: Felt) -> str:
    """Return one measurement as a line."""
    counts = ", ".join(f"{status}: {count:,}" for status, count in sorted(felt.statuses.items()))
    quantiles = "  ".join(
        f"{status} p50 {felt.quantile_ms(status, 0.5):.1f} ms p99 {felt.quantile_ms(status, 0.99):.1f} ms"
        for status in sorted(felt.statuses)
    )
    return f"{name:8} {felt.per_second(202):8,.0f} accepted/s   {quantiles}   ({counts}; unsent {felt.unsent:,})"


def main(argv: Sequence[str]) -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32, help="at a time; the gateway lets 48 in")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as directory:
        home = Path(directory)
        (home / "tocsin.toml").write_text(CONFIG, encoding="utf-8")
        felt = rounds(home, args)
        rates = {name: statistics.median(one.per_second(202) for one in found) for name, found in felt.items()}
        calm, storm = overload(home, args, rates["stored"])
    ratio = rates["stored"] / rates["bare"]
    for name, found in felt.items():
        print(shown(name, found[-1]))
    print(
        f"stored / bare, medians of {args.rounds}: {ratio:.3f} ({rates['stored']:,.0f} / {rates['bare']:,.0f} a second)"
    )
    print(shown("at half", calm))
    print(shown("3 times", storm))
    if args.json:
        print(json.dumps({"ratio": ratio, **rates}))
    return 0


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main(sys.argv[1:]))
