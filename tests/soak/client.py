"""A client of a soak: accepts the messages that come in on standard input, and says so on standard output.

A line of either is one JSON document: `{"key", "to", "text", "cls"}`, then `{"key", "id"}` once it is durable. Whoever
runs it may kill it at any moment, and has another one say again whatever was not acknowledged.
"""

from __future__ import annotations

import json
import sys

from tocsin import Tocsin


def main(config: str) -> None:
    """Accept until standard input ends."""
    with Tocsin.from_config(config) as tocsin:
        for line in sys.stdin:
            said = json.loads(line)
            receipt = tocsin.send(to=said["to"], text=said["text"], cls=said["cls"], idempotency_key=said["key"])
            print(json.dumps({"key": said["key"], "id": receipt.id}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
