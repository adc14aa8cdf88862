"""Commands that look: `status`, `list`, `explain`; and `cancel`."""

from __future__ import annotations

import click

from tocsin.cli.exit import Exit
from tocsin.cli.output import print_json, print_table, say
from tocsin.cli.session import Session, json_option, pass_session, shared_options
from tocsin.model.phone import parse_number
from tocsin.outbox.record import Filter
from tocsin.outbox.state import State
from tocsin.shown import attempt_json, delivery_json, iso, story_json
from tocsin.story import tell


@click.command()
@click.argument("name", metavar="ID")
@json_option
@shared_options
@pass_session
def status(session: Session, name: str, as_json: bool) -> None:
    """Show where a message, or one delivery of it, stands. ID is what `send` printed."""
    with session.open() as tocsin:
        stories = [tocsin.story(delivery) for delivery in tocsin.find(name)]
    if as_json:
        first = stories[0]
        print_json(
            {
                "id": first.message.id,
                "class": first.message.cls.value,
                "accepted_at": iso(first.message.accepted_at),
                "deliveries": [
                    {**delivery_json(one.delivery), "attempts": [attempt_json(attempt) for attempt in one.attempts]}
                    for one in stories
                ],
            }
        )
        return
    rows = [
        (one.delivery.id, one.delivery.to.full, one.delivery.state.replace("_", " "), one.delivery.account or "")
        for one in stories
    ]
    print_table(("delivery", "to", "state", "account"), rows, "")


@click.command("list")
@click.option("--state", type=click.Choice([state.value for state in State]), help="Only those in that state.")
@click.option("--to", metavar="NUMBER", help="Only those to that number.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many; all by default.")
@json_option
@shared_options
@pass_session
def list_deliveries(session: Session, state: str | None, to: str | None, limit: int | None, as_json: bool) -> None:
    """List deliveries in every state, newest first."""
    wanted = Filter(
        state=None if state is None else State(state), to=None if to is None else parse_number(to), limit=limit
    )
    with session.open() as tocsin:
        deliveries = tocsin.deliveries(wanted)
    if as_json:
        print_json([delivery_json(delivery) for delivery in deliveries])
        return
    rows = [
        (one.id, one.to.full, one.state.replace("_", " "), one.account or "", iso(one.updated_at) or "")
        for one in deliveries
    ]
    print_table(("delivery", "to", "state", "account", "since"), rows, "no deliveries")


@click.command()
@click.argument("name", metavar="ID")
@json_option
@shared_options
@pass_session
def cancel(session: Session, name: str, as_json: bool) -> int:
    """Cancel what is not sent yet of a message, or one delivery of it; exit 1 where something was too late.

    A delivery in doubt that is parked can be cancelled, too: no further copy is sent.
    """
    with session.open() as tocsin:
        deliveries = tocsin.cancel(tocsin.find(name))
    late = [one for one in deliveries if one.state is not State.CANCELLED]
    if as_json:
        print_json([delivery_json(delivery) for delivery in deliveries])
    else:
        rows = [(one.id, one.to.full, one.state.replace("_", " ")) for one in deliveries]
        print_table(("delivery", "to", "state"), rows, "")
    if late:
        say(f"{len(late)} of {len(deliveries)} could not be cancelled any more")
    return Exit.REFUSED if late else Exit.OK


@click.command()
@click.argument("name", metavar="ID")
@json_option
@shared_options
@pass_session
def explain(session: Session, name: str, as_json: bool) -> None:
    """Tell the whole story of a message or delivery: every candidate, every judgement, every attempt."""
    with session.open() as tocsin:
        stories = [tocsin.story(delivery) for delivery in tocsin.find(name)]
    if as_json:
        print_json({"id": stories[0].message.id, "deliveries": [story_json(story) for story in stories]})
        return
    for story in stories:
        click.echo(f"{story.delivery.id} to {story.delivery.to.full}: {story.delivery.state.replace('_', ' ')}")
        for at, sentence in tell(story):
            click.echo(f"  {at.astimezone():%Y-%m-%d %H:%M:%S}  {sentence}")
