"""Plugins that send something else than they were given. See `catalogue`."""

from __future__ import annotations

from functools import partial

import attrs

from tocsin.plugin import (
    Exchange,
    hookimpl,
)

from .catalogue import breaks
from .toy import Toy


@breaks("a_send_submits_exactly_once")
class ForgetsToSubmit(Toy):
    """A submit that is not marked: a lost answer would pass for proof that nothing was sent."""

    def request(self, account, page, fields=None, submits=False):
        return super().request(account, page, fields)


@breaks("a_send_submits_exactly_once")
class SubmitsAgain(Toy):
    """A plugin that retries on its own where the server is in trouble."""

    def decode_send(self, account, submission, response):
        if response.status == 503:
            request = self.request(account, "send", self.fields(account, submission), submits=True)
            return Exchange(request, partial(self.decode_send, account, submission))
        return super().decode_send(account, submission, response)


@breaks("queries_do_not_submit")
class SubmittingQuery(Toy):
    """A query that is marked as a submit."""

    def request(self, account, page, fields=None, submits=False):
        return super().request(account, page, fields, submits=submits or page == "balance")


@breaks("what_fits_arrives_whole")
class DropsRecipients(Toy):
    """A page of recipients cut to a constant of the plugin's own."""

    def fields(self, account, submission):
        return super().fields(account, attrs.evolve(submission, to=submission.to[:10]))


@breaks("what_fits_arrives_whole")
class DoublesRecipient(Toy):
    """Large groups go out with their last number twice."""

    def fields(self, account, submission):
        fields = super().fields(account, submission)
        return fields | {"to": f"{fields['to']},{submission.to[-1].mainland}"} if len(submission.to) > 2 else fields


@breaks("what_fits_arrives_whole")
class TruncatesText(Toy):
    """A long text is cut without a word."""

    def fields(self, account, submission):
        return super().fields(account, submission) | {"text": submission.text[:300]}


@breaks("what_fits_arrives_whole")
class MangledText(Toy):
    """What is not in the code page becomes a question mark."""

    def fields(self, account, submission):
        return super().fields(account, submission) | {"text": submission.text.encode("gbk", "replace").decode("gbk")}


@breaks("what_fits_arrives_whole")
class SignsByItself(Toy):
    """A signature that the core has judged already is judged again."""

    def fields(self, account, submission):
        text = submission.text
        return super().fields(account, submission) | {"text": text if text.endswith("】") else f"{text}【Toy】"}


@breaks("what_fits_arrives_whole")
class ClaimsLargerGroups(Toy):
    """A claim of five hundred numbers by a request that holds fifty."""

    can = attrs.evolve(Toy.can, max_recipients=500)

    def fields(self, account, submission):
        return super().fields(account, attrs.evolve(submission, to=submission.to[:50]))


@breaks("options_leave_in_the_request")
class IgnoresExtension(Toy):
    """An extension that is promised and left out."""

    def fields(self, account, submission):
        return super().fields(account, submission) | {"extension": ""}


@breaks("options_leave_in_the_request")
class IgnoresTime(Toy):
    """A message for later that leaves at once."""

    def fields(self, account, submission):
        return super().fields(account, submission) | {"at": ""}


@breaks("what_is_denied_does_not_fit")
class EverythingFits(Toy):
    """Whatever is asked for fits."""

    @hookimpl
    def fits(self, account, submission):
        return ""


@breaks("what_is_promised_fits")
class NothingLater(Toy):
    """Scheduling is promised, and no submission with a time fits."""

    @hookimpl
    def fits(self, account, submission):
        return "no sending later" if submission.send_at else super().fits(account, submission)


@breaks("requests_stay_with_the_account", "requests_are_golden")
class OwnAddress(Toy):
    """An address of the plugin's own in the place of the account's."""

    def request(self, account, page, fields=None, submits=False):
        return super().request(attrs.evolve(account, base_url="http://other.invalid"), page, fields, submits)


@breaks("requests_are_golden")
class OtherOrder(Toy):
    """A form in another order than the document's."""

    def request(self, account, page, fields=None, submits=False):
        return super().request(account, page, dict(reversed((fields or {}).items())), submits)
