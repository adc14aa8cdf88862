"""Plugins that read out of an answer what it does not say. See `catalogue`."""

from __future__ import annotations

import json
import re

import attrs

from tocsin.model.outcome import NotSent
from tocsin.plugin import (
    Accepted,
    Batch,
    Reason,
    Refused,
    ReportState,
    SendResult,
    VendorId,
)

from .catalogue import breaks
from .toy import Toy


def accepted(submission):
    return SendResult.all(submission.to, Accepted(None))


@breaks("garbage_proves_nothing")
class BelievesPages(Toy):
    """A page of HTML under status 200 is a success."""

    def decode_send(self, account, submission, response):
        if response.status == 200 and response.body.startswith(b"<html"):
            return accepted(submission)
        return super().decode_send(account, submission, response)


@breaks("garbage_proves_nothing")
class BelievesNothing(Toy):
    """An empty body is a success: there was no error in it."""

    def decode_send(self, account, submission, response):
        if response.status == 200 and not response.body:
            return accepted(submission)
        return super().decode_send(account, submission, response)


@breaks("garbage_proves_nothing")
class EmptyPage(Toy):
    """A body that cannot be read passes for a page without reports, though the vendor has given them out."""

    def decode_reports(self, response):
        return super().decode_reports(response) if response.body else Batch()


@breaks("random_bytes_prove_nothing")
class RefusesNoise(Toy):
    """A body that starts with a control character is a refusal."""

    def decode_send(self, account, submission, response):
        if response.body[:1] in tuple(bytes([code]) for code in range(1, 32) if code not in (9, 10, 13, 31)):
            return SendResult.all(submission.to, Refused(Reason.UNAVAILABLE))
        return super().decode_send(account, submission, response)


@breaks("status_alone_proves_nothing")
class RefusesByStatus(Toy):
    """An internal error of the server is proof of refusal."""

    def decode_send(self, account, submission, response):
        if response.status == 500:
            return SendResult.all(submission.to, Refused(Reason.UNAVAILABLE, "500"))
        return super().decode_send(account, submission, response)


@breaks("status_alone_proves_nothing")
class LooksAtNoStatus(Toy):
    """The body is believed whatever the status."""

    def line(self, response):
        return super().line(attrs.evolve(response, status=200))


@breaks("cut_answers_prove_nothing")
class NeedsNoEnd(Toy):
    """An answer is believed without its end."""

    def decode_send(self, account, submission, response):
        if response.status == 200 and re.fullmatch(b"taken [0-9]{16}", response.body):
            return accepted(submission)
        return super().decode_send(account, submission, response)


@breaks("cut_answers_prove_nothing")
class HalfRows(Toy):
    """The last row of a page that was cut is read as far as it came."""

    def decode_reports(self, response):
        return super().decode_reports(attrs.evolve(response, body=response.body.rstrip(b";") + b";", fault=None))


@breaks("charsets_change_no_meaning")
class RefusesCharset(Toy):
    """A charset that is not ours is taken for a refusal of the vendor's."""

    def decode_send(self, account, submission, response):
        if "charset=utf-16" in response.header("content-type"):
            return SendResult.all(submission.to, Refused(Reason.CONFIGURATION))
        return super().decode_send(account, submission, response)


@breaks("one_byte_changes_no_side")
class AcceptsByTheId(Toy):
    """What ends in something like an id, and is not plainly a refusal, is an acceptance."""

    def outcome(self, line):
        if not line.startswith("refused") and (match := re.search("[0-9]{16}$", line)):
            return Accepted(self.vendor_id(match[0]))
        return super().outcome(line)


@breaks("codecs_raise_answer_error_alone")
class RaisesKeyError(Toy):
    """An object without the member that one expects."""

    def line(self, response):
        if response.body == b"{}":
            return json.loads(response.body)["line"]
        return super().line(response)


@breaks("each_recipient_has_one_outcome")
class SaysNotSent(Toy):
    """A busy server proves that nothing was sent, says the plugin."""

    def decode_send(self, account, submission, response):
        if response.status == 503:
            return SendResult.all(submission.to, NotSent("busy"))
        return super().decode_send(account, submission, response)


@breaks("each_recipient_has_one_outcome")
class ForgetsRecipients(Toy):
    """The outcome of the first recipient stands for all."""

    def decode_send(self, account, submission, response):
        first = attrs.evolve(submission, to=submission.to[:1], texts=submission.texts[:1])
        return super().decode_send(account, first, response)


@breaks("codes_are_read_whole")
class PrefixOfCode(Toy):
    """Codes are compared as far as they are known."""

    def refusal(self, line):
        return super().refusal("refused -3") if line.startswith("refused -3") else super().refusal(line)


@breaks("answers_are_golden")
class NumericIds(Toy):
    """An id that is a number loses its zeros."""

    def vendor_id(self, digits):
        return VendorId(str(int(digits)))


@breaks("answers_are_golden")
class DropsRows(Toy):
    """Rows that cannot be read are dropped in silence."""

    def rows(self, line):
        return attrs.evolve(super().rows(line), unparsed=())


@breaks("answers_are_golden")
class OptimisticState(Toy):
    """A state that is on no list is a delivery."""

    def report(self, vendor_id, number, state):
        report = super().report(vendor_id, number, state)
        return attrs.evolve(report, state=report.state or ReportState.DELIVERED)
