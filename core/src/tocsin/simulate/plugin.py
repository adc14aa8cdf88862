"""The plugin of the simulated vendors, and the transport to them: the same seams that real ones have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from tocsin.model.account import Account, Capabilities, Vendor
from tocsin.model.ids import AccountId
from tocsin.model.outcome import Refused, SendResult
from tocsin.model.report import Batch, Report
from tocsin.model.submission import Submission
from tocsin.plugin import hookimpl
from tocsin.simulate.scenario import VendorPlan
from tocsin.wire.http import Exchange, HttpResponse

if TYPE_CHECKING:
    from tocsin.simulate.world import World


@attrs.frozen(kw_only=True)
class SimRequest:
    """A request to a simulated vendor."""

    account: AccountId
    kind: str
    submission: Submission | None = None
    submits: bool = False


@attrs.frozen
class SimSettings:
    """A simulated account needs nothing of its own."""


class SimPlugin:
    """A vendor's plugin whose answers are numbers: what each holds, the world knows."""

    def __init__(self, plan: VendorPlan, world: World) -> None:
        self._plan = plan
        self._world = world
        self._capabilities = Capabilities(
            max_recipients=plan.roomy, interfaces=("sim",), personalised=plan.personalised
        )

    @hookimpl
    def describe_vendor(self) -> Vendor:
        return Vendor(
            name=self._plan.name,
            title="Simulated",
            settings=SimSettings,
            base_url=None,
            capabilities=self._capabilities,
        )

    @hookimpl
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @hookimpl
    def fits(self) -> str:
        return ""

    @hookimpl
    def send(self, account: Account, submission: Submission) -> Exchange[SendResult]:
        self._world.before_request(account.id, submission)
        request = SimRequest(account=account.id, kind="send", submission=submission, submits=True)
        return Exchange(request, self._world.decode_send)

    @hookimpl
    def fetch_reports(self, account: Account) -> Exchange[Batch[Report] | Refused]:
        return Exchange(SimRequest(account=account.id, kind="reports"), self._world.decode_reports)


class SimTransport:
    """Carries requests into the world, at once; how long an answer takes is for who waits for it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def perform(self, request: SimRequest, /) -> HttpResponse:
        """Meet a request.

        Raises:
            TransportError: no answer comes.
        """
        return self._world.meet(request)

    def close(self) -> None:
        """Hold nothing, release nothing."""
