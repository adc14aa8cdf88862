"""A vendor's sandbox at work: the site behind a server, with its faults, its carrier and its ledger."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from importlib.metadata import entry_points
from types import TracebackType
from typing import Any, Self, TypeVar

import attrs

from tocsin.errors import NotFound
from tocsin.sandbox.carrier import DeliveryReport, PhoneReply, ReportMode
from tocsin.sandbox.connection import Connection
from tocsin.sandbox.fault import Fault, FaultKind, FaultPlan, When
from tocsin.sandbox.http import Answer, Request
from tocsin.sandbox.ledger import Ledger, Received, Submit
from tocsin.sandbox.mischief import deliver
from tocsin.sandbox.push import Post, Push, Target
from tocsin.sandbox.server import HOST, Server
from tocsin.sandbox.site import Call, Desk, Draft, Reply, Site
from tocsin.sandbox.terms import Terms

_News = TypeVar("_News", tuple[DeliveryReport, ...], tuple[PhoneReply, ...])

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
        self._desk.reset(self._site.terms)
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
        """The vendor's own fields that an account needs to talk to this sandbox now."""
        with self._turn:
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

    def push_reports(self, url: str, *, form: str = "") -> tuple[Post, ...]:
        """Post the reports that wait to a customer, as often as the vendor would; they are handed out by it.

        Args:
            url: `http://…`
            form: a name of `push_forms`; empty for the usual one.

        Returns:
            Every try, with the customer's answer; empty where no report waits.

        Raises:
            ValueError: no such form, or no such URL.
        """
        target, write = Target(url), _writer(self._site.pushing.reports, form)
        with self._turn:
            reports = self._desk.carrier.take_reports()
        return target.deliver(write(reports), self._site.pushing) if reports else ()

    def push_replies(self, url: str, *, form: str = "") -> tuple[Post, ...]:
        """Post the replies that wait to a customer: see `push_reports`."""
        target, write = Target(url), _writer(self._site.pushing.replies, form)
        with self._turn:
            replies = self._desk.carrier.take_replies()
        return target.deliver(write(replies), self._site.pushing) if replies else ()

    @property
    def push_forms(self) -> Mapping[str, tuple[str, ...]]:
        """In which forms this vendor may push `reports` and `replies`, the usual one first."""
        pushing = self._site.pushing
        return {"reports": tuple(pushing.reports), "replies": tuple(pushing.replies)}

    def advance(self, seconds: float) -> None:
        """Set the vendor's clock forward, or back where negative."""
        with self._turn:
            self._desk.advance(timedelta(seconds=seconds))

    def reset(self) -> None:
        """Start afresh: ledger, faults, reports, replies, clock and terms. A dark sandbox stays dark."""
        with self._turn:
            self._plan.clear()
            self._desk.reset(self._site.terms)

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
        submit = Submit(
            **attrs.asdict(draft, recurse=False),
            operation=name,
            accepted=reply.accepted,
            vendor_id=reply.vendor_id,
            code=reply.code,
            fault="" if fault is None else f"{fault.kind} {fault.position}",
            at=self._desk.now(),
        )
        messages = zip(draft.numbers, draft.text_of_each, strict=True) if reply.accepted else ()
        carry = self._desk.carrier.carry
        reached = [_arrived(submit, *message) for message in messages if carry(submit.vendor_id, message[0], submit.at)]
        self._desk.ledger.record(submit, tuple(reached))


def _arrived(submit: Submit, number: str, text: str) -> Received:
    return Received(
        number=number,
        text=text,
        subject=submit.subject,
        attachments=submit.attachments,
        vendor_id=submit.vendor_id,
        extension=submit.extension,
        at=submit.at,
    )


def _writer(forms: Mapping[str, Callable[[_News], Push]], form: str) -> Callable[[_News], Push]:
    name = form or next(iter(forms))
    if name not in forms:
        raise ValueError(f"no such form of a push; expected {', '.join(forms)}")
    return forms[name]


def _act(call: Call, fault: Fault | None) -> Reply:
    if fault is None:
        return call.perform("")
    if fault.kind is FaultKind.CODE:
        return call.refuse(fault.setting)
    if fault.position is When.BEFORE:
        return Reply(answer=Answer())
    return call.perform(fault.setting if fault.kind is FaultKind.SHAPE else "")
