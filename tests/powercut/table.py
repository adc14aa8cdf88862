"""What the trials came to, as a table for people and as figures for programs."""

from __future__ import annotations

from collections.abc import Mapping

from .image import LOG, Moment
from .judge import Verdict
from .proof import TRIALS
from .tape import STORE, Kind, Tape
from .trial import Tally

WRONG = (Verdict.LOST, Verdict.HALF, Verdict.CORRUPT)
_WIDTHS = (8, 8, 9)


def render(tallies: Mapping[str, Tally]) -> str:
    """Return the table, and a sentence on each trial."""
    lines = [f"{'':33}{'images':>9}{'lost':>8}{'half':>8}{'corrupt':>9}"]
    for name, tally in tallies.items():
        lines.append(_row(f"control: {name}" if TRIALS[name].is_control else name, tally, None))
        if not TRIALS[name].is_control:
            lines += [_row(f"  {moment}", tally, moment) for moment in _moments(tally)]
    missing = [f"{name}: not tried, for strace cannot record it" for name in TRIALS if name not in tallies]
    return "\n".join([*lines, "", *(_sentence(name, tally) for name, tally in tallies.items()), *missing])


def _moments(tally: Tally) -> list[Moment]:
    return [moment for moment in Moment if tally.count(moment=moment)]


def _row(title: str, tally: Tally, moment: Moment | None) -> str:
    wrong = (f"{tally.count(verdict, moment=moment):>{width},}" for verdict, width in zip(WRONG, _WIDTHS, strict=True))
    return f"{title:33}{tally.count(moment=moment):>9,}{''.join(wrong)}"


def _sentence(name: str, tally: Tally) -> str:
    """Say what a trial came to, and whether it had to."""
    trial = TRIALS[name]
    wrong = tally.count(*WRONG)
    found = "nothing lost, nothing broken"
    if wrong:
        found = f"{wrong / tally.count():.1%} of the images lost or broken"
    if tally.rows_lost:
        found += f", at most {tally.rows_lost:,} acknowledged rows of one"
    lines = [f"{name}: {found}: {'as it must be' if trial.holds(tally) else 'NOT AS IT MUST BE'}"]
    if wrong and not trial.is_control:
        lines += [f"  {verdict}: {example}" for verdict, examples in tally.examples.items() for example in examples]
    return "\n".join(lines)


def count_life(tape: Tape) -> dict[str, int]:
    """Return what happened in a life, in figures."""
    return {
        "operations": len(tape.ops),
        "commits": len(tape.acknowledged),
        "checkpoints": sum(op.kind is Kind.SYNC and op.name == STORE for op in tape.ops),
        "beginnings of the log": sum(op.kind is Kind.WRITE and op.name == LOG and op.at == 0 for op in tape.ops),
        "bytes": sum(len(op.data) for op in tape.ops),
    }


def render_counts(counts: Mapping[str, object]) -> str:
    """Return names and values in one line."""
    return ", ".join(f"{name} {f'{value:,}' if isinstance(value, int) else value}" for name, value in counts.items())


def as_json(tallies: Mapping[str, Tally]) -> dict[str, object]:
    """Return the figures for a program to read."""
    return {
        name: {
            "images": tally.count(),
            **{verdict.value: tally.count(verdict) for verdict in WRONG},
            "rows_lost": tally.rows_lost,
            "moments": {moment.value: tally.count(moment=moment) for moment in _moments(tally)},
            "damage": dict(sorted(tally.damage.items())),
            "as_it_must_be": TRIALS[name].holds(tally),
        }
        for name, tally in tallies.items()
    }
