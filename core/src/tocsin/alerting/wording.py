"""What a message says of alerts, in as few segments as it may take.

Pure and deterministic. How long a text may be is asked of whoever knows the accounts, by a function that counts the
segments of a text as it would leave. What does not fit is left out in a fixed order, and always counted: summaries
first, then the ends of names, then names.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence

import attrs

from tocsin.alerting.plain import one_line
from tocsin.model.alert import Alert, AlertStatus

Measure = Callable[[str], int]
"""Counts the segments that a text takes, signature and all, where it takes most."""

LONGEST_NAME = 40
"""Of a name in a list; what is longer ends in dots."""

MOST_NAMED = 200
"""Alerts that are looked at for a list; more would fit into no message."""

_DOTS = "..."
_NAMELESS = "an alert"
_ORDER = (AlertStatus.FIRING, AlertStatus.EVENT, AlertStatus.RESOLVED)


@attrs.frozen(kw_only=True)
class Paper:
    """How long a text may be.

    Args:
        measure: counts segments.
        most: that it may take.
    """

    measure: Measure
    most: int

    def holds(self, text: str) -> bool:
        """Say whether a text fits."""
        return self.measure(text) <= self.most


def tell(alerts: Sequence[Alert], truncated: int, paper: Paper, texts: Mapping[str, str] | None = None) -> str:
    """Return what a message says of one alert or of several.

    Args:
        alerts: at least one.
        truncated: alerts that the stack left out itself.
        paper: how long the text may be.
        texts: what an operator's template made of an alert, by its fingerprint; ours where it made nothing.
    """
    ordered = sorted(alerts, key=lambda alert: _ORDER.index(alert.status))
    own = texts or {}
    if len(ordered) == 1:
        return _tell_one(ordered[0], own.get(ordered[0].fingerprint, ""), _more(truncated), paper)
    if len(ordered) <= MOST_NAMED:
        lines = [own.get(alert.fingerprint) or _in_full(alert) for alert in ordered]
        whole = "\n".join([*lines, *([_more(truncated).strip()] if truncated else [])])
        if paper.holds(whole):
            return whole
    names = [_short(_name_of(alert)) for alert in ordered[:MOST_NAMED]]
    return _fit_list(lambda shown: _by_status(ordered, shown, truncated), names, paper)


def fit_list(head: str, names: Sequence[str], total: int, paper: Paper) -> str:
    """Return a head and as many names as fit, in their order, and how many there are beside them.

    Args:
        head: says what the names are of.
        names: some of them.
        total: how many there are.
        paper: how long the text may be.
    """
    return _fit_list(
        lambda shown: _after_head(head, shown, total), [_short(name) for name in names[:MOST_NAMED]], paper
    )


def _after_head(head: str, shown: Sequence[str], total: int) -> str:
    listed = f"{head}: {', '.join(shown)}" if shown else head
    return listed + _more(total - len(shown))


def _fit_list(write: Callable[[Sequence[str]], str], names: Sequence[str], paper: Paper) -> str:
    """Return the text with as many names as it can hold."""
    if paper.holds(write(names)):
        return write(names)
    most = _largest(len(names), lambda count: paper.holds(write(names[:count])))
    if most == 0 and names:
        cut = _largest(len(names[0]) - 1, lambda length: paper.holds(write([_cut(names[0], length)])))
        return write([_cut(names[0], cut)] if cut else [])
    return write(names[:most])


def _by_status(alerts: Sequence[Alert], names: Sequence[str], truncated: int) -> str:
    """Return the list under the words of each status, its number beside it."""
    parts, begun = [], 0
    for status in _ORDER:
        count = sum(alert.status is status for alert in alerts)
        if count:
            shown = names[begun : begun + count]
            parts.append(f"{status.value.upper()} {count}" + (f": {', '.join(shown)}" if shown else ""))
            begun += count
    return "; ".join(parts) + _more(len(alerts) - len(names) + truncated)


def _tell_one(alert: Alert, own: str, more: str, paper: Paper) -> str:
    if own:
        return _shorten(own, lambda text: text + more, paper)
    full = _in_full(alert)
    if paper.holds(full + more):
        return full + more
    name, summary = _name_of(alert), _summary_of(alert)
    if summary and paper.holds(f"{_head(alert, name)}: {_DOTS}{more}"):
        return _shorten(summary, lambda text: f"{_head(alert, name)}: {text}{more}", paper)
    return _shorten(name, lambda text: f"{_head(alert, text)}{more}", paper)


def _in_full(alert: Alert) -> str:
    name, summary = _name_of(alert), _summary_of(alert)
    return f"{_head(alert, name)}: {summary}" if summary else _head(alert, name)


def _head(alert: Alert, name: str) -> str:
    if alert.status is AlertStatus.EVENT:
        return name
    level = f" {one_line(alert.level)}" if alert.level and alert.status is AlertStatus.FIRING else ""
    return f"{alert.status.value.upper()}{level} {name}"


def _name_of(alert: Alert) -> str:
    return one_line(alert.name) or _NAMELESS


def _summary_of(alert: Alert) -> str:
    """Return the summary, without the name where it begins with it anyway."""
    summary, name = one_line(alert.summary), _name_of(alert)
    rest = summary[len(name) :]
    if summary.startswith(name) and (not rest or rest[0] in " :,"):
        return rest.lstrip(" :,")
    return summary


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else _cut(name, LONGEST_NAME - len(_DOTS))


def _shorten(text: str, write: Callable[[str], str], paper: Paper) -> str:
    """Return what is written of a text, or of the longest beginning of it that fits."""
    if paper.holds(write(text)):
        return write(text)
    return write(_cut(text, _largest(len(text) - 1, lambda length: paper.holds(write(_cut(text, length))))))


def _cut(text: str, length: int) -> str:
    """Return the beginning of a text under three dots; a letter keeps its accents, or goes with them."""
    while 0 < length < len(text) and unicodedata.combining(text[length]):
        length -= 1
    return text[:length].rstrip() + _DOTS


def _largest(most: int, fits: Callable[[int], bool]) -> int:
    """Return the largest number up to `most` that fits, where less always fits too; 0 where nothing does."""
    least = 0
    while least < most:
        middle = (least + most + 1) // 2
        if fits(middle):
            least = middle
        else:
            most = middle - 1
    return least


def _more(count: int) -> str:
    return f" +{count} more" if count else ""
