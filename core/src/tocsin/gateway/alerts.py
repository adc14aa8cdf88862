"""`/v1/alerts/{source}` and Sachet's `/alert`: what alerting stacks post.

Stacks hear the status alone: 202 after the commit, also where nothing was news; 4xx for what they post wrongly, which
Alertmanager does not try again soon; 503 for our own trouble, which it does. Never 3xx: it would lose the body.
"""

from __future__ import annotations

from functools import partial
from urllib.parse import parse_qsl

import falcon

from tocsin import observe
from tocsin.alerting.addressing import read_query
from tocsin.config.values import GatewayKey
from tocsin.errors import InvalidInput, NotFound
from tocsin.gateway.keys import demand
from tocsin.gateway.reception import Reception
from tocsin.model.alert import AlertRequest, NotAlerts
from tocsin.model.ids import MessageId
from tocsin.model.message import MessageClass
from tocsin.model.source import Source
from tocsin.registry import SourcePlugin

MOST_BYTES = 16 * 1024 * 1024
"""Of one post: a storm of ten thousand alerts comes in one."""

MOST_FIELDS = 1000
SACHET_SPEAKS = "alertmanager"

_SECRET = frozenset({"AUTHORIZATION", "COOKIE", "PROXY-AUTHORIZATION"})
"""Headers that no plugin sees."""


class StackAlerts:
    """What a source's stack posts."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._tocsin = reception.tocsin

    def on_post(self, request: falcon.Request, response: falcon.Response, source: str = SACHET_SPEAKS) -> None:
        """Take a notification in: 202 once what comes of it is durable."""
        key = self._reception.keys.enter(request, patient=True)
        terms, plugin = self._find(source)
        body = self._reception.read(request, MOST_BYTES)
        try:
            messages = self._take(terms, plugin, _posted(request, body), key)
        except InvalidInput as error:  # the stack will not come again soon, and somebody was to be told
            observe.log.error(observe.ALARM, reason="alerts-refused", kind=terms.kind, cause=str(error))
            raise
        response.status = falcon.HTTP_202
        response.media = {"messages": list(messages)}

    def _find(self, name: str) -> tuple[Source, SourcePlugin]:
        """Return a source and its plugin.

        Raises:
            NotFound: there is none that is read here.
        """
        source = self._tocsin.alerts.source(name)
        plugin = self._tocsin.parts.fleet.registry.sources.get(source.kind)
        if plugin is None:
            raise NotFound("no source that posts is called so")
        return source, plugin

    def _take(
        self, source: Source, plugin: SourcePlugin, posted: AlertRequest, key: GatewayKey
    ) -> tuple[MessageId, ...]:
        """Return the messages that come of a post.

        Raises:
            InvalidInput: it holds no alerts, or nobody is told of any.
            falcon.HTTPForbidden: the key may not send what would come of it.
        """
        alerts = self._tocsin.alerts
        asked = read_query(posted.query, alerts.groups)
        notice = plugin.read_alerts(source.settings, posted, self._tocsin.parts.clock.now())
        if isinstance(notice, NotAlerts):
            raise InvalidInput(notice.why)
        intake = alerts.intake_of(source.name, notice, asked, partial(_demand_all, key))
        return self._reception.committer.take(intake).messages


def _demand_all(key: GatewayKey, classes: frozenset[MessageClass]) -> None:
    for cls in sorted(classes):
        demand(key, f"send:{cls.value}")


def _posted(request: falcon.Request, body: bytes) -> AlertRequest:
    """Return a request as a plugin reads it.

    Raises:
        InvalidInput: its query has too many fields.
    """
    try:
        query = tuple(parse_qsl(request.query_string, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise InvalidInput(f"expected at most {MOST_FIELDS} fields in the query") from None
    headers = tuple((name.lower(), value) for name, value in request.headers.items() if name not in _SECRET)
    return AlertRequest(headers=headers, query=query, body=body)
