"""The signature rule: a text that ends in one goes unchanged; else the account's is appended when it is encoded."""

from __future__ import annotations

import re

_SIGNED = re.compile(r".+【[^【】]+】\Z", re.DOTALL)


def is_signed(text: str) -> bool:
    """Say whether a text ends in a signature, with something before it."""
    return _SIGNED.match(text) is not None


def sign(text: str, signature: str) -> str:
    """Return the text as an account with that signature (empty for none) would send it."""
    return text if is_signed(text) else text + signature
