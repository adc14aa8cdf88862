"""The drawn tree of errors. Expected vendor answers are values; what stands here is for faults.

    TocsinError
    ├── InvalidInput        the caller gave something that cannot be accepted; nothing was stored
    │   ├── InvalidNumber   a recipient is not a phone number that tocsin can read
    │   └── NoRoute         no route of the configuration takes the message
    ├── ConfigError         the configuration cannot be used; holds every finding at once
    ├── KeyConflict         the idempotency key was used before, for another message
    ├── NotFound            no such message, delivery or account
    ├── MissingExtra        an optional part is not installed; names the extra
    ├── PluginError         a plugin broke the hook contract, or is unavailable
    ├── AnswerError         a codec could not read an answer; the core turns it into Unknown
    ├── TransportError      an exchange failed on the way; says whether a byte may have left
    └── StoreError          the store cannot be used
        ├── StoreFailed     a statement failed while it was being used; the transaction was taken back
        └── CommitUnknown   a COMMIT failed: nobody knows whether the transaction stands

Texts name vendor, account, id and code. They never hold a number, a message text, a secret or a URL's query.
"""

from __future__ import annotations

import enum


class TocsinError(Exception):
    """The root. Catch it to catch everything that tocsin raises on purpose."""


class InvalidInput(TocsinError):
    """The caller's input cannot be accepted. Mend the input; nothing was stored."""


class InvalidNumber(InvalidInput):
    """A recipient is not a readable phone number. The text says where it stood, never the number itself."""


class NoRoute(InvalidInput):
    """No route takes the message. Add a route, or one without `match` at the end."""


class ConfigError(TocsinError):
    """The configuration cannot be used.

    Args:
        source: the file's name as the user gave it.
        findings: one line each: key path and what was expected. All of them, not the first.
    """

    def __init__(self, source: str, findings: tuple[str, ...]) -> None:
        self.source = source
        self.findings = findings
        super().__init__("\n".join(f"{source}: {finding}" for finding in findings))


class KeyConflict(TocsinError):
    """The idempotency key belongs to another message. Choose a new key, or send the same body."""


class NotFound(TocsinError):
    """No message, delivery or account has that name."""


class MissingExtra(TocsinError):
    """An optional part is not installed.

    Args:
        extra: name of the extra, as in `tocsin[extra]`.
        purpose: what it is wanted for, in a few words.
    """

    def __init__(self, extra: str, purpose: str) -> None:
        self.extra = extra
        super().__init__(f"{purpose} needs an extra part: pip install 'tocsin[{extra}]'")


class PluginError(TocsinError):
    """A plugin is unavailable, lacks a hook, or broke the contract. The text names the plugin."""


class AnswerError(TocsinError):
    """Raised by a codec alone: the answer is outside the vendor's documented grammar.

    After a submit the core makes `Unknown` of it; of a query, a failed query. The text says what was wrong
    with the form of the answer and never quotes it.
    """


class Reached(enum.Enum):
    """What is known of a request's bytes when an exchange fails."""

    NO = "no"
    """Proof: not one byte of the request reached the kernel."""

    MAYBE = "maybe"
    """At least one byte was handed over; the vendor may have acted on it."""


class TransportError(TocsinError):
    """An exchange failed before its answer was whole. Raised by transports alone.

    Args:
        reached: `Reached.NO` only with proof that no request byte left.
        cause: a short constant such as `connect-refused`; see `tocsin.wire.pool` for the table.
    """

    def __init__(self, *, reached: Reached, cause: str) -> None:
        self.reached = reached
        self.cause = cause
        super().__init__(f"{cause} (request {'not sent' if reached is Reached.NO else 'may have been sent'})")


class StoreError(TocsinError):
    """The store cannot be opened, is corrupt, or is of a newer version. Nothing was changed."""


class StoreFailed(StoreError):
    """A statement failed: disk full, busy too long, a damaged page. The transaction was taken back; see to the disk."""


class CommitUnknown(StoreError):
    """A COMMIT failed. The rows may or may not stand: reopen the store and look, never assume."""
