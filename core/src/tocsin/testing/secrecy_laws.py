"""Laws of secrecy: no secret, number or text where it may be logged, shown or put into an error."""

from __future__ import annotations

import contextlib
import io
import logging
import traceback
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import attrs

from tocsin.plugin import E164, Account, Exchange, HttpResponse, Secret, Submission
from tocsin.testing.declaration import QUERIES, Declaration
from tocsin.testing.hostile import garbage
from tocsin.testing.law import Breach, law
from tocsin.testing.meaning import attempt
from tocsin.testing.probe import SIGNATURE, option_probes
from tocsin.testing.vectors import Vector

_PASSWORD = "cAnaryP4ss"  # noqa: S105 (a canary, and short enough for every vendor)
_NUMBER = E164("+8613987654321")
_WORDS = "canary-text-4711"
_DIGITS = "13987654321"
_CANARIES = {"the password": _PASSWORD, "a number": _DIGITS, "the text": _WORDS}
_QUOTE = " ".join(_CANARIES.values()).encode()


class SecrecyLaws(Declaration):
    """See each law. Canaries stand for password, number and text; none of them may be seen."""

    @law
    def test_values_show_no_secret(self) -> Iterator[Breach]:
        """No repr, no str and no shown URL of account, exchange, request or result holds a canary."""
        for where, account, exchange in self._canary_exchanges():
            request = exchange.request
            values = {"settings": account.settings, "exchange": exchange, "request": request}
            values |= {"URL": getattr(request, "shown_url", "")}
            values |= {f"result of {vector.name}": self._result(exchange, vector) for vector in self._answers_to(where)}
            for name, value in values.items():
                yield from (Breach(where, f"the {name} shows {what}") for what in _shown(f"{value!r} {value}"))

    @law
    def test_errors_show_no_secret(self) -> Iterator[Breach]:
        """No error, however it is formatted, and no reason why something does not fit holds a canary."""
        for where, _, exchange in self._canary_exchanges():
            for result in self._quoted(where, exchange):
                told = "".join(traceback.format_exception(result)) if isinstance(result, Exception) else ""
                yield from (Breach(where, f"an error quotes {what}") for what in _shown(told))
        for where, account, can in self.account_variants():
            for probe in option_probes(_NUMBER, can, self.now):
                submission = attrs.evolve(probe.submission, texts=(_WORDS,) * len(probe.submission.texts))
                reason = self.hooks.fits(_guarded(account), submission)
                yield from (Breach(where, f"a reason of fits quotes {what}") for what in _shown(reason))

    @law
    def test_logs_show_no_secret(self) -> Iterator[Breach]:
        """Nothing that a hook or a decoder logs or prints holds a canary."""
        with _listening() as heard:
            for where, _, exchange in self._canary_exchanges():
                for _ in self._quoted(where, exchange):
                    pass
                yield from (Breach(where, f"a log line shows {what}") for what in _shown(heard.getvalue()))

    def _answers_to(self, where: str) -> list[Vector]:
        """Return the vectors of the kind that an exchange is named after."""
        return [vector for vector in self.golden if where.startswith(vector.kind)]

    def _quoted(self, where: str, exchange: Exchange[Any]) -> Iterator[object]:
        """Yield what becomes of every answer that quotes the canaries, whoever it belongs to."""
        own = self._answers_to(where)
        for golden in [vector.response for vector in own]:
            yield from (attempt(exchange.decode, answer) for answer in _quoting(golden))
        for _, answer in garbage(own[0].response) if own else ():
            yield attempt(exchange.decode, attrs.evolve(answer, body=answer.body[:500] + _QUOTE))

    def _canary_exchanges(self) -> Iterator[tuple[str, Account, Exchange[Any]]]:
        """Yield every exchange that can be made with canaries, named after the kind of its vectors."""
        submission = Submission(to=(_NUMBER,), texts=(f"{_WORDS}{SIGNATURE}",))
        for name, account, _ in self.account_variants():
            guarded = _guarded(account)
            if not self.hooks.fits(guarded, submission):
                yield f"send, {name}", guarded, self.exchange_for(guarded, submission)
            for kind, hook in QUERIES.items():
                if self.hooks.implements(hook):
                    yield f"{kind}, {name}", guarded, getattr(self.hooks, hook)(guarded, self.now)

    def _result(self, exchange: Exchange[Any], vector: Vector) -> object:
        result = attempt(exchange.decode, vector.response)
        return "" if isinstance(result, Exception) else result  # errors have a law of their own


def _guarded(account: Account) -> Account:
    """Return the account with the canary for each of its secrets."""
    settings: Any = account.settings
    secrets = [name for name in attrs.fields_dict(type(settings)) if isinstance(getattr(settings, name), Secret)]
    changed = attrs.evolve(settings, **dict.fromkeys(secrets, Secret(_PASSWORD)))
    return attrs.evolve(account, settings=changed)


def _quoting(golden: HttpResponse) -> Iterator[HttpResponse]:
    """Yield answers that quote every canary, as error pages do."""
    middle = len(golden.body) // 2
    yield attrs.evolve(golden, body=golden.body + _QUOTE)
    yield attrs.evolve(golden, body=golden.body[:middle] + _QUOTE + golden.body[middle:])
    yield attrs.evolve(golden, status=500, body=b"<html><body>" + _QUOTE + b"</body></html>")
    yield attrs.evolve(golden, body=b'{"message": "' + _QUOTE + b'"}')
    yield attrs.evolve(golden, body=_QUOTE)


def _shown(text: str) -> list[str]:
    """Name the canaries that a text shows, as they are or as a URL would have them."""
    return [what for what, canary in _CANARIES.items() if canary in text or quote(canary) in text]


@contextlib.contextmanager
def _listening() -> Iterator[io.StringIO]:
    """Hear all that is logged or printed in this process."""
    heard = io.StringIO()
    handler, root = logging.StreamHandler(heard), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard):
            yield heard
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
