"""Vendors' sandboxes: their side of the wire as real HTTP servers on loopback, written from their documents.

    with start("winnerlook") as vendor:
        vendor.inject(Fault("reset", when="after"))   # the next submit is taken, and its answer lost
        ...                                           # talk to vendor.base_url with vendor.account_settings
        assert vendor.ledger.copies("13900000000", "disk full【Example】") == 1

The ledger holds the truth: which submits were seen, and what each phone received. `start_control` offers the same
over HTTP, `example_config` renders a `tocsin.toml` for what runs.

Called by `tocsin sandbox`, `tocsin demo` and tests. A vendor's own part is a `Site` (see `tocsin.sandbox.site`) in the
vendor's plugin. Nothing here, nor in a site, may share code with a codec or with the rest of tocsin: a mistake made on
both ends of a wire would be invisible.

Inside: `http` and `connection` (bytes), `server` (sockets and threads), `fault` and `mischief` (what goes wrong),
`carrier` (reports and replies), `push` (the vendor's own requests), `ledger` (the truth), `terms` and `site` (the
contract), `aspnet`, `codepage`, `soap` and `wsdl` (manners that both vendors' web servers share), `running` (all of it
at work), `control`, `example`.
"""

from __future__ import annotations

from tocsin.sandbox.carrier import ReportMode
from tocsin.sandbox.control import RunningControl, start_control
from tocsin.sandbox.example import example_config
from tocsin.sandbox.fault import Fault, FaultKind, Operation, When
from tocsin.sandbox.ledger import Attachment, Ledger, Page, Received, Submit
from tocsin.sandbox.push import Post, Push
from tocsin.sandbox.running import RunningSandbox, start
from tocsin.sandbox.terms import Terms

__all__ = [
    "Attachment",
    "Fault",
    "FaultKind",
    "Ledger",
    "Operation",
    "Page",
    "Post",
    "Push",
    "Received",
    "ReportMode",
    "RunningControl",
    "RunningSandbox",
    "Submit",
    "Terms",
    "When",
    "example_config",
    "start",
    "start_control",
]
