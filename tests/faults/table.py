"""The fault matrix as a table: run and printed, or as the page of the documentation that says what is expected.

python -m tests.faults.table          run every cell and print the table; exit status 1 unless all is as expected
python -m tests.faults.table --page   write docs/reference/fault-matrix.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from .faults import FAULTS
from .matrix import EXPECTED, VENDORS, Cell, Laboratory, Seen, letters_of
from .proxy import Phase

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "fault-matrix.md"


def render_row(fault: str, seen: Iterable[Seen]) -> str:
    """Return one line of the table; `*` marks what is not as expected."""
    shown = {one.cell: f"{one.letter}{' ' if one.is_as_expected else '*'}" for one in seen}
    letters = ("".join(f"{shown[Cell(fault, vendor, phase)]:6}" for phase in Phase) for vendor in VENDORS)
    return f"{fault:18}" + "  ".join(letters)


def render_head() -> str:
    """Return the two lines above the table."""
    initials = "".join(f"{_initials(phase):6}" for phase in Phase)
    return "\n".join(
        [" " * 18 + "  ".join(f"{vendor:{len(initials)}}" for vendor in VENDORS), f"{'':18}{initials}  {initials}"]
    )


def _initials(phase: Phase) -> str:
    """`request-head` → `req-h`."""
    before, _, after = phase.partition("-")
    return f"{before[:3]}-{after[0]}" if after else before[:4]


def render_summary(seen: list[Seen]) -> str:
    """Return the line below the table."""
    misclassified = sum(one.is_misclassified for one in seen)
    needless = sum(one.is_needless for one in seen)
    size = f"{len({one.cell.fault for one in seen})} faults x {len(Phase)} phases x {len(VENDORS)} vendors"
    return f"{size}: {len(seen)} cells, misclassified {misclassified}, needless Unknown {needless}"


def render_page() -> str:
    """Return the page of the documentation: what is expected, and why."""
    rows = (f"| `{fault}` | {row['does']} | {' | '.join(_page_cells(fault))} |" for fault, row in _faults())
    reasons = (f"- `{fault}`: {row['why']}" for fault, row in _faults() if "why" in row)
    return _PAGE.format(
        faults=len(FAULTS),
        cells=len(FAULTS) * len(Phase) * len(VENDORS),
        phases="\n".join(f"| `{phase}` | {phase.meaning} |" for phase in Phase),
        head=" | ".join(f"`{phase}`" for phase in Phase),
        rule=" | ".join(":-:" for _ in Phase),
        rows="\n".join(rows),
        reasons="\n".join(reasons),
    )


def _faults() -> Iterable[tuple[str, Mapping[str, Any]]]:
    faults: Mapping[str, Mapping[str, Any]] = EXPECTED["fault"]
    return faults.items()


def _page_cells(fault: str) -> Iterator[str]:
    first, second = (letters_of(fault, vendor) for vendor in VENDORS)
    return (first[phase] if first[phase] == second[phase] else f"{first[phase]} / {second[phase]}" for phase in Phase)


_PAGE = """\
# Fault matrix

Generated from `tests/faults/expected.toml`: `make faults` runs the whole of it, `python -m tests.faults.table --page`
writes this page anew.

One submit to one recipient goes through a proxy to each vendor's sandbox, over a connection of its own. The exchange
goes well as far as the phase; then the fault strikes. The table says what tocsin must make of it. It was reasoned out
before the matrix was run, and each outcome is compared with the vendor's own ledger as well: *accepted* only where the
ledger has that very submit, *refused* and *not sent* only where it has none.

**A** accepted · **R** refused · **N** not sent · **U** unknown. Where the vendors differ: winnerlook / ipyy.
{faults} faults, {cells} cells.

| phase | how far all goes well |
| --- | --- |
{phases}

| fault | what happens | {head} |
| --- | --- | {rule} |
{rows}

## Why

Once a connection stands, the client hands its request to the kernel at once, so only a connection that never came
about proves that nothing was sent. What is damaged in a request is what the vendor reads: it may take the submit all
the same. In the middle of an answer's body its headers have gone already; only what is left of the body takes another
form.

{reasons}
"""


def main(arguments: list[str]) -> int:
    """Run the matrix, or write the page; return the exit status."""
    if arguments == ["--page"]:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(render_page(), encoding="utf-8")
        return 0
    say = partial(print, flush=True)
    laboratory = Laboratory()
    say(render_head())
    everything = []
    for fault in FAULTS:
        seen = laboratory.run_fault(fault)
        say(render_row(fault, seen))
        everything += seen
    wrong = [one for one in everything if not one.is_as_expected]
    say("", *wrong, render_summary(everything), sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
