"""Laws of requests, judged by the request and never by what the plugin says of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tocsin.plugin import Account, Exchange, Submission, parse_vendor_number
from tocsin.testing.declaration import QUERIES, Declaration
from tocsin.testing.hostile import trouble
from tocsin.testing.law import Breach, law
from tocsin.testing.meaning import Side, attempt, side_of
from tocsin.testing.probe import Arrival, alternatives, option_probes, text_probes
from tocsin.testing.reader import open_reader
from tocsin.wire.perform import MAX_STEPS


class SubmitLaws(Declaration):
    """See each law."""

    @law
    def test_a_send_submits_exactly_once(self) -> Iterator[Breach]:
        """One request of a send is marked as its submit, on whatever way the answers lead; none before is accepted."""
        for vector in self.sends:
            for submits, end in self._ends(self.exchange(vector), 0, MAX_STEPS):
                if submits > 1:
                    yield Breach(vector.name, f"{submits} requests of one send submit")
                elif not submits and side_of(end) is not Side.PROVES_NOTHING:
                    yield Breach(vector.name, "no request is marked as the submit")

    @law
    def test_queries_do_not_submit(self) -> Iterator[Breach]:
        """No request of a query, a poll or an operation is marked as a submit."""
        for vector in self.golden:
            if vector.kind != "send" and self.exchange(vector).request.submits:
                yield Breach(vector.name, "the request is marked as a submit")

    @law
    def test_what_fits_arrives_whole(self) -> Iterator[Breach]:
        """Of a submission that fits, each recipient gets the exact text once, and nobody else gets anything."""
        with open_reader(self) as read:
            for where, account, can in self.account_variants():
                for probe in text_probes(self.first_recipient, can):
                    if not probe.allowed or self.hooks.fits(account, probe.submission):
                        continue
                    if wrong := _misread(probe.submission, read(account, probe.submission)):
                        yield Breach(where, f"{probe.what}: {wrong}")

    @law
    def test_options_leave_in_the_request(self) -> Iterator[Breach]:
        """Extension, time, subject and files that fit are in the request: another value makes another request."""
        with open_reader(self) as read:
            for where, account, can in self.account_variants():
                for probe in option_probes(self.first_recipient, can, self.now):
                    if not probe.allowed or self.hooks.fits(account, probe.submission):
                        continue
                    for ignored in self._ignored(account, probe.submission):
                        yield Breach(where, f"{probe.what}: {ignored} makes no difference to the request")
                    wanted = probe.submission.extension
                    if wanted and {one.extension for one in read(account, probe.submission)} != {wanted}:
                        yield Breach(where, f"{probe.what}: arrives under another extension")

    @law
    def test_what_is_promised_fits(self) -> Iterator[Breach]:
        """What an account's capabilities promise, `fits` takes."""
        for where, account, can in self.account_variants():
            for probe in option_probes(self.first_recipient, can, self.now):
                if probe.allowed and (why := self.hooks.fits(account, probe.submission)):
                    yield Breach(where, f"{probe.what} is promised and does not fit: {why}")

    @law
    def test_what_is_denied_does_not_fit(self) -> Iterator[Breach]:
        """What an account's capabilities deny, `fits` refuses with a reason."""
        for where, account, can in self.account_variants():
            for probe in option_probes(self.first_recipient, can, self.now):
                if not probe.allowed and not self.hooks.fits(account, probe.submission):
                    yield Breach(where, f"{probe.what} is denied by the capabilities and fits")

    @law
    def test_requests_stay_with_the_account(self) -> Iterator[Breach]:
        """Every request goes to the account's base URL, and its URL has no fragment."""
        for where, account, can in self.account_variants():
            plain = next(option_probes(self.first_recipient, can, self.now)).submission
            exchanges = [self.exchange_for(account, plain)] if not self.hooks.fits(account, plain) else []
            hooks = [hook for hook in QUERIES.values() if self.hooks.implements(hook)]
            exchanges += [getattr(self.hooks, hook)(account, self.now) for hook in hooks]
            for exchange in exchanges:
                if not exchange.request.url.startswith(f"{account.base_url}/") or "#" in exchange.request.url:
                    yield Breach(where, "a request goes elsewhere than to base_url")

    def _ignored(self, account: Account, submission: Submission) -> Iterator[str]:
        request = self.exchange_for(account, submission).request
        for what, other in alternatives(submission):
            if not self.hooks.fits(account, other) and self.exchange_for(account, other).request == request:
                yield what

    def _ends(self, step: Exchange[object], submits: int, left: int) -> Iterator[tuple[int, object]]:
        """Walk an exchange on every way that the answers lead; yield how often it submitted, and what came out."""
        submits += bool(step.request.submits)
        if not left or submits > 1:
            yield submits, None
            return
        answers = [vector.response for vector in self.sends]
        for end in [attempt(step.decode, answer) for answer in (*answers, *trouble(answers[0]))]:
            if isinstance(end, Exchange):
                yield from self._ends(end, submits, left - 1)
            else:
                yield submits, end


def _misread(submission: Submission, arrived: tuple[Arrival, ...]) -> str:
    """Say in what the arrivals differ from the submission, quoting neither; empty where in nothing."""
    wanted = Counter((to.full, text) for to, text in submission.pairs())
    got = Counter((parse_vendor_number(one.number).full, one.text) for one in arrived)
    if wanted == got:
        return ""
    recipients, reached = Counter(to for to, _ in wanted.elements()), Counter(to for to, _ in got.elements())
    missing, extra = (recipients - reached).total(), (reached - recipients).total()
    return f"{missing} recipients miss it, {extra} get one too many" if missing or extra else "the text is another"
