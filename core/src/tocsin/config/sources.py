"""The `[sources.NAME]` tables: who is told of alerts, how often and in which words; beside that the kind's own keys."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

import attrs

from tocsin.config import units
from tocsin.config.hours import read_hours
from tocsin.config.secrets import SecretResolver
from tocsin.config.settings import read_settings
from tocsin.config.table import Table, present
from tocsin.model.alert import SourceKind
from tocsin.model.message import MessageClass
from tocsin.model.source import Quiet, Repeats, Resolved, Source, Storm

COMMANDS = tuple(
    SourceKind(name=name, title=title)
    for name, title in (("icinga", "Icinga 2"), ("nagios", "Nagios"), ("sendsms", "Texts, by tocsin sendsms"))
)
"""Kinds that no plugin reads: `tocsin notify` does. They are configured like any other."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MOST_SEGMENTS = 10
_MOST_MESSAGES = 1000


def read_sources(
    table: Table, known: Mapping[str, SourceKind], groups: Collection[str], secrets: SecretResolver
) -> dict[str, Source]:
    """Return the sources that can be read, and one under the name of each kind that needs no settings.

    Args:
        table: `[sources]`.
        known: kinds by name, as their plugins describe them.
        groups: names of the configured groups.
        secrets: resolves what is secret among a kind's own settings.
    """
    kinds = {kind.name: kind for kind in COMMANDS} | dict(known)
    sources = {name: source for name, kind in kinds.items() if (source := _unasked(kind)) is not None}
    for name in table.content:
        if not _NAME.fullmatch(name):
            table.note(name, "expected a name of letters, digits, '_', '-' and '.'")
        source = _read_source(name, table.table(name), kinds, groups, secrets)
        if source is not None:
            sources[name] = source
    return sources


def _unasked(kind: SourceKind) -> Source | None:
    """Return the source of a kind that nobody has configured; None where its settings cannot be left out."""
    needed = [field for field in attrs.fields(kind.settings) if field.init and field.default is attrs.NOTHING]
    return None if needed else Source(name=kind.name, kind=kind.name, settings=kind.settings())


def _read_source(
    name: str, table: Table, kinds: Mapping[str, SourceKind], groups: Collection[str], secrets: SecretResolver
) -> Source | None:
    find_kind = units.named("kind of source", kinds)
    if "kind" in table.content:
        kind = table.read("kind", find_kind)
    else:
        table.take("kind")
        kind = table.findings.parse(table.path, find_kind, name)
    given = _read_terms(table, groups) | _read_pacing(table)
    if kind is None:
        return None  # which other keys it may have is the kind's to say
    settings = read_settings(table, kind, secrets)
    table.refuse_unasked()
    return None if settings is None else Source(name=name, kind=kind.name, settings=settings, **given)


def _read_terms(table: Table, groups: Collection[str]) -> dict[str, Any]:
    """Return who is told, by what class, of what, and in which words."""
    group = units.named("group", {name: name for name in groups})
    receivers, classes = table.table("receivers"), table.table("classes")
    return present(
        {
            "cls": table.read("class", units.member(MessageClass)),
            "groups": table.read_list("groups", group, least=1),
            "receivers": {name: receivers.read_any_of(name, group) for name in receivers.content},
            "to_label": table.read("to_label", units.any_text),
            "class_label": table.read("class_label", units.any_text),
            "classes": present({name: classes.read(name, units.member(MessageClass)) for name in classes.content}),
            "resolved": table.read("resolved", units.member(Resolved)),
            "repeats": table.read("repeats", units.member(Repeats)),
            "template": table.read("template", units.template),
            "max_segments": table.read("max_segments", units.whole_number(1, _MOST_SEGMENTS)),
        }
    )


def _read_pacing(table: Table) -> dict[str, Any]:
    """Return how often it is told, and when."""
    pacing = present({"window": table.read("window", units.interval), "quiet": _read_quiet(table)})
    if table.take("storm") is not None:
        pacing["storm"] = _read_storm(table.table("storm"))
    return pacing


def _read_storm(table: Table) -> Storm | None:
    messages = table.read("messages", units.whole_number(0, _MOST_MESSAGES))
    window = table.read("window", units.interval)
    table.refuse_unasked()
    return None if messages == 0 else Storm(**present({"messages": messages, "window": window}))


def _read_quiet(table: Table) -> Quiet | None:
    if table.take("quiet") is None:
        return None
    given = table.table("quiet")
    hours = read_hours(given)
    classes = given.read_any_of("class", units.member(MessageClass))
    given.refuse_unasked()
    if "hours" not in given.content:
        given.note("hours", 'missing; expected hours such as "22:00-07:00 Asia/Shanghai"')
    build = partial(Quiet, classes=classes) if classes else Quiet
    return None if hours is None else build(hours=hours)
