"""Submissions that find out what a plugin does with what it is given, and what a phone would get of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import attrs

from tocsin.plugin import E164, Attachment, Capabilities, Submission

SIGNATURE = "【Example】"

_TEXTS = (
    "plain",
    "磁盘已满：db1，余量 3%",
    "a & b && c = d; e+f %41 %zz",
    "if a<b and b<c then <db1> &#65; &amp; ]]> <!-- -->",
    "line one\nline two\ttabbed",
    "\"quoted\" 'text' \\ back\\slash | pipe |!| |^| ! ^",
    "1.5 € → ½ ☎ 😀 𠮷",
    " blanks  around ",
    "0123456789" * 32 + "end",
)


@attrs.frozen
class Arrival:
    """What one phone gets of a submit, as the vendor's side reads the request. Its repr shows neither number nor text.

    Args:
        number: digits as they stood in the request.
    """

    number: str = attrs.field(repr=False)
    text: str = attrs.field(repr=False)
    extension: str = ""


@attrs.frozen
class Probe:
    """A submission and what it takes to carry it.

    Args:
        what: for people.
        allowed: whether the account's capabilities allow it.
        promised: whether they promise it, so that it fits if allowed.
    """

    what: str
    submission: Submission
    allowed: bool = True
    promised: bool = True


def recipients(first: E164, count: int) -> tuple[E164, ...]:
    """Return as many numbers, one after the other."""
    return tuple(E164(f"+{int(first.full) + offset}") for offset in range(count))


def text_probes(first: E164, can: Capabilities) -> Iterator[Probe]:
    """Yield what is to arrive to the letter: odd texts, groups, the largest group, a text for each."""
    to = recipients(first, can.max_recipients)
    for text in _TEXTS:
        yield Probe(f"text {text[:12]!r}", _one(to[:1], text), promised=False)
    if not can.signature_required:
        yield Probe("a text without signature", Submission(to=to[:1], texts=("no signature",)), promised=False)
    yield Probe("a text that tells two signatures", _one(to[:1], "【A】 of 【B】"), promised=False)
    yield Probe("a small group", _one(to[:3], "group"), allowed=can.max_recipients >= 3)
    yield Probe("the largest group", _one(to, "largest group"), promised=False)
    if can.personalised:
        yield _personalised(to[:5], can)


def option_probes(first: E164, can: Capabilities, now: datetime) -> Iterator[Probe]:
    """Yield a plain submission, and one for each thing that an account may or may not be able to carry."""
    to = recipients(first, 3)
    digits = can.extension_digits
    yield Probe("a plain text to one", _one(to[:1]))
    yield Probe(
        "the longest extension", attrs.evolve(_one(to[:1]), extension="12345678901234"[: digits or 1]), digits > 0
    )
    yield Probe("too long an extension", attrs.evolve(_one(to[:1]), extension="1" * (digits + 1)), allowed=False)
    yield Probe("an hour later", attrs.evolve(_one(to[:1]), send_at=now + timedelta(hours=1)), can.scheduling)
    mms = attrs.evolve(_one(to[:1], "", ""), subject="Subject", attachments=(Attachment("a.txt", b"content"),))
    yield Probe("a multimedia message", mms, can.mms)
    yield _personalised(to[: max(2, min(3, can.max_recipients))], can)


def alternatives(submission: Submission) -> Iterator[tuple[str, Submission]]:
    """Yield a submission with one of its options changed, each with the option's name."""
    if submission.extension:
        yield "extension", attrs.evolve(submission, extension=f"9{submission.extension[1:]}")
    if submission.send_at is not None:
        yield "send_at", attrs.evolve(submission, send_at=submission.send_at + timedelta(minutes=1))
    if submission.is_mms:
        yield "subject", attrs.evolve(submission, subject="Another")
        yield "file name", attrs.evolve(submission, attachments=(Attachment("b.txt", b"content"),))
        yield "file content", attrs.evolve(submission, attachments=(Attachment("a.txt", b"CONTENT"),))


def _one(to: tuple[E164, ...], text: str = "text", signature: str = SIGNATURE) -> Submission:
    return Submission(to=to, texts=(text + signature,))


def _personalised(to: tuple[E164, ...], can: Capabilities) -> Probe:
    texts = tuple(f"text {position}{SIGNATURE}" for position in range(len(to)))
    return Probe("a text for each", Submission(to=to, texts=texts), allowed=can.personalised)
