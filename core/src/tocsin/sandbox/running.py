"""A vendor's sandbox at work: the site behind a server, with its faults, its carrier and its ledger."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from types import TracebackType
from typing import Any, Self

import attrs

from tocsin.errors import NotFound
from tocsin.sandbox.carrier import ReportMode
from tocsin.sandbox.connection import Connection
from tocsin.sandbox.fault import Fault, FaultKind, FaultPlan, When
from tocsin.sandbox.http import Answer, Request
from tocsin.sandbox.ledger import Ledger, Submit
from tocsin.sandbox.mischief import deliver
from tocsin.sandbox.server import HOST, Server
from tocsin.sandbox.site import Call, Desk, Draft, Reply, Site, Terms

GROUP = "tocsin.sandboxes"
"""Entry point group: the entry point's name is the vendor's, its object a class that makes a `Site` from a `Desk`."""


def start(vendor: str, *, port: int = 0) -> RunningSandbox:
    """Start a vendor's sandbox on 127.0.0.1; connects succeed when this returns.

    Args:
        vendor: name of an entry point of group `tocsin.sandboxes`.
        port: 0 for any free one.

    Raises:
        NotFound: no installed plugin brings a sandbox of that name.
        OSError: the port is taken.
    """
    found = next(iter(entry_points(group=GROUP, name=vendor)), None)
    if found is None:
        known = ", ".join(sorted(entry_points(group=GROUP).names)) or "none"
        raise NotFound(f"no sandbox named {vendor!r}; installed: {known}")
    return RunningSandbox(found.load(), port=port)


class RunningSandbox:
    """One vendor's side on loopback. Every method may be called from any thread.

    Args:
        make_site: a site's class.
        port: 0 for any free one.
    """

    def __init__(self, make_site: Callable[[Desk], Site], *, port: int = 0) -> None:
        self._desk = Desk()
        self._site = make_site(self._desk)
        self._desk.terms = self._site.terms
        self._plan = FaultPlan()
        self._turn = threading.Lock()
        self._server = Server(self._serve, port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<RunningSandbox {self.vendor} at {self.base_url}>"

    @property
    def vendor(self) -> str:
        """The vendor's name."""
        return self._site.vendor

    @property
    def base_url(self) -> str:
        """What an account has as its `base_url`."""
        return f"http://{HOST}:{self._server.port}"

    @property
    def account_settings(self) -> Mapping[str, str]:
        """The vendor's own fields that an account needs to talk to this sandbox."""
        return self._site.account_settings

    @property
    def ledger(self) -> Ledger:
        """What was submitted, and what phones received."""
        return self._desk.ledger

    @property
    def terms(self) -> Terms:
        """The account's terms as they stand now."""
        with self._turn:
            return self._desk.terms

    @property
    def is_dark(self) -> bool:
        """Whether connects are refused."""
        return not self._server.is_lit

    def set_terms(self, **changes: Any) -> None:
        """Change fields of `Terms`, such as `balance="0"`.

        Raises:
            ValueError: no such field, or not such a value.
        """
        unknown = sorted(set(changes) - set(attrs.fields_dict(Terms)))
        if unknown:
            raise ValueError(f"no such term: {', '.join(unknown)}")
        with self._turn:
            try:
                self._desk.terms = attrs.evolve(self._desk.terms, **changes)
            except TypeError:
                raise ValueError("a term has the wrong type") from None

    def inject(self, fault: Fault) -> None:
        """Put a fault behind those that wait already.

        Raises:
            ValueError: a shape that this vendor's answers to that operation do not have.
        """
        shapes = self._site.shapes
        if fault.kind is FaultKind.SHAPE and shapes.get(fault.setting) is not fault.operation:
            known = ", ".join(f"{shape} ({operation})" for shape, operation in shapes.items())
            raise ValueError(f"{self.vendor} has no such shape for {fault.operation}; it has {known}")
        with self._turn:
            self._plan.add(fault)

    def clear_faults(self) -> None:
        """Forget the faults that still wait."""
        with self._turn:
            self._plan.clear()

    def go_dark(self) -> None:
        """Refuse connects on the same port and drop every connection."""
        self._server.go_dark()

    def light_up(self) -> None:
        """Listen again on the same port."""
        self._server.light_up()

    def reports(self, mode: ReportMode | str, *, number: str | None = None, polls: int = 2) -> None:
        """Choose what becomes of messages accepted from now on.

        Args:
            mode: `delivered` (at the start), `failed`, `late` or `never`.
            number: for one phone only; None for all that have no mode of their own.
            polls: how many polls a `late` report misses.

        Raises:
            ValueError: no such mode, or a negative number of polls.
        """
        if polls < 0:
            raise ValueError("expected polls from 0")
        with self._turn:
            self._desk.carrier.set_mode(ReportMode(mode), number=number, polls=polls)

    def reply(self, number: str, text: str, extension: str = "") -> None:
        """Send an inbound message from a phone; it waits for the next poll."""
        with self._turn:
            self._desk.carrier.reply(number, text, extension, self._desk.now())

    def reset(self) -> None:
        """Start afresh: ledger, faults, reports, replies and terms. A dark sandbox stays dark."""
        with self._turn:
            self._plan.clear()
            self._desk.carrier.clear()
            self._desk.terms = self._site.terms
            self._desk.ledger.clear()

    def close(self) -> None:
        """Close every socket and join every thread. Safe to call twice."""
        self._server.close()

    def _serve(self, connection: Connection) -> bool:
        request = connection.read()
        if request is None:
            return False
        answer, fault = self._visit(request)
        deliver(connection, answer, fault)
        return connection.is_open and request.keep_alive

    def _visit(self, request: Request) -> tuple[Answer, Fault | None]:
        with self._turn:
            call = self._site.read(request)
            fault = self._plan.take(call.operation)
            reply = _act(call, fault)
            if call.draft is not None:
                self._enter(call.name, call.draft, reply, fault)
            return reply.answer, fault

    def _enter(self, name: str, draft: Draft, reply: Reply, fault: Fault | None) -> None:
        """Carry what was accepted to the phones, and write the submit into the ledger."""
        at = self._desk.now()
        carry = self._desk.carrier.carry
        numbers = draft.numbers if reply.accepted else ()
        reached = tuple(number for number in numbers if carry(reply.vendor_id, number, at))
        submit = Submit(
            operation=name,
            numbers=draft.numbers,
            text=draft.text,
            extension=draft.extension,
            accepted=reply.accepted,
            vendor_id=reply.vendor_id,
            code=reply.code,
            fault="" if fault is None else f"{fault.kind} {fault.position}",
            at=at,
        )
        self._desk.ledger.record(submit, reached)


def _act(call: Call, fault: Fault | None) -> Reply:
    if fault is None:
        return call.perform("")
    if fault.kind is FaultKind.CODE:
        return call.refuse(fault.setting)
    if fault.position is When.BEFORE:
        return Reply(answer=Answer())
    return call.perform(fault.setting if fault.kind is FaultKind.SHAPE else "")
