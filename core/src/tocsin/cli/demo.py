"""`tocsin demo`: the main job over real HTTP, told on a terminal, ended by the vendors' own ledgers."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import attrs
import click
from rich.console import Console
from rich.markup import escape

from tocsin.app import Tocsin
from tocsin.cli.exit import Exit
from tocsin.cli.session import shared_options
from tocsin.config import load_config
from tocsin.errors import InvalidInput
from tocsin.model.ids import AccountId
from tocsin.model.message import MessageClass
from tocsin.outbox.record import Filter
from tocsin.outbox.state import Event, State
from tocsin.policy.route import Match, Route, RuleChanges
from tocsin.receipt import Receipt
from tocsin.registry import build_registry
from tocsin.sandbox import Fault, RunningSandbox, example_config, start
from tocsin.story import tell

FIRST, SECOND = "winnerlook", "ipyy"
EVIDENCE_WAIT = timedelta(seconds=1)
"""The demo's own: the class says 8 s, and nobody wants to watch that."""


class NotAsTold(Exception):
    """The demo's story did not come true."""


@attrs.frozen(kw_only=True)
class Stage:
    """What the story is played on."""

    tocsin: Tocsin
    first: RunningSandbox
    second: RunningSandbox
    console: Console

    def say(self, text: str) -> None:
        """Narrate."""
        self.console.print(f"   {escape(text)}", highlight=False, soft_wrap=True)

    def expect(self, holds: bool, text: str) -> None:
        """Narrate what must hold, and stop where it does not."""
        mark = "[green]✓[/]" if holds else "[red]✗[/]"
        self.console.print(f"   {mark} {escape(text)}", highlight=False, soft_wrap=True)
        if not holds:
            raise NotAsTold(text)

    def send(self, text: str, *to: str, cls: MessageClass = MessageClass.ALERT) -> Receipt:
        """Send, and narrate where it went."""
        receipt = self.tocsin.deliver_now(to=to, text=text, cls=cls, source="demo")
        one = receipt.deliveries[0]
        several = f" and {len(to) - 1} more" if len(to) > 1 else ""
        self.say(f"send --now --class {cls} --to {to[0]}{several}  →  {one.state.replace('_', ' ')} via {one.account}")
        return receipt

    def state(self, receipt: Receipt) -> State:
        """Return the state of a message to one recipient."""
        return receipt.deliveries[0].state


def first_vendor(stage: Stage) -> None:
    """A message through the first vendor"""
    receipt = stage.send("disk full on db1", "13900000001")
    stage.expect(stage.state(receipt) is State.SUBMITTED, f"{FIRST} took it, and gave it an id")
    stage.expect(
        stage.first.ledger.texts_to("13900000001") == ("disk full on db1【Example】",),
        "one phone received exactly that text, signed",
    )
    _fetch(stage, FIRST)
    stage.expect(stage.state(receipt) is State.DELIVERED, "its report says delivered")


def failover(stage: Stage) -> None:
    """The first vendor goes dark"""
    stage.first.go_dark()
    receipt = stage.send("db1 does not answer", "13900000002")
    stage.first.light_up()
    stage.expect(
        receipt.deliveries[0].account == SECOND,
        f"no byte reached {FIRST}, so it was safe to move on: {SECOND} took it",
    )


def doubt_resolved(stage: Stage) -> None:
    """It accepts and drops the connection: nobody knows"""
    stage.first.inject(Fault("reset", operation="submit", when="after"))
    receipt = stage.send("replica lags by 40 s", "13900000003")
    stage.expect(
        stage.state(receipt) is State.IN_DOUBT, "refused and nobody-knows are different things: no copy is sent"
    )
    _fetch(stage, FIRST)
    stage.expect(stage.state(receipt) is State.DELIVERED, "a report resolves the doubt")
    stage.expect(_copies(stage, "13900000003") == 1, "one copy, on one phone")
    story = stage.tocsin.story(receipt.deliveries[0])
    for at, sentence in tell(story):
        stage.say(f"   {at:%H:%M:%S}  {sentence}")


def doubt_resent(stage: Stage) -> None:
    """An OTP in doubt: its class asks for another copy"""
    stage.first.reports("never", number="13900000004")
    stage.first.inject(Fault("reset", operation="submit", when="after"))
    receipt = stage.send("your code is 4711", "13900000004", cls=MessageClass.OTP)
    stage.expect(stage.state(receipt) is State.IN_DOUBT, f"in doubt; evidence may come for {EVIDENCE_WAIT.seconds} s")
    time.sleep(EVIDENCE_WAIT.total_seconds())
    stage.tocsin.resolve_doubts(receipt.id)
    one = receipt.deliveries[0]
    stage.expect(
        (one.state, one.account) == (State.SUBMITTED, SECOND), f"none came: {SECOND} gets it, as the class says"
    )


def left_out(stage: Stage) -> None:
    """Three failures in a row open its breaker"""
    receipt = stage.send("db1 is slow", "13900000005")
    stage.expect(
        receipt.deliveries[0].account == SECOND, f"{FIRST} is left out for half a minute: {SECOND} takes what comes"
    )
    parts = stage.tocsin.parts
    parts.store.accounts.resume(AccountId(FIRST), parts.clock.now())
    stage.say(f"accounts resume {FIRST}  →  who knows better lets it in again")


def many(stage: Stage) -> None:
    """A thousand recipients of one text"""
    numbers = [f"139000{index:05}" for index in range(10_000, 11_000)]
    before = len(stage.first.ledger.submits)
    receipt = stage.send("the office is closed tomorrow", *numbers, cls=MessageClass.NOTICE)
    requests = len(stage.first.ledger.submits) - before
    stage.expect(all(one.state is State.SUBMITTED for one in receipt.deliveries), "all were taken")
    stage.expect(requests == 2, f"in {requests} requests")


def reply(stage: Stage) -> None:
    """A reply comes in"""
    stage.first.reply("13900000001", "on my way")
    messages = stage.tocsin.fetch_mo(stage.tocsin.accounts(FIRST)[0])
    texts = [one.text for one in messages] if isinstance(messages, tuple) else []
    stage.expect(texts == ["on my way"], "inbox --fetch shows it; its raw bytes were durable before they were read")


ACTS: tuple[Callable[[Stage], None], ...] = (
    first_vendor,
    failover,
    doubt_resolved,
    doubt_resent,
    left_out,
    many,
    reply,
)


def reckoning(stage: Stage) -> None:
    """The vendors' own ledgers"""
    lost = unasked = asked = 0
    deliveries = stage.tocsin.deliveries(Filter())
    on_phones = _phones(stage)
    for delivery in deliveries:
        story = stage.tocsin.story(delivery)
        resends = sum(one.event is Event.RESEND for one in story.transitions)
        copies = on_phones.get((delivery.to.mainland, story.message.text + "【Example】"), 0)
        lost += copies == 0
        asked += resends
        unasked += max(0, copies - 1 - resends)
    stage.say(f"messages accepted for {len(deliveries)} recipients; copies that a class asked for: {asked}")
    stage.expect(lost == 0, f"lost {lost}")
    stage.expect(unasked == 0, f"unasked duplicates {unasked}")


def _phones(stage: Stage) -> dict[tuple[str | None, str], int]:
    counts: dict[tuple[str | None, str], int] = {}
    for sandbox in (stage.first, stage.second):
        for received in sandbox.ledger.received:
            counts[received.number, received.text] = counts.get((received.number, received.text), 0) + 1
    return counts


def _copies(stage: Stage, number: str) -> int:
    return sum(len(sandbox.ledger.texts_to(number)) for sandbox in (stage.first, stage.second))


def _fetch(stage: Stage, account: str) -> None:
    rows = stage.tocsin.fetch_reports(stage.tocsin.accounts(account)[0])
    stage.say(f"reports {account} --fetch  →  {len(rows) if isinstance(rows, tuple) else rows} rows")


@contextmanager
def _stage(console: Console) -> Iterator[Stage]:
    registry = build_registry()
    if missing := [vendor for vendor in (FIRST, SECOND) if vendor not in registry.vendors]:
        raise InvalidInput(f"the demo needs both vendors: {registry.why_not(missing[0])}")
    with (
        tempfile.TemporaryDirectory(prefix="tocsin-demo-") as directory,
        start(FIRST) as first,
        start(SECOND) as second,
    ):
        file = Path(directory) / "tocsin.toml"
        file.write_text(example_config([first, second]), encoding="utf-8")
        config = load_config(file, vendors=registry.described(), sources=registry.described_sources(), environ={})
        otp = Route(
            name="otp",
            match=Match(classes=(MessageClass.OTP,)),
            accounts=config.routes[0].accounts,
            changes=RuleChanges(evidence_wait=EVIDENCE_WAIT),
        )
        with Tocsin(attrs.evolve(config, routes=(otp, *config.routes)), registry) as tocsin:
            yield Stage(tocsin=tocsin, first=first, second=second, console=console)


@click.command()
@shared_options
def demo() -> int:
    """Tell the story: outage, doubt, reports, a reply, with both vendors' sandboxes on this machine.

    Ends with what the vendors' own ledgers say. Nothing leaves the machine, nothing stays on it.
    """
    console = Console()
    began = time.monotonic()
    try:
        with _stage(console) as stage:
            for number, act in enumerate((*ACTS, reckoning), start=1):
                console.print(f"\n[bold]{number}. {act.__doc__}[/]", highlight=False)
                act(stage)
    except NotAsTold as error:
        console.print(f"\n[bold red]The demo failed:[/] {error}", highlight=False)
        return Exit.REFUSED
    console.print(f"\n[bold green]lost 0, unasked duplicates 0[/] in {time.monotonic() - began:.1f} s", highlight=False)
    return Exit.OK
