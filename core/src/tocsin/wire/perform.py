"""Runs exchanges: a query for its result, a send for one outcome per recipient.

Transport-neutral: of a request it looks at `submits` alone (one that does not say submits), of an answer at `fault`
alone. The one rule of a send is that after the submitting request may have left, whatever is not a readable answer is
`Unknown`, whoever is at fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import attrs

from tocsin.errors import AnswerError, PluginError, Reached, TransportError
from tocsin.model.balance import Balance
from tocsin.model.outcome import Accepted, NotSent, Outcome, Refused, SendResult, Unknown
from tocsin.model.phone import E164
from tocsin.wire.http import Exchange
from tocsin.wire.transport import Transport

T = TypeVar("T")

MAX_STEPS = 8
"""Most requests of one exchange."""

_LONGEST_CAUSE = 100


def perform(exchange: Exchange[T], transport: Transport, on_answer: Callable[[Any], None] | None = None) -> T:
    """Run a query to its result.

    Args:
        exchange: its first step.
        transport: carries each request.
        on_answer: is given each answer as it came, before it is decoded; returns when it is durable.

    Raises:
        TransportError: no answer came.
        AnswerError: an answer is outside the vendor's grammar.
        PluginError: the plugin failed, or asks for more than `MAX_STEPS` requests.
    """
    for _ in range(MAX_STEPS):
        answer = transport.perform(exchange.request)
        if on_answer is not None:
            on_answer(answer)
        result = decode(exchange, answer)
        if not isinstance(result, Exchange):
            return result
        exchange = result
    raise PluginError(f"an exchange asks for more than {MAX_STEPS} requests")


def decode(exchange: Exchange[T], answer: Any) -> T | Exchange[T]:
    """Decode one answer. Of an exception of the plugin's only type and place go on: its text may quote the answer."""
    try:
        return exchange.decode(answer)
    except AnswerError:
        raise
    except Exception as error:  # noqa: BLE001 - seam: plugin call
        failure = PluginError(f"decode raised {type(error).__name__}").with_traceback(error.__traceback__)
    raise failure


def perform_send(exchange: Exchange[SendResult], transport: Transport, to: tuple[E164, ...]) -> SendResult:
    """Run a send to one outcome for each recipient. No fault of vendor, network or plugin is raised.

    Args:
        exchange: its first step; at most one request of it submits.
        transport: carries each request.
        to: the recipients.

    Returns:
        An outcome for every recipient, and for nobody else.
    """
    send = _Send(transport)
    try:
        return _settle(send.run(exchange), to, submitted=send.submitted)
    except _Stopped as stopped:
        return SendResult.all(to, stopped.outcome)


class _Stopped(Exception):
    """A send ends here, with one outcome for all."""

    def __init__(self, outcome: NotSent | Unknown) -> None:
        self.outcome = outcome


@attrs.define
class _Send:
    """One send under way. Until its submit may have left, whatever goes wrong proves that nothing was sent."""

    transport: Transport
    submitted: bool = False

    def run(self, step: object) -> SendResult:
        for _ in range(MAX_STEPS):
            step = self._next(step)
            if isinstance(step, SendResult):
                return step
        raise self._stopped("too-many-steps")

    def _next(self, step: object) -> object:
        if not isinstance(step, Exchange):
            raise self._stopped("plugin-fault")
        answer = self._answer(step.request)
        try:
            return step.decode(answer)
        except AnswerError as error:
            cause = f"undecodable: {error}"[:_LONGEST_CAUSE]
        except Exception:  # noqa: BLE001 - seam: plugin call
            cause = "plugin-fault"
        raise self._stopped(cause)

    def _answer(self, request: Any) -> Any:
        """Carry one request and return its whole answer."""
        submits = bool(getattr(request, "submits", True))
        if submits and self.submitted:
            raise self._stopped("second-submit")
        self.submitted |= submits
        try:
            answer = self.transport.perform(request)
        except TransportError as error:
            cause = error.cause
            if submits:
                self.submitted = error.reached is not Reached.NO
        except Exception:  # noqa: BLE001 - seam: a plugin's own transport
            cause = "transport-fault"
        else:
            fault = getattr(answer, "fault", None)
            if fault is None:
                return answer
            cause = str(fault)
        raise self._stopped(cause)

    def _stopped(self, cause: str) -> _Stopped:
        return _Stopped(Unknown(cause) if self.submitted else NotSent(cause))


def _settle(result: SendResult, to: tuple[E164, ...], *, submitted: bool) -> SendResult:
    """Give every recipient one outcome that a plugin may state, and drop whatever else the plugin says."""
    said: object = result.outcomes
    outcomes = said if isinstance(said, Mapping) else {}
    balance = result.balance if isinstance(result.balance, Balance) else None
    return SendResult({number: _believe(outcomes.get(number), submitted=submitted) for number in to}, balance)


def _believe(outcome: object, *, submitted: bool) -> Outcome:
    match outcome:
        case Accepted() if not submitted:
            return Unknown("accepted-without-submit")  # the plugin forgot to mark its submit: nothing else is safe
        case Accepted() | Refused() | Unknown():
            return outcome
        case NotSent():
            return Unknown("plugin-said-not-sent")
        case None:
            return Unknown("no-outcome")
        case _:
            return Unknown("not-an-outcome")
