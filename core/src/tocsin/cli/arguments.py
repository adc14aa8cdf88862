"""What stands on the command line, read into values. One bad number rejects the whole command."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import click

from tocsin.config.findings import Unfit
from tocsin.config.units import duration
from tocsin.errors import InvalidInput, InvalidNumber
from tocsin.model.message import MessageClass
from tocsin.model.phone import E164, parse_number
from tocsin.model.submission import Attachment

F = TypeVar("F", bound=Callable[..., object])

_BETWEEN = re.compile(r"[,;\s]+")


def read_recipients(
    given: Iterable[str], groups: Iterable[str], find_group: Callable[[str], tuple[E164, ...]]
) -> tuple[E164, ...]:
    """Return all recipients in the order given.

    Args:
        given: values of `--to`: a number, `@FILE` or `@-`; lists hold numbers apart by commas, blanks or line
            breaks, and comments from `#` on.
        groups: values of `--group`.
        find_group: returns the numbers of a group.

    Raises:
        InvalidInput: naming the place of everything that is no number; a list's numbers are not repeated.
    """
    numbers: list[E164] = []
    wrong: list[str] = []
    for place, text in _places(given):
        try:
            numbers.append(parse_number(text))
        except InvalidNumber:
            wrong.append(place)
    if wrong:
        shown = ", ".join(wrong[:5]) + (f" and {len(wrong) - 5} more" if len(wrong) > 5 else "")
        raise InvalidInput(f"not a phone number: {shown}; expected +, country code and number, or 11 mainland digits")
    for name in groups:
        numbers.extend(find_group(name))
    if not numbers:
        raise InvalidInput("nobody to send to: give --to or --group")
    return tuple(numbers)


def read_tags(tags: tuple[str, ...]) -> dict[str, str]:
    """Return the pairs of `--tag KEY=VALUE`."""
    pairs = [tag.partition("=") for tag in tags]
    if wrong := [key for key, equals, _ in pairs if not (key and equals)]:
        raise click.UsageError(f"--tag {wrong[0]}: expected KEY=VALUE")
    return {key: value for key, _, value in pairs}


def read_time(text: str) -> datetime:
    """Return the time of `--at`; one without a zone is in the machine's own."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"--at {text}: expected a time such as 2027-01-31T08:00+08:00") from None
    return moment.astimezone(UTC)


def read_duration(option: str, text: str) -> float:
    """Return the duration that an option gives, in seconds."""
    try:
        return duration(text).total_seconds()
    except Unfit:
        raise click.UsageError(f"{option} {text}: expected a duration such as 30s or 5m") from None


def read_attachment(name: str) -> Attachment:
    """Return the file of `--attach`."""
    try:
        return Attachment(Path(name).name, Path(name).read_bytes())
    except OSError as error:
        raise InvalidInput(f"--attach {name}: {error.strerror}") from None


def _places(given: Iterable[str]) -> Iterable[tuple[str, str]]:
    """Yield where each number stands, and its text."""
    for position, value in enumerate(given, start=1):
        if not value.startswith("@"):
            yield f"--to number {position}", value
            continue
        name = value[1:]
        for line_number, line in enumerate(_lines(name), start=1):
            for text in _BETWEEN.split(line.split("#", 1)[0].strip()):
                if text:
                    yield f"{'standard input' if name == '-' else name} line {line_number}", text


def _lines(name: str) -> list[str]:
    try:
        with click.open_file(name, encoding="utf-8-sig") as file:
            return list(file)
    except OSError as error:
        raise InvalidInput(f"--to @{name}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise InvalidInput(f"--to @{name}: expected UTF-8 text") from None


def class_option(words: str) -> Callable[[F], F]:
    """Return what gives a command `--class`, with those words of help."""
    classes = click.Choice([cls.value for cls in MessageClass])
    return click.option("--class", "cls", type=classes, default=MessageClass.ALERT.value, show_default=True, help=words)
