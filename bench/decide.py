"""What a decision costs: against the number of accounts, and beside the judgements that it stores.

Each route has 2, 20 or 200 accounts, in three weathers: all open, all closed by a limit, and all but the last unable to
carry the message. The baseline builds the same judgements, one for each account, from the same candidates, and does
nothing else. Bar: the exponent that fits the times is at most 1.1. Processor time, so that other work on the machine
counts for little.

    python bench/decide.py [--plot FILE.svg]
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tocsin.model.ids import AccountId
from tocsin.model.message import MessageClass
from tocsin.policy.decide import decide
from tocsin.policy.judge import Bar, Candidate, Closure, Judgement, Verdict
from tocsin.policy.route import CLASS_RULES
from tocsin.policy.standing import Standing

SIZES = (2, 20, 200)
MOST_EXPONENT = 1.1
ROUNDS = 15
NOW = datetime(2026, 1, 1, tzinfo=UTC)
RULES = CLASS_RULES[MessageClass.ALERT]
STANDING = Standing(rules=RULES, expires_at=NOW + RULES.expires_after, may_wait=True)
FULL = (Closure(bar=Bar.LIMIT, until=NOW + timedelta(minutes=1), why="its messages are used up"),)


def all_open(size: int) -> tuple[Candidate, ...]:
    """Return accounts that are all free: the first is chosen."""
    return tuple(Candidate(account=AccountId(f"account-{number}")) for number in range(size))


def all_closed(size: int) -> tuple[Candidate, ...]:
    """Return accounts that are all closed for now: the decision is to wait."""
    return tuple(Candidate(account=AccountId(f"account-{number}"), closures=FULL) for number in range(size))


def last_able(size: int) -> tuple[Candidate, ...]:
    """Return accounts of which only the last can carry the message."""
    unable = (Candidate(account=AccountId(f"account-{number}"), obstacles=("too long",)) for number in range(size - 1))
    return (*unable, Candidate(account=AccountId("last")))


WEATHERS: Mapping[str, Callable[[int], tuple[Candidate, ...]]] = {
    "all open": all_open,
    "all closed": all_closed,
    "only the last able": last_able,
}


def judgements(candidates: tuple[Candidate, ...]) -> tuple[Judgement, ...]:
    """Build what a decision stores of each account, without deciding."""
    return tuple(
        Judgement(one.account, Verdict.ELIGIBLE, "; ".join(closure.why for closure in one.closures))
        for one in candidates
    )


def best_us(run: Callable[[], object], size: int) -> float:
    """Return the microseconds of one run: the best of several rounds."""
    times = max(1, 4000 // size)
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(times):
            run()
        rounds.append((time.process_time() - began) / times)
    return min(rounds) * 1e6


def exponent(sizes: Sequence[int], costs: Sequence[float]) -> float:
    """Return the slope of the straight line that fits logarithms best (least squares)."""
    xs, ys = [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    covariance = sum((one - x) * (other - y) for one, other in zip(xs, ys, strict=True))
    return covariance / sum((one - x) ** 2 for one in xs)


def measure(weather: str) -> dict[str, object]:
    """Return the costs in one weather, by size."""
    costs, baselines = [], []
    for size in SIZES:
        candidates = WEATHERS[weather](size)
        costs.append(best_us(lambda given=candidates: decide(STANDING, given, NOW), size))
        baselines.append(best_us(lambda given=candidates: judgements(given), size))
    return {
        "weather": weather,
        "decide_us": [round(cost, 2) for cost in costs],
        "judgements_us": [round(cost, 2) for cost in baselines],
        "ratio": [round(cost / baseline, 2) for cost, baseline in zip(costs, baselines, strict=True)],
        "exponent": round(exponent(SIZES, costs), 3),
    }


WIDTH, HEIGHT, MARGIN = 640, 420, 60
COLOURS = ("#0072b2", "#d55e00", "#009e73")
"""Colours that the colour-blind tell apart. source: Okabe and Ito, 2008"""


def plot(found: Sequence[Mapping[str, object]]) -> str:
    """Return an SVG of the costs, both axes logarithmic."""
    most = max(max(one["decide_us"]) for one in found)
    least = min(min(one["judgements_us"]) for one in found)

    def x(size: float) -> float:
        return round(MARGIN + (WIDTH - 4 * MARGIN) * math.log(size / SIZES[0]) / math.log(SIZES[-1] / SIZES[0]), 1)

    def y(cost: float) -> float:
        return round(HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * math.log(cost / least) / math.log(most / least), 1)

    def line(costs: Sequence[float], colour: str, dash: str = "") -> str:
        points = " ".join(f"{x(size)},{y(cost)}" for size, cost in zip(SIZES, costs, strict=True))
        return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif"'
        ' font-size="12"><rect width="100%" height="100%" fill="white"/>',
        f'<text x="{MARGIN}" y="24" font-size="15">Cost of a decision, by number of accounts (µs)</text>',
    ]
    for size in SIZES:
        parts.append(f'<text x="{x(size)}" y="{HEIGHT - MARGIN + 20}" text-anchor="middle">{size}</text>')
    for cost in (least, most):
        parts.append(f'<text x="{MARGIN - 8}" y="{y(cost)}" text-anchor="end">{cost:.1f}</text>')
    for colour, one in zip(COLOURS, found, strict=True):
        parts.append(line(one["decide_us"], colour))
        parts.append(line(one["judgements_us"], colour, ' stroke-dasharray="5 4"'))
        height = y(one["decide_us"][-1])
        words = f"{one['weather']}: n^{one['exponent']}"
        parts.append(f'<text x="{x(SIZES[-1]) + 8}" y="{height}" fill="{colour}">{words}</text>')
    parts.append(f'<text x="{MARGIN}" y="{HEIGHT - 12}">dashed: building the judgements alone</text></svg>')
    return "\n".join(parts) + "\n"


def main() -> int:
    """Measure, print, draw; return 1 where the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write the plot there, as SVG")
    asked = parser.parse_args()
    found = [measure(weather) for weather in WEATHERS]
    print(json.dumps({"accounts": SIZES, "measured": found}, indent=1, ensure_ascii=False))
    if asked.plot is not None:
        asked.plot.parent.mkdir(parents=True, exist_ok=True)
        asked.plot.write_text(plot(found), encoding="utf-8")
    worst = max(one["exponent"] for one in found)
    print(f"largest exponent {worst}, bar {MOST_EXPONENT}: {'met' if worst <= MOST_EXPONENT else 'MISSED'}")
    return 0 if worst <= MOST_EXPONENT else 1


if __name__ == "__main__":
    sys.exit(main())
