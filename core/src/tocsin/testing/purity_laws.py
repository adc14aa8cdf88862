"""Laws of purity: a plugin computes, and the core does everything else."""

from __future__ import annotations

from collections.abc import Iterator

from tocsin.plugin import Balance, SendResult
from tocsin.testing.declaration import Declaration
from tocsin.testing.law import Breach, law
from tocsin.testing.meaning import attempt, show
from tocsin.testing.probe import option_probes
from tocsin.testing.watch import watching


class PurityLaws(Declaration):
    """See each law."""

    @law
    def test_hooks_are_pure(self) -> Iterator[Breach]:
        """The same arguments give the same request and the same result; every time in it was an argument."""
        for vector in self.golden:
            first, second = self.exchange(vector), self.exchange(vector)
            if first.request != second.request:
                yield Breach(vector.name, "asked twice, it makes two requests")
            results = [attempt(one.decode, vector.response) for one in (first, first, second)]
            if any(show(result) != show(results[0]) for result in results):
                yield Breach(vector.name, "decoded twice, the answer means two things")
            if (balance := _balance(results[0])) and balance.as_of != (vector.now or self.now):
                yield Breach(vector.name, "the balance is of another time than the one that was given")

    @law
    def test_hooks_touch_nothing_outside(self) -> Iterator[Breach]:
        """No hook and no decoder opens a socket, a file or a process."""
        for vector in self.golden:
            attempt(self.exchange(vector).decode, vector.response)  # what is imported at the first call is in by now
            with watching() as seen:
                attempt(self.exchange(vector).decode, vector.response)
            yield from (Breach(vector.name, f"tries {event}") for event in seen[:1])
        for where, account, can in self.account_variants():
            submissions = [one.submission for one in option_probes(self.first_recipient, can, self.now)]
            with watching() as seen:
                for submission in submissions:
                    self.hooks.fits(account, submission)
            yield from (Breach(where, f"fits tries {event}") for event in seen[:1])


def _balance(result: object) -> Balance | None:
    if isinstance(result, SendResult):
        return result.balance
    return result if isinstance(result, Balance) else None
