"""Who wants no more messages, and how people say so."""

from __future__ import annotations

import unicodedata
from datetime import datetime

import attrs

from tocsin.model.ids import AccountId
from tocsin.model.phone import Msisdn


@attrs.frozen(kw_only=True)
class OptedOut:
    """One number that is sent no more, through any account.

    Args:
        account: that the word came in through; None where an operator said so.
        word: that was written; empty where an operator said so.
    """

    number: Msisdn
    at: datetime
    account: AccountId | None = None
    word: str = ""


def word_in(text: str, words: tuple[str, ...]) -> str:
    """Return the word that a whole inbound text consists of; empty where it is none of them.

    Case, full-width letters, and blanks and signs around it do not matter.
    """
    said = _bare(text)
    return next((word for word in words if said and said == _bare(word)), "")


def _bare(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return folded.strip(" \t\r\n.,!?;:'\"。、·“”‘’()[]【】-_")
