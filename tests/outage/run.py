"""An outage of an hour with a full queue: what happens then, in virtual time, with production desk, policy and store.

The only account's vendor is dark for an hour while messages are queued, each to its own phone in a request of its own.
Then it is back, and takes so many requests a second. What must hold: every message is delivered, none lost and none
twice; no more than 1.10 attempts a message; once the vendor is back the queue drains at the vendor's rate; in no second
do more requests go out than the account allows; and nothing is sent after its expiry.

    python -m tests.outage.run [--messages N] [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import attrs
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tocsin.config import Config, load_config
from tocsin.model.message import MessageClass
from tocsin.model.phone import E164
from tocsin.outbox.record import Filter
from tocsin.outbox.state import AttemptState
from tocsin.registry import Registry, build_registry
from tocsin.rehearse.reckoning import Result
from tocsin.rehearse.rehearsal import play_out
from tocsin.rehearse.scenario import Behaviour, Kind, Rhythm, Scenario, Traffic, Trouble
from tocsin.rehearse.stage import Stage
from tocsin.rehearse.staging import as_scripted

MESSAGES = 100_000
DARK_S = 3600.0
SECOND = timedelta(seconds=1)
RATE = 30
"""Requests a second: what sixteen lines can use, at the third of a second or more that an answer takes here."""
MOST_ATTEMPTS = 1.10
_PAGE = 1000
_GIVEN_BACK = (AttemptState.NOT_SENT, AttemptState.REFUSED)
LEAST_SHARE = 0.90
"""How much of the vendor's rate is used, at least, while the queue drains."""

CONFIG = f"""
allow_inline_secrets = true
[store]
url = "sqlite:///outage.db"
[accounts.main]
vendor = "winnerlook"
user_code = "demo"
password = "invented"
channel = "37"
base_url = "http://127.0.0.1:9"
insecure_http = "acknowledged"
signature = "【Example】"
price = "0.05"
limits = {{ submits = ["{RATE}/s"], max_recipients = 1 }}
[[routes]]
accounts = ["main"]
"""


@attrs.frozen(kw_only=True)
class Figures:
    """What came of it."""

    messages: int
    delivered: int
    undelivered: int
    lost: int
    unasked_copies: int
    attempts: int
    attempts_per_message: float
    while_dark: int
    turned_away: int
    most_in_a_second: int
    back_after_s: float
    drained_in_s: float
    share_of_rate: float
    sent_after_expiry: int
    took_s: float


def main(arguments: Iterable[str]) -> int:
    """Run, print, and return 1 where something does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=MESSAGES, metavar="N")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    asked = parser.parse_args(list(arguments))
    figures = outage(asked.messages)
    troubles = tuple(judge(figures))
    found = {**attrs.asdict(figures), "troubles": troubles}
    print(json.dumps(found, indent=1) if asked.json else "\n".join(f"{key}: {value}" for key, value in found.items()))
    return 1 if troubles else 0


def judge(figures: Figures) -> Iterable[str]:
    """Yield what does not hold."""
    if figures.delivered != figures.messages or figures.lost or figures.unasked_copies:
        yield f"of {figures.messages} messages {figures.delivered} were delivered, {figures.lost} lost"
    if figures.attempts_per_message > MOST_ATTEMPTS:
        yield f"{figures.attempts_per_message} attempts a message; at most {MOST_ATTEMPTS} may be"
    if figures.most_in_a_second > RATE:
        yield f"{figures.most_in_a_second} requests went out within a second; the account allows {RATE}"
    if figures.share_of_rate < LEAST_SHARE:
        share, least = f"{figures.share_of_rate:.0%}", f"{LEAST_SHARE:.0%}"
        yield f"the queue drained at {share} of the vendor's rate; at least {least} is asked"
    if figures.sent_after_expiry:
        yield f"{figures.sent_after_expiry} attempts began after their message's expiry"


def outage(messages: int) -> Figures:
    """Let it happen."""
    registry = build_registry()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tocsin-outage-") as directory:
        play = as_scripted(_config(Path(directory), registry), registry, _scenario(messages), seed=1)
        with closing(Stage(play, Path(directory))) as stage:
            result = _with_bar(stage)
            sent = list(_sent(stage))
    moments = sorted((at - play.begins).total_seconds() for at, _, _ in sent)
    spent = sorted(at for at, _, state in sent if state not in _GIVEN_BACK)
    back = [moment for moment in moments if moment >= DARK_S]
    drained_s = back[-1] - back[0] if back else 0.0
    return Figures(
        messages=messages,
        delivered=result.total.delivered,
        undelivered=result.total.undelivered,
        lost=result.total.lost,
        unasked_copies=result.total.unasked_copies,
        attempts=len(moments),
        attempts_per_message=round(len(moments) / messages, 4),
        while_dark=len(moments) - len(back),
        turned_away=sum(state is AttemptState.REFUSED for _, _, state in sent),
        most_in_a_second=_most_in_a_second(spent),
        back_after_s=round(back[0] - DARK_S, 1) if back else -1.0,
        drained_in_s=round(drained_s, 1),
        share_of_rate=round(len(back) / max(1.0, drained_s) / RATE, 3),
        sent_after_expiry=sum(at >= expires_at for at, expires_at, _ in sent),
        took_s=round(time.monotonic() - began, 1),
    )


def _config(directory: Path, registry: Registry) -> Config:
    path = directory / "tocsin.toml"
    path.write_text(CONFIG, encoding="utf-8")
    return load_config(path, vendors=registry.described(), environ={})


def _scenario(messages: int) -> Scenario:
    phones = tuple(E164(f"+86139{number:08}") for number in range(messages))
    traffic = Traffic(cls=MessageClass.ALERT, text="alert {n}", count=messages, from_s=0.0, until_s=60.0, to=phones)
    return Scenario(
        name="outage",
        title="dark for an hour, with a full queue",
        duration_s=2 * DARK_S,
        settles_s=24 * DARK_S,
        traffic=(traffic,),
        vendors={"all": Behaviour(delivers=1.0, rate=Rhythm(RATE, 1.0))},
        troubles=(Trouble(account="all", kind=Kind.DARK, from_s=0.0, until_s=DARK_S),),
    )


def _with_bar(stage: Stage) -> Result:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("outage", total=4 * DARK_S)
        return play_out(stage, lambda seconds: bar.advance(task, seconds))


def _sent(stage: Stage) -> Iterator[tuple[datetime, datetime, AttemptState]]:
    """Yield when each attempt began, when its message expired, and what became of it."""
    deliveries = stage.parts.store.deliveries(Filter())
    for start in range(0, len(deliveries), _PAGE):
        page = deliveries[start : start + _PAGE]
        history = stage.parts.store.attempts(tuple(one.id for one in page))
        for one in page:
            for attempt in history[one.id]:
                yield attempt.intended_at, one.expires_at, attempt.state


def _most_in_a_second(moments: Sequence[datetime]) -> int:
    """Return the most requests within any second that used up the account's limit. Each holds one message here.

    What was not sent or refused has given back what it used up, and another may go in its place.

    Of two that are a second apart the first is out of the window: exactly, so no time is made a float for it.
    """
    most, first = 0, 0
    for last, moment in enumerate(moments):
        while moment - moments[first] >= SECOND:
            first += 1
        most = max(most, last - first + 1)
    return most


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
