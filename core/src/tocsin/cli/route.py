"""`tocsin route`: what would happen to a message, and whether the policy does what a file of cases expects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import click
from click.core import ParameterSource

from tocsin.cli.arguments import class_option, read_tags, read_time
from tocsin.cli.exit import Exit
from tocsin.cli.output import print_json, print_table
from tocsin.cli.session import Session, json_option, pass_session, shared_options
from tocsin.cli.trial import try_cases
from tocsin.delivery.whatif import Answer, Question, what_if
from tocsin.model.message import MessageClass
from tocsin.model.phone import parse_number
from tocsin.policy.decision import Later
from tocsin.policy.judge import Candidate, Judgement, Verdict
from tocsin.shown import iso
from tocsin.story import plain


@click.command()
@click.option("--to", metavar="NUMBER", help="Recipient.")
@class_option("What it would be for.")
@click.option("--text", default="test", show_default=True, help="What it would say.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="As for `send`. Repeat it.")
@click.option("--source", default="cli", show_default=True, help="Who would hand it in.")
@click.option("--at", metavar="ISO", help="When, such as 2027-01-31T08:00+08:00; now by default.")
@click.option("--test", metavar="FILE", help="Run the policy tests of that file instead; needs no store and no vendor.")
@json_option
@shared_options
@pass_session
@click.pass_context
def route(context: click.Context, session: Session, /, **options: Any) -> int:
    """Show which account would be chosen, and why not the others. Sends and stores nothing.

    Of each account it shows the text as it would leave there, in how many segments, and at what price. With --test it
    runs a file of cases through the same policy; exit 1 where one finds something else than it expects.
    """
    asked = _Asked(**options)
    if asked.test is not None:
        _refuse_others(context)
        return try_cases(session, Path(asked.test), as_json=asked.as_json)
    if asked.to is None:
        raise click.UsageError("give --to, or --test")
    with session.open() as tocsin:
        parts = tocsin.parts
        question = Question(
            to=parse_number(asked.to),
            text=asked.text,
            cls=MessageClass(asked.cls),
            tags=read_tags(asked.tags),
            source=asked.source,
            at=parts.clock.now() if asked.at is None else read_time(asked.at),
        )
        answer = what_if(parts.fleet, parts.store, question)
    if asked.as_json:
        print_json(_as_json(answer))
    else:
        _show(answer)
    return Exit.OK if answer.chosen else Exit.REFUSED


@attrs.frozen(kw_only=True)
class _Asked:
    """The command's options, as click read them."""

    to: str | None
    cls: str
    text: str
    tags: tuple[str, ...]
    source: str
    at: str | None
    test: str | None
    as_json: bool


def _refuse_others(context: click.Context) -> None:
    """Refuse what would be ignored: the cases say all of it themselves."""
    for parameter in context.command.params:
        name = str(parameter.name)
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if given and name in ("to", "cls", "text", "tags", "source", "at"):
            raise click.UsageError(f"{parameter.opts[0]} says nothing beside --test: each case has its own")


def _as_json(answer: Answer) -> dict[str, Any]:
    decision = answer.decision
    return {
        "route": answer.route.name,
        "strategy": answer.route.strategy.value,
        "account": answer.chosen[0] if answer.chosen else None,
        "accounts": list(answer.chosen),
        "why": decision.why,
        "until": iso(decision.until) if isinstance(decision, Later) else None,
        "candidates": [_candidate_json(answer, one) for one in answer.judgements],
    }


def _candidate_json(answer: Answer, judgement: Judgement) -> dict[str, Any]:
    offer, candidate = answer.offers[judgement.account], _candidate(answer, judgement)
    detail = _detail(candidate, judgement)
    return {
        "account": judgement.account,
        "verdict": judgement.verdict.value,
        **({"detail": detail} if detail else {}),
        "text": offer.text,
        "segments": candidate.segments,
        "price": None if candidate.cost is None else plain(candidate.cost),
    }


def _show(answer: Answer) -> None:
    decision = answer.decision
    who = f"through {' and '.join(answer.chosen)}" if answer.chosen else "no account"
    until = f"; asked again at {decision.until.astimezone():%H:%M:%S}" if isinstance(decision, Later) else ""
    click.echo(f"route {answer.route.name}: {who}, {decision.why}{until}")
    rows = [_row(answer, one) for one in answer.judgements]
    print_table(("account", "verdict", "detail", "segments", "price", "text"), rows, "")


def _row(answer: Answer, judgement: Judgement) -> tuple[str, ...]:
    candidate = _candidate(answer, judgement)
    return (
        judgement.account,
        judgement.verdict.replace("_", " "),
        _detail(candidate, judgement),
        str(candidate.segments),
        "" if candidate.cost is None else plain(candidate.cost),
        answer.offers[judgement.account].text,
    )


def _candidate(answer: Answer, judgement: Judgement) -> Candidate:
    return next(one for one in answer.candidates if one.account == judgement.account)


def _detail(candidate: Candidate, judgement: Judgement) -> str:
    """Say all that stands in an account's way: for good, and just now."""
    if judgement.verdict is Verdict.TRIED:
        return ""
    return "; ".join((*candidate.obstacles, *(one.why for one in candidate.closures)))
