"""Both vendors' sandboxes, which also count what they are asked: a worker that cannot write must ask nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from tocsin.sandbox import Operation, RunningSandbox, example_config
from tocsin.sandbox.running import GROUP

NAMES = ("winnerlook", "ipyy")
_PACE = 'poll = { reports = "100ms", inbound = "300ms", balance = "1h" }'
"""Often, so that there is always a poll that a full disk forbids."""


class _Watched:
    """A vendor's site that counts its calls, and is that site in everything else."""

    def __init__(self, site: Any, calls: Counter[Operation]) -> None:
        self._site = site
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        return getattr(self._site, name)

    def read(self, request: Any) -> Any:
        call = self._site.read(request)
        self._calls[call.operation] += 1
        return call


class Vendors:
    """Both sandboxes at work.

    Attributes:
        calls: how often either was asked what.
    """

    def __init__(self, open_: ExitStack) -> None:
        self.calls: Counter[Operation] = Counter()
        self._sandboxes = [open_.enter_context(self._start(name)) for name in NAMES]
        for sandbox in self._sandboxes:
            sandbox.set_terms(balance="1000000")

    def _start(self, name: str) -> RunningSandbox:
        (found,) = entry_points(group=GROUP, name=name)
        make_site = found.load()
        return RunningSandbox(lambda desk: _Watched(make_site(desk), self.calls))

    def configure(self, home: Path, store: Path) -> Path:
        """Write a configuration for them, with a store at that place; return where it is."""
        text = example_config(self._sandboxes, f"sqlite:///{store}")
        lines = [f"{line}\n{_PACE}" if line.startswith("signature = ") else line for line in text.splitlines()]
        path = home / "tocsin.toml"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def copies(self) -> Counter[tuple[str, str]]:
        """Count what reached each phone: by number and text, the signature taken off."""
        return Counter(
            (one.number[-11:], one.text.removesuffix("【Example】"))
            for sandbox in self._sandboxes
            for one in sandbox.ledger.received
        )

    @property
    def submits(self) -> int:
        """How many submits they saw."""
        return sum(len(sandbox.ledger.submits) for sandbox in self._sandboxes)


@contextmanager
def vendors() -> Iterator[Vendors]:
    """Run both."""
    with ExitStack() as open_:
        yield Vendors(open_)
