"""The fault matrix: a submit by the real path, through the proxy, to each vendor's sandbox, cell by cell."""

from __future__ import annotations

import ssl
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import attrs

from tocsin.config import load_config
from tocsin.model.outcome import Accepted, NotSent, Outcome, Refused, Unknown
from tocsin.model.submission import Submission
from tocsin.plugin import E164, Account
from tocsin.registry import build_registry
from tocsin.sandbox import Submit, example_config, start
from tocsin.wire.perform import perform_send
from tocsin.wire.pool import HttpTransport, Timeouts

from .faults import FAULTS
from .proxy import Phase, Proxy

VENDORS = ("winnerlook", "ipyy")

TO = E164("+8613900000000")
TEXT = "tocsin" * 10 + "【Example】"
"""Letters alone, and so many that half of either vendor's form ends among them."""

PATIENT = Timeouts(first_byte_s=10.0, total_s=15.0)
"""However busy the machine, what goes on comes to its end."""

IMPATIENT = Timeouts(first_byte_s=0.3, total_s=2.0)
"""For a peer that says nothing more."""

EXPECTED: Mapping[str, Any] = tomllib.loads(Path(__file__).with_name("expected.toml").read_text(encoding="utf-8"))
_LETTERS: Mapping[type[Outcome], str] = {Accepted: "A", Refused: "R", NotSent: "N", Unknown: "U"}


@attrs.frozen
class Cell:
    """One place of the matrix."""

    fault: str
    vendor: str
    phase: Phase

    @property
    def expected(self) -> str:
        """The letter that must come out."""
        return letters_of(self.fault, self.vendor)[self.phase]


@attrs.frozen
class Seen:
    """What came of a cell.

    Args:
        cell: which.
        outcome: of the one recipient.
        submits: what the vendor wrote into its ledger.
        asked_again: a second connection was made.
    """

    cell: Cell
    outcome: Outcome
    submits: tuple[Submit, ...]
    asked_again: bool

    @property
    def letter(self) -> str:
        """The outcome's class."""
        return _LETTERS[type(self.outcome)]

    @property
    def taken(self) -> tuple[Submit, ...]:
        """The submits that the vendor took."""
        return tuple(submit for submit in self.submits if submit.accepted)

    @property
    def is_needless(self) -> bool:
        """Whether the client knows nothing though it was told everything."""
        return self.letter == "U" and self.cell.expected == "A"

    @property
    def is_false(self) -> bool:
        """Whether the vendor's ledger, or a second connection, gives the outcome the lie."""
        match self.outcome:
            case Accepted(vendor_id):
                return self.asked_again or [submit.vendor_id for submit in self.taken] != [vendor_id]
            case NotSent() | Refused():
                return self.asked_again or bool(self.taken)
            case _:
                return self.asked_again or len(self.taken) > 1

    @property
    def is_misclassified(self) -> bool:
        """Whether it is false, or of another class than expected."""
        return self.is_false or (self.letter != self.cell.expected and not self.is_needless)

    @property
    def is_as_expected(self) -> bool:
        """Whether nothing is wrong with it."""
        return not (self.is_false or self.letter != self.cell.expected)

    def __str__(self) -> str:
        name = f"{self.cell.fault} at {self.cell.phase} before {self.cell.vendor}"
        return f"{name}: expected {self.cell.expected}, came {self.outcome!r}; the vendor took {len(self.taken)}"


class Laboratory:
    """What every cell needs, made once. Cells may be run from many threads.

    Each has a sandbox, a proxy and a connection of its own.
    """

    def __init__(self) -> None:
        registry = build_registry()
        self._plugins = registry.vendors
        self._accounts: dict[str, Account] = {}
        self._trust = ssl.create_default_context()
        for vendor in VENDORS:
            with start(vendor) as sandbox, tempfile.TemporaryDirectory() as directory:
                path = Path(directory) / "tocsin.toml"
                path.write_text(example_config([sandbox]), encoding="utf-8")
                config = load_config(path, vendors=registry.described(), environ={})
                (self._accounts[vendor],) = config.accounts.values()

    def run(self, cell: Cell) -> Seen:
        """Make one submit and compare what the client believes with what the vendor did."""
        fault = FAULTS[cell.fault]
        timeouts = IMPATIENT if fault.stalls else PATIENT
        with start(cell.vendor) as sandbox:
            port = int(sandbox.base_url.rpartition(":")[2])
            with (
                Proxy(port, cell.phase, fault) as proxy,
                closing(HttpTransport(timeouts, ssl_context=self._trust)) as transport,
            ):
                account = attrs.evolve(self._accounts[cell.vendor], base_url=proxy.url)
                submission = Submission(to=(TO,), texts=(TEXT,))
                exchange = self._plugins[cell.vendor].send(account, submission, datetime.now(UTC))
                outcome = perform_send(exchange, transport, submission.to).outcomes[TO]
                asked_again = proxy.was_called_again
        return Seen(cell, outcome, sandbox.ledger.submits, asked_again)

    def run_fault(self, fault: str) -> list[Seen]:
        """Run a fault at every phase before every vendor, side by side."""
        cells = list(cells_of(fault))
        with ThreadPoolExecutor(len(cells)) as threads:
            return list(threads.map(self.run, cells))


def cells_of(fault: str) -> Iterator[Cell]:
    """Yield the cells of one fault, in the order of the table."""
    return (Cell(fault, vendor, phase) for vendor, phase in product(VENDORS, Phase))


def letters_of(fault: str, vendor: str) -> Mapping[Phase, str]:
    """Return what is expected of one fault before one vendor."""
    return dict(zip(Phase, EXPECTED["fault"][fault][vendor].split(), strict=True))
