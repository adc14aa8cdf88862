"""Both vendors' sandboxes in a process of their own, steered over a pipe: who forks must have no threads.

Called by the ground that crash runs stand on.
"""

from __future__ import annotations

import multiprocessing
import signal
import urllib.parse
import urllib.request
from contextlib import ExitStack
from multiprocessing.connection import Connection
from typing import Any

from tocsin.sandbox import Page, RunningSandbox, example_config, start

VENDORS = ("winnerlook", "ipyy")

_FORK = multiprocessing.get_context("fork")
_MOST_IN_A_SUBMIT = 1000


class Vendors:
    """The process, from this side. It ends with its pipe."""

    def __init__(self) -> None:
        self._pipe, theirs = _FORK.Pipe()
        self._process = _FORK.Process(target=_serve, args=(theirs, self._pipe), daemon=True)
        self._process.start()
        theirs.close()
        self.config: str = self._ask("", "config")

    def __call__(self, vendor: str, method: str, *arguments: Any, **named: Any) -> Any:
        """Call a method of a vendor's `RunningSandbox`, or one of this module's own."""
        return self._ask(vendor, method, *arguments, **named)

    def reset(self) -> None:
        """Start afresh; whatever was still under way is over when this returns."""
        for vendor in VENDORS:
            for step in ("go_dark", "reset", "light_up"):
                self._ask(vendor, step)

    def ledgers(self) -> dict[str, Page]:
        """Return each vendor's ledger, once nothing is under way any more. The vendors are dark afterwards."""
        for vendor in VENDORS:
            self._ask(vendor, "go_dark")
        return {vendor: self._ask(vendor, "page") for vendor in VENDORS}

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join()

    def _ask(self, vendor: str, method: str, *arguments: Any, **named: Any) -> Any:
        self._pipe.send((vendor, method, arguments, named))
        fine, answer = self._pipe.recv()
        if not fine:
            raise RuntimeError(f"{vendor}.{method}: {answer}")
        return answer


def _serve(pipe: Connection, other_end: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ends with its pipe, not before those who use it
    other_end.close()
    with ExitStack() as stack:
        sandboxes = {vendor: stack.enter_context(start(vendor)) for vendor in VENDORS}
        while True:
            try:
                vendor, method, arguments, named = pipe.recv()
            except EOFError:
                return
            try:
                answer = True, _do(sandboxes, vendor, method, *arguments, **named)
            except Exception as error:  # noqa: BLE001 (told to whoever asked)
                answer = False, f"{type(error).__name__}: {error}"
            pipe.send(answer)


def _do(sandboxes: dict[str, RunningSandbox], vendor: str, method: str, *arguments: Any, **named: Any) -> Any:
    if method == "config":
        return example_config(sandboxes.values())
    sandbox = sandboxes[vendor]
    if method == "page":
        return sandbox.ledger.page
    if method == "wait_for_submits":
        (count,) = arguments
        return sandbox.ledger.wait_until(lambda page: len(page.submits) >= count, timeout_s=2)
    if method == "submit_elsewhere":
        return _submit_elsewhere(sandbox, *arguments)
    return getattr(sandbox, method)(*arguments, **named)


def _submit_elsewhere(sandbox: RunningSandbox, count: int) -> None:
    """Have other software send so many messages through the same ipyy account: their reports are in our polls."""
    settings = sandbox.account_settings
    login = {"userid": settings["user_id"], "account": settings["account"], "password": settings["password"]}
    for first in range(0, count, _MOST_IN_A_SUBMIT):
        numbers = (f"138{number:08}" for number in range(first, min(first + _MOST_IN_A_SUBMIT, count)))
        form = {**login, "mobile": ",".join(numbers), "content": "spring sale【Example】", "action": "send"}
        body = urllib.parse.urlencode({**form, "sendTime": "", "extno": ""}).encode()
        with urllib.request.urlopen(f"{sandbox.base_url}/sms.aspx", body, timeout=10) as answer:
            answer.read()
