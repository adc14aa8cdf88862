"""What is looked at: `/v1/inbound` and `/v1/accounts`."""

from __future__ import annotations

import falcon

from tocsin.errors import NotFound
from tocsin.gateway.pages import Page, read_limit, read_whole
from tocsin.gateway.reception import Reception
from tocsin.model.ids import AccountId
from tocsin.outbox.record import StoredInbound
from tocsin.shown import inbound_json, iso
from tocsin.standing import read_standings

_NEWEST = 2**63 - 1


class Inbound:
    """`/v1/inbound`: what people wrote, the newest first."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Return a page."""
        self._reception.keys.enter(request, "read")
        limit = read_limit(request)
        before = read_whole(request, "cursor", 1, _NEWEST, _NEWEST)
        found = self._reception.tocsin.parts.store.inbound(self._account(request), before, limit + 1)
        response.media = Page.of(found, limit, lambda one: str(one[0])).as_json(_shown)

    def _account(self, request: falcon.Request) -> AccountId | None:
        name = request.get_param("account")
        if name is None:
            return None
        try:
            return self._reception.tocsin.accounts(name)[0].id
        except NotFound:
            raise NotFound("no account is called so") from None


def _shown(one: tuple[int, StoredInbound]) -> dict[str, object]:
    number, stored = one
    return {
        "id": number,
        **inbound_json(stored.account, stored.message, stored.trust),
        "received_at": iso(stored.received_at),
    }


class Accounts:
    """`/v1/accounts`: how each account stands. No vendor is asked."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Return all of them."""
        self._reception.keys.enter(request, "read")
        standings = read_standings(self._reception.tocsin.parts)
        response.media = {"items": [one.as_json() for one in standings]}
