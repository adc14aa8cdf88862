"""A configured source of alerts, as values: who is told of what it says, how often, and in which words.

Holds no alert and decides nothing; `tocsin.config.sources` reads it, `tocsin.alerting` goes by it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import timedelta

import attrs

from tocsin.model.alert import NoSettings
from tocsin.model.hours import Hours
from tocsin.model.message import MessageClass
from tocsin.model.template import Template


class Resolved(enum.Enum):
    """Of which alerts people are told that they are over."""

    ALWAYS = "always"
    """Also of those that we know nothing of: what we knew may be lost."""

    TOLD = "told"
    """Of those that they were told of."""

    NEVER = "never"


class Repeats(enum.Enum):
    """What becomes of an alert that still fires, and is told again."""

    SEND = "send"
    DROP = "drop"


@attrs.frozen(kw_only=True)
class Storm:
    """When single messages give way to one that sums up: more than so many to one audience in a window.

    Args:
        messages: most single messages in the window.
        window: how long it is; what is held back is told at its end.
    """

    messages: int = attrs.field(default=10, validator=attrs.validators.ge(1))
    window: timedelta = timedelta(minutes=5)


@attrs.frozen(kw_only=True)
class Quiet:
    """Hours in which messages of some classes are held, to be told in one when the hours end.

    Args:
        hours: of the day.
        classes: that are held; all others pass.
    """

    hours: Hours
    classes: tuple[MessageClass, ...] = (MessageClass.NOTICE, MessageClass.BULK)


@attrs.frozen(kw_only=True)
class Source:
    """One `[sources.NAME]`.

    Args:
        name: as in the address that the stack posts to, and in a route's `match`.
        kind: the plugin that reads it.
        settings: the kind's own, an instance of `SourceKind.settings`.
        cls: class of its messages, where nothing else says.
        groups: who is told, where nothing else says.
        receivers: groups by the receiver that the stack's own routing chose.
        to_label: a label or an annotation of an alert that names groups or numbers; empty for none.
        class_label, classes: a label or an annotation of an alert, and the class that each of its values means.
        resolved, repeats: what is told beside what is new.
        window: within it, the same alert again is a copy; after it, a repeat.
        template: text of one alert; None for our own words.
        max_segments: most segments that one message may take.
        storm: None for never.
        quiet: None for never.
    """

    name: str
    kind: str
    settings: object = attrs.field(factory=NoSettings)
    cls: MessageClass = MessageClass.ALERT
    groups: tuple[str, ...] = ()
    receivers: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    to_label: str = "sms_to"
    class_label: str = "severity"
    classes: Mapping[str, MessageClass] = attrs.field(factory=dict)
    resolved: Resolved = Resolved.ALWAYS
    repeats: Repeats = Repeats.SEND
    window: timedelta = timedelta(minutes=10)
    template: Template | None = None
    max_segments: int = attrs.field(default=1, validator=attrs.validators.ge(1))
    storm: Storm | None = attrs.field(factory=Storm)
    quiet: Quiet | None = None
