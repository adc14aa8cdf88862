"""Makes the messages that alerts come to: their words, as long as the accounts allow, their tags, and who has a route.

Pure but for alarms in the log; `tocsin.alerting.intake` says of what, and to whom.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

import attrs

from tocsin import observe
from tocsin.alerting.addressing import Audience, Groups
from tocsin.alerting.plain import plain
from tocsin.alerting.wording import MOST_NAMED, Measure, Paper, tell
from tocsin.delivery.accept import Draft, prepare
from tocsin.delivery.fleet import Fleet
from tocsin.errors import InvalidInput, NoRoute, PluginError
from tocsin.model.alert import Alert, Notice
from tocsin.model.message import MessageClass
from tocsin.model.phone import E164
from tocsin.model.segments import SegmentRule
from tocsin.model.source import Source
from tocsin.model.template import TemplateFailed
from tocsin.outbox.record import Acceptance
from tocsin.policy.route import Traits, find_route
from tocsin.policy.signature import sign

_MOST_TAGS = 32
_LONGEST_TAG = 200


@attrs.frozen(kw_only=True)
class Desk:
    """What intakes are made with.

    Args:
        fleet: accounts, routes, middleware.
        groups: recipients by the group's name.
        draw_bits: source of ids.
    """

    fleet: Fleet
    groups: Groups
    draw_bits: Callable[[int], int]


@attrs.frozen(kw_only=True)
class Posting:
    """Makes messages of one notice."""

    notice: Notice
    source: Source
    desk: Desk

    def text(self, alerts: Sequence[Alert], cls: MessageClass, suffix: str = "") -> str:
        """Return what a message of that class says of alerts, with something behind it in any case."""
        paper = self.paper(cls)
        short = attrs.evolve(paper, measure=lambda text: paper.measure(text + suffix))
        return tell(alerts, self.notice.truncated, short, self._texts(alerts)) + suffix

    def accept(
        self, audience: Audience, text: str, tags: Mapping[str, str], now: datetime, send_at: datetime | None = None
    ) -> Acceptance:
        """Make a message to those of an audience whom a route leads to.

        Raises:
            InvalidInput: there are none, or a plugin refuses it.
        """
        fleet, to = self.desk.fleet, self._reachable(audience, text, tags, now)
        draft = Draft(to=to, text=text, cls=audience.cls, tags=tags, source=self.source.name, send_at=send_at)
        try:
            return prepare(draft, fleet.routes, fleet.registry.middleware, now=now, draw_bits=self.desk.draw_bits)
        except PluginError as error:
            raise InvalidInput(str(error)) from None

    def _reachable(self, audience: Audience, text: str, tags: Mapping[str, str], now: datetime) -> tuple[E164, ...]:
        traits = [
            Traits(cls=audience.cls, to=to, tags=tags, source=self.source.name, now=now, size=len(text))
            for to in audience.to
        ]
        found = tuple(one.to for one in traits if find_route(self.desk.fleet.routes, one) is not None)
        if not found:
            raise NoRoute(f"no route takes a message of class {audience.cls.value} from source {self.source.name}")
        if lost := len(traits) - len(found):
            observe.log.error(observe.ALARM, reason="no-route", kind=self.source.kind, count=lost)
        return found

    def paper(self, cls: MessageClass) -> Paper:
        """Return how long a message of that class may be."""
        return Paper(measure=_measure(self.desk.fleet, cls, self.source.name), most=self.source.max_segments)

    def _texts(self, alerts: Sequence[Alert]) -> dict[str, str]:
        """Return what the operator's template makes of alerts; nothing of one that does not fit it."""
        template, texts, failed = self.source.template, {}, 0
        for alert in alerts[:MOST_NAMED] if template is not None else ():
            try:
                texts[alert.fingerprint] = plain(template.render(self._values(alert))) if template is not None else ""
            except TemplateFailed:
                failed += 1
        if failed:
            observe.log.warning(observe.ALARM, reason="template-failed", kind=self.source.kind, count=failed)
        return texts

    def _values(self, alert: Alert) -> dict[str, object]:
        """Return what a template sees of an alert."""
        return {
            "status": alert.status.value,
            "name": alert.name,
            "summary": alert.summary,
            "level": alert.level,
            "labels": dict(alert.labels),
            "annotations": dict(alert.annotations),
            "starts_at": alert.starts_at,
            "ends_at": alert.ends_at,
            "receiver": self.notice.receiver,
            "source": self.source.name,
        }


def _measure(fleet: Fleet, cls: MessageClass, source: str) -> Measure:
    """Return what counts a text's segments where it takes most: through any account that may carry such a message."""
    ways = set(_ways(fleet, cls, source)) or {(SegmentRule(), "")}
    return lambda text: max(rule.count(sign(text, signature)) for rule, signature in ways)


def _ways(fleet: Fleet, cls: MessageClass, source: str) -> Iterator[tuple[SegmentRule, str]]:
    names = dict.fromkeys(
        account
        for route in fleet.routes
        if cls in (route.match.classes or (cls,)) and source in (route.match.sources or (source,))
        for account in route.accounts
    )
    for account in (fleet.accounts[name] for name in names if name in fleet.accounts):
        try:
            yield fleet.registry.plugin_for(account).capabilities(account).segments, account.signature
        except PluginError:
            continue  # it carries nothing as it is


def tags_of(notice: Notice, alerts: Sequence[Alert]) -> dict[str, str]:
    """Return what a route may look at: the labels that all alerts share, and the receiver."""
    if not alerts:
        return {}
    shared = set(alerts[0].labels.items()).intersection(*(alert.labels.items() for alert in alerts[1:]))
    fit = [(key, value) for key, value in alerts[0].labels.items() if (key, value) in shared and _is_tag(key, value)]
    return dict(fit[:_MOST_TAGS]) | ({"receiver": notice.receiver} if _is_tag("receiver", notice.receiver) else {})


def _is_tag(key: str, value: str) -> bool:
    return all(0 < len(text) <= _LONGEST_TAG and text.isprintable() for text in (key, value))
