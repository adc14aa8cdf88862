"""Plugins that show secrets, believe strangers, or touch the world outside. See `catalogue`."""

from __future__ import annotations

import logging
import re
import socket
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import attrs

from tocsin.plugin import (
    AnswerError,
    Reason,
    Refused,
    Secret,
    hookimpl,
)

from .catalogue import breaks
from .toy import Toy


@breaks("values_show_no_secret")
class ShownPassword(Toy):
    """A repr that was written for debugging."""

    @attrs.frozen(kw_only=True)
    class settings:
        user: str = "demo"
        password: Secret = attrs.field(default=Secret("demo-password"), repr=lambda secret: secret.reveal())


@breaks("values_show_no_secret", "requests_are_golden")
class PasswordInPath(Toy):
    """A password in the path of a URL, where no query is hidden."""

    def request(self, account, page, fields=None, submits=False):
        return super().request(account, f"{account.settings.password.reveal()}/{page}", fields, submits)


@breaks("errors_show_no_secret")
class QuotingError(Toy):
    """An error that quotes the answer, and the answer quotes the message."""

    def line(self, response):
        try:
            return super().line(response)
        except AnswerError:
            raise AnswerError(f"cannot read {response.body!r}") from None


@breaks("errors_show_no_secret")
class QuotingCause(Toy):
    """An error that quotes nothing, chained to one that does."""

    def refusal(self, line):
        try:
            return {"refused -3": Refused(Reason.AUTHENTICATION, "-3")}[line]
        except KeyError as error:
            if "canary" in line:
                raise AnswerError("neither taken nor refused") from error
            return super().refusal(line)


@breaks("errors_show_no_secret")
class QuotingReason(Toy):
    """A reason why something does not fit that quotes the text."""

    @hookimpl
    def fits(self, account, submission):
        why = super().fits(account, submission)
        return f"{why}: {submission.texts[0]}" if why else ""


@breaks("logs_show_no_secret")
class ChattyDecoder(Toy):
    """A log line that was written for debugging."""

    def line(self, response):
        logging.getLogger("toy").debug("answered %r", response.body)
        return super().line(response)


@breaks("forged_pushes_are_refused")
class BelievesEverybody(Toy):
    """A push is believed for whatever account it is."""

    @hookimpl
    def verify_push(self, account, push, now):
        user = push.body.partition(b"user=")[2].partition(b"&")[0].decode("ascii", "replace")
        if not re.fullmatch("[a-z-]+", user):
            return super().verify_push(account, push, now)
        return super().verify_push(attrs.evolve(account, settings=self.settings(user=user)), push, now)


@breaks("pushes_never_raise")
class RaisesOnPush(Toy):
    """A push that is no text raises."""

    @hookimpl
    def verify_push(self, account, push, now):
        if push.body[-1:] == b"\xff":
            raise ValueError("no text")
        return super().verify_push(account, push, now)


@breaks("hooks_are_pure")
class ReadsTheClock(Toy):
    """A time that was not given."""

    @hookimpl
    def query_balance(self, account, now):
        return super().query_balance(account, datetime.now(UTC))


@breaks("hooks_touch_nothing_outside")
class OpensSocket(Toy):
    """A hook that asks whether the vendor is there."""

    @hookimpl
    def send(self, account, submission, now):
        with suppress(OSError), socket.socket() as probe:
            probe.connect_ex(("127.0.0.1", 9))
        return super().send(account, submission, now)


@breaks("hooks_touch_nothing_outside")
class ReadsFile(Toy):
    """A decoder that looks something up on the disk."""

    def decode_balance(self, now, response):
        with suppress(OSError):
            Path(__file__).read_bytes()
        return super().decode_balance(now, response)
