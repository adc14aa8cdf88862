"""What a plugin is asked to submit: one vendor request's worth of recipients and text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import attrs

from tocsin.model.phone import E164


@attrs.frozen
class Attachment:
    """A file of a multimedia message (MMS)."""

    name: str
    content: bytes = attrs.field(repr=False)


def _same_length(submission: Submission, _: object, texts: tuple[str, ...]) -> None:
    if len(texts) not in (1, len(submission.to)):
        raise ValueError("a submission has one text for all or one for each recipient")


def _unique(_: object, __: object, to: tuple[E164, ...]) -> None:
    if not to or len(set(to)) != len(to):
        raise ValueError("a submission has at least one recipient, and none twice")


@attrs.frozen(kw_only=True)
class Submission:
    """One request's worth.

    Args:
        to: recipients, none twice.
        texts: one text for all, or one for each recipient; the signature is on them already.
        extension: extension number to send from; empty for none.
        send_at: when the vendor should send; None for at once.
        subject: of an MMS.
        attachments: of an MMS; a submission that has some is an MMS.
    """

    to: tuple[E164, ...] = attrs.field(validator=_unique)
    texts: tuple[str, ...] = attrs.field(validator=_same_length, repr=lambda texts: f"<{len(texts)} texts>")
    extension: str = ""
    send_at: datetime | None = None
    subject: str = attrs.field(default="", repr=False)
    attachments: tuple[Attachment, ...] = ()

    @property
    def personalised(self) -> bool:
        """Whether recipients get different texts."""
        return len(set(self.texts)) > 1

    @property
    def text(self) -> str:
        """The one text. Ask only where `personalised` is false."""
        if self.personalised:
            raise ValueError("a personalised submission has no one text")
        return self.texts[0]

    @property
    def is_mms(self) -> bool:
        """Whether it carries attachments."""
        return bool(self.attachments)

    def pairs(self) -> Iterator[tuple[E164, str]]:
        """Yield each recipient with its text."""
        texts = self.texts if len(self.texts) > 1 else self.texts * len(self.to)
        yield from zip(self.to, texts, strict=True)
