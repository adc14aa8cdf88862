"""Who is told of an alert, and by what class: the request says, else the alert, else its receiver, else the source.

Pure. A name that an alert gives and nobody knows costs nobody their message: the source's own groups are told beside
those that are known, and the caller raises an alarm.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping

import attrs

from tocsin.errors import InvalidInput, InvalidNumber
from tocsin.model.alert import Alert, Notice
from tocsin.model.message import MessageClass
from tocsin.model.phone import E164, parse_number
from tocsin.model.push import Pairs
from tocsin.model.source import Source

Groups = Mapping[str, tuple[E164, ...]]

_DIGITS = re.compile(r"[1-9][0-9]*")
_MAINLAND = re.compile(r"1[3-9][0-9]{9}")
_BETWEEN = re.compile(r"[,;\s]+")
_MOST_NAMES = 1000


@attrs.frozen(kw_only=True)
class Asked:
    """What whoever hands alerts in says of whom to tell. Empty and None say nothing.

    Args:
        groups: names of groups.
        to: numbers.
        cls: of the messages.
    """

    groups: tuple[str, ...] = ()
    to: tuple[E164, ...] = ()
    cls: MessageClass | None = None

    @property
    def digest(self) -> str:
        """A name for what is said, under which nobody reads a number; empty where nothing is."""
        if self == Asked():
            return ""
        return _digest([*sorted(self.groups), *sorted(one.full for one in self.to), self.cls.value if self.cls else ""])


NOTHING_ASKED = Asked()


@attrs.frozen(kw_only=True)
class Audience:
    """Who gets one message.

    Args:
        cls: of the message.
        to: at least one, in order, none twice.
    """

    cls: MessageClass
    to: tuple[E164, ...]

    @property
    def digest(self) -> str:
        """A name for it, under which nobody reads a number; the order of recipients does not matter."""
        return _digest([self.cls.value, *sorted(one.full for one in self.to)])


@attrs.frozen(kw_only=True)
class Addressed:
    """Alerts by who is told of them.

    Args:
        audiences: each with its alerts, in order.
        unknown: names and numbers in alerts that nobody knows.
        nobody: alerts that nobody is told of.
    """

    audiences: Mapping[Audience, tuple[Alert, ...]]
    unknown: int = 0
    nobody: int = 0

    @property
    def classes(self) -> frozenset[MessageClass]:
        """The classes of the messages that may come of it."""
        return frozenset(audience.cls for audience in self.audiences)


def read_query(query: Pairs, groups: Groups) -> Asked:
    """Return what a request's query says: `group` and `to`, as often as wanted, and `class`.

    A `+` in a query is a blank: a number that begins with a blank began with a plus.

    Raises:
        InvalidInput: a group is not there, a number is none, a class is none.
    """
    named: list[str] = []
    numbers: list[E164] = []
    for text in (text for key, text in query if key == "group"):
        named += [_known_group(name, groups) for name in _split(text)]
    for word in (word for key, text in query if key == "to" for word in _words_of_query(text)):
        if word in groups:
            named.append(word)
        else:
            numbers.append(_number(word))
    return Asked(groups=tuple(dict.fromkeys(named)), to=tuple(dict.fromkeys(numbers)), cls=_class(query))


def address(notice: Notice, source: Source, asked: Asked, groups: Groups) -> Addressed:
    """Return who is told of each alert of a notice.

    Raises:
        InvalidInput: nobody is told of any, or what is asked for names a group that is not there.
    """
    demanded = (*(number for name in asked.groups for number in groups[_known_group(name, groups)]), *asked.to)
    default = _members(source.receivers.get(notice.receiver, source.groups), groups)
    audiences: dict[Audience, list[Alert]] = {}
    unknown = nobody = 0
    for alert in notice.alerts:
        to, strangers = (demanded, 0) if demanded else _of_alert(alert, source, default, groups)
        unknown += strangers
        if not to:
            nobody += 1
            continue
        cls = asked.cls or _class_of(alert, source)
        audiences.setdefault(Audience(cls=cls, to=tuple(dict.fromkeys(to))), []).append(alert)
    if not audiences:
        raise InvalidInput(_nobody(source))
    return Addressed(
        audiences={who: tuple(alerts) for who, alerts in audiences.items()}, unknown=unknown, nobody=nobody
    )


def _of_alert(alert: Alert, source: Source, default: tuple[E164, ...], groups: Groups) -> tuple[tuple[E164, ...], int]:
    """Return who is told by what the alert itself names, and how many of its names nobody knows."""
    words = _split(_said(alert, source.to_label))[:_MOST_NAMES]
    if not words:
        return default, 0
    found: list[E164] = []
    strangers = 0
    for word in words:
        if word in groups:
            found += groups[word]
            continue
        try:
            found.append(parse_number(word))
        except InvalidNumber:
            strangers += 1
    return (*found, *(default if strangers else ())), strangers


def _class_of(alert: Alert, source: Source) -> MessageClass:
    return source.classes.get(_said(alert, source.class_label), source.cls)


def _said(alert: Alert, name: str) -> str:
    """Return what a label or an annotation says; empty where there is neither."""
    return (alert.labels.get(name) or alert.annotations.get(name) or "") if name else ""


def _members(names: Iterable[str], groups: Groups) -> tuple[E164, ...]:
    return tuple(number for name in names for number in groups.get(name, ()))


def _known_group(name: str, groups: Groups) -> str:
    if name not in groups:
        raise InvalidInput("group: expected the name of a configured group")
    return name


def _number(word: str) -> E164:
    try:
        return parse_number(word)
    except InvalidNumber:
        raise InvalidInput("to: expected numbers or the names of groups, separated by commas") from None


def _class(query: Pairs) -> MessageClass | None:
    given = {text for key, text in query if key == "class"}
    if not given:
        return None
    try:
        (word,) = given
        return MessageClass(word)
    except ValueError:
        raise InvalidInput(f"class: expected one of {', '.join(MessageClass)}") from None


def _words_of_query(text: str) -> Iterator[str]:
    """Yield what a query's value names, with the plus before a number that became a blank on its way."""
    for place, part in enumerate(text.split(",")):
        words = part.split()
        if words and part[0] == " " and _DIGITS.fullmatch(words[0]):
            if place and _MAINLAND.fullmatch(words[0]):  # a plus, or a blank? It would be somebody else's number
                raise InvalidInput("to: expected numbers separated by commas alone, each + written as %2B")
            words[0] = f"+{words[0]}"
        yield from words


def _split(text: str) -> list[str]:
    return [word for word in _BETWEEN.split(text) if word]


def _nobody(source: Source) -> str:
    wanted = f"a label {source.to_label}, " if source.to_label else ""
    return (
        f"nobody is told: expected ?group=… or ?to=…, {wanted}"
        f"or groups or receivers in [sources.{source.name}] of the configuration"
    )


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
