"""The stories in which a worker is killed: what is accepted, what the vendors do, and how it ends where nobody dies.

One line of a story is one fault, one message or one event; the worker and everything else in it is real.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from tocsin.delivery.lines import LINES
from tocsin.sandbox import Fault

from .worker_life import LEAP, TERMINATE
from .worker_vendors import VENDORS

FIRST, SECOND = VENDORS


@attrs.frozen(kw_only=True)
class Said:
    """One message to accept.

    Args:
        to: the last digits of each recipient.
        later: how long after acceptance it is to be sent; None for at once.
    """

    to: tuple[int, ...] = (1,)
    text: str = "disk full on db1"
    cls: str = "alert"
    later: timedelta | None = None

    def arguments(self) -> dict[str, Any]:
        """Return what `Tocsin.send` takes."""
        send_at = None if self.later is None else datetime.now(UTC) + self.later
        return {"to": [number(one) for one in self.to], "text": self.text, "cls": self.cls, "send_at": send_at}


def number(last: int) -> str:
    """Return an invented number."""
    return f"139{last:08}"


@attrs.frozen(kw_only=True)
class Scenario:
    """One story.

    Args:
        said: what is accepted before the first life.
        vendors: what is ordered of each vendor: method and arguments.
        route: lines of the one route, beside its name and accounts.
        accounts: of the route.
        more: further TOML, behind the route.
        events, holds: see `worker_life.Order`. An event that is asked of the ground happens once, in whichever life
            comes so far.
        before: boundaries at which earlier lives died, before the one whose boundaries count.
        arguments: of the worker's command.
        ends: how often each state stands in the end where nobody is killed.
        copies: how many copies phones have then.
    """

    said: tuple[Said, ...] = (Said(),)
    vendors: Mapping[str, tuple[tuple[Any, ...], ...]] = attrs.field(factory=dict)
    route: str = 'evidence_wait = "200ms"'
    accounts: tuple[str, ...] = VENDORS
    more: str = ""
    events: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    holds: Mapping[str, str] = attrs.field(factory=dict)
    before: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ("worker",)
    ends: Mapping[str, int]
    copies: int = 1

    @property
    def polls(self) -> bool:
        """Whether the worker polls anybody."""
        return "--drain" not in self.arguments


def _faults(*faults: Fault) -> tuple[tuple[Any, ...], ...]:
    return tuple(("inject", fault) for fault in faults)


_LOST = Fault("reset", operation="submit", when="after")
"""The vendor takes it, and nobody hears that it did."""

_SILENT = ("reports", "never")
_TO_LINE = f"line {FIRST}: exchange: before #1"
_DARK = (("go_dark",),)

SCENARIOS: Mapping[str, Scenario] = {
    "plain": Scenario(ends={"delivered": 1}),
    "failover": Scenario(
        vendors={FIRST: _faults(Fault("code", value="-3", times=None))},
        ends={"delivered": 1},
    ),
    "unreachable": Scenario(vendors={FIRST: _DARK}, ends={"delivered": 1}),
    "rounds": Scenario(
        vendors={FIRST: _DARK, SECOND: _DARK},
        events={"loop: close-out: after commit #1": ("light",)},
        ends={"delivered": 1},
    ),
    "refused": Scenario(
        vendors={
            FIRST: _faults(Fault("code", value="-3", times=None)),
            SECOND: _faults(Fault("code", value="1005", times=None)),
        },
        ends={"failed": 1},
        copies=0,
    ),
    "split": Scenario(
        said=(Said(to=(1, 2, 3, 4)),),
        vendors={FIRST: (("set_terms", {"blocked": [number(3)]}),)},
        ends={"delivered": 3, "failed": 1},
        copies=3,
    ),
    "together": Scenario(
        said=(Said(to=(1, 2)), Said(to=(3,)), Said(to=(4, 5), text="disk full on db2", cls="otp")),
        ends={"delivered": 5},
        copies=5,
    ),
    "doubt-resent": Scenario(
        said=(Said(cls="otp"),),
        vendors={FIRST: (*_faults(_LOST), _SILENT)},
        ends={"delivered": 1},
        copies=2,
    ),
    "doubt-parked": Scenario(
        said=(Said(cls="notice"),),
        vendors={FIRST: (*_faults(_LOST), _SILENT)},
        ends={"parked": 1},
    ),
    "doubt-group": Scenario(
        said=(Said(to=(1, 2, 3)),),
        vendors={FIRST: _faults(_LOST)},
        route='evidence_wait = "20s"',
        ends={"delivered": 3},
        copies=3,
    ),
    "undelivered-next": Scenario(vendors={FIRST: (("reports", "failed"),)}, ends={"delivered": 1}),
    "undelivered-stop": Scenario(
        said=(Said(cls="notice"),),
        vendors={FIRST: (("reports", "failed"),)},
        ends={"undelivered": 1},
        copies=0,
    ),
    "undelivered-both": Scenario(
        vendors={FIRST: (("reports", "failed"),), SECOND: (("reports", "failed"),)},
        ends={"undelivered": 1},
        copies=0,
    ),
    "silence-next": Scenario(
        said=(Said(cls="critical"),),
        vendors={FIRST: (_SILENT,), SECOND: (_SILENT,)},
        route='evidence_wait = "200ms"\nreport_timeout = "300ms"',
        ends={"submitted": 1},
        copies=2,
    ),
    "scheduled": Scenario(said=(Said(later=timedelta(milliseconds=700)),), ends={"delivered": 1}),
    "expiry": Scenario(
        vendors={FIRST: _DARK, SECOND: _DARK},
        route='evidence_wait = "200ms"\nexpires_after = "600ms"',
        ends={"expired": 1},
        copies=0,
    ),
    "cancel": Scenario(
        said=(Said(later=timedelta(hours=1)), Said(to=(2,))),
        events={f"poll {FIRST}: exchange: before #1": ("cancel",)},
        ends={"cancelled": 1, "delivered": 1},
    ),
    "pages": Scenario(
        accounts=(SECOND,),
        vendors={SECOND: (("submit_elsewhere", 4000),)},
        ends={"delivered": 1},
    ),
    "cut-answer": Scenario(
        said=(Said(to=(1, 2, 3, 4, 5, 6)),),
        vendors={FIRST: _faults(Fault("truncated", operation="reports"))},
        ends={"delivered": 2, "submitted": 4},
        copies=6,
    ),
    "cut-unnoticed": Scenario(
        said=(Said(to=(1, 2, 3, 4, 5, 6)),),
        vendors={FIRST: _faults(Fault("truncated-close", operation="reports"))},
        ends={"delivered": 2, "submitted": 4},
        copies=6,
    ),
    "unreadable": Scenario(
        vendors={FIRST: _faults(Fault("garbage", operation="reports"), Fault("garbage", operation="inbound"))},
        ends={"submitted": 1},
    ),
    "poll-refused": Scenario(
        vendors={FIRST: _faults(Fault("code", operation="reports", value="-3"))},
        ends={"submitted": 1},
    ),
    "poll-lost": Scenario(
        vendors={FIRST: _faults(Fault("reset", operation="reports", when="after"))},
        ends={"submitted": 1},
    ),
    "inbound": Scenario(
        vendors={vendor: (("reply", number(1), "on my way"), ("reply", number(2), "so am I")) for vendor in VENDORS},
        ends={"delivered": 1},
    ),
    "overtaken": Scenario(
        events={f"poll {FIRST}: exchange: before #1": ("wait for submit",)},
        holds={f"line {FIRST}": f"poll {FIRST}: end-poll: after commit #1", f"early poll {FIRST}": _TO_LINE},
        ends={"delivered": 1},
    ),
    "terminated": Scenario(
        said=(Said(to=tuple(range(1, LINES + 3))),),
        vendors={FIRST: (_SILENT,)},
        more=f"[accounts.{FIRST}.limits]\nmax_recipients = 1\n",
        events={_TO_LINE: (TERMINATE,)},
        ends={"submitted": LINES, "queued": 2},
        copies=LINES,
    ),
    "drained": Scenario(arguments=("worker", "--drain"), ends={"submitted": 1}),
    "recovered": Scenario(
        said=(Said(), Said(to=(2,), text="disk full on db2"), Said(to=(3,), cls="notice")),
        more=f"[accounts.{FIRST}.limits]\nmax_recipients = 1\n",
        before=(_TO_LINE,),
        ends={"delivered": 2, "parked": 1},
        copies=2,
    ),
    "kept-up": Scenario(
        events={_TO_LINE: ("somebody else dies", LEAP)},
        holds={f"line {FIRST}": "loop: renew: after commit #1"},
        ends={"delivered": 2},
        copies=2,
    ),
}
