"""What one attempt came to, per recipient. The algebra that the whole product stands on.

`NotSent` and `Refused` prove that no phone will ring; `Accepted` that the vendor took it; `Unknown` that nobody knows.
Absence of an error is not success, and random bytes are neither `Accepted` nor `Refused`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

import attrs

from tocsin.model.balance import Balance
from tocsin.model.ids import VendorId
from tocsin.model.phone import E164


class Scope(enum.Enum):
    """What a refusal is about. Only `VENDOR` says anything about the vendor's health."""

    MESSAGE = "message"
    RECIPIENT = "recipient"
    TEMPLATE = "template"
    ACCOUNT = "account"
    VENDOR = "vendor"
    THROTTLE = "throttle"


class Sticky(enum.Enum):
    """A state that a refusal puts the account into until somebody or something lifts it."""

    DRAINED = "drained"
    """No balance."""

    FORCED_OPEN = "forced_open"
    """Authentication or address binding failed: asking again does not help."""


class Reason(enum.Enum):
    """Why a vendor refused. Declares its scope and whether another vendor could do better.

    Fields of each member: scope, elsewhere (another account may succeed), alarm (somebody must act), sticky.
    """

    AUTHENTICATION = ("authentication", Scope.ACCOUNT, True, True, Sticky.FORCED_OPEN)
    ADDRESS_NOT_BOUND = ("address_not_bound", Scope.ACCOUNT, True, True, Sticky.FORCED_OPEN)
    ACCOUNT_STOPPED = ("account_stopped", Scope.ACCOUNT, True, True, Sticky.FORCED_OPEN)
    BALANCE = ("balance", Scope.ACCOUNT, True, True, Sticky.DRAINED)
    NO_CHANNEL = ("no_channel", Scope.ACCOUNT, True, False, None)
    CONFIGURATION = ("configuration", Scope.ACCOUNT, True, True, None)
    EXTENSION = ("extension", Scope.ACCOUNT, True, False, None)
    INTERFACE = ("interface", Scope.ACCOUNT, True, False, None)
    CLOCK = ("clock", Scope.ACCOUNT, True, True, None)
    UNRECOGNISED = ("unrecognised", Scope.ACCOUNT, True, True, None)
    """A failure by the vendor's own grammar, with a code that is on no list."""

    THROTTLED = ("throttled", Scope.THROTTLE, True, False, None)
    UNAVAILABLE = ("unavailable", Scope.VENDOR, True, False, None)
    TEMPLATE = ("template", Scope.TEMPLATE, True, False, None)
    KEYWORD = ("keyword", Scope.MESSAGE, True, False, None)
    CHARACTERS = ("characters", Scope.MESSAGE, True, False, None)
    TOO_LONG = ("too_long", Scope.MESSAGE, True, False, None)
    TOO_FEW = ("too_few", Scope.MESSAGE, True, False, None)
    MALFORMED = ("malformed", Scope.MESSAGE, True, True, None)
    SIGNATURE_REJECTED = ("signature_rejected", Scope.MESSAGE, True, False, None)
    SIGNATURE = ("signature", Scope.MESSAGE, False, False, None)
    EMPTY = ("empty", Scope.MESSAGE, False, False, None)
    TOO_MANY = ("too_many", Scope.MESSAGE, False, False, None)
    DUPLICATE = ("duplicate", Scope.MESSAGE, False, False, None)
    """The vendor says that it has this content already: right after an Unknown, evidence of acceptance."""

    INVALID_NUMBER = ("invalid_number", Scope.RECIPIENT, False, False, None)
    BLOCKED = ("blocked", Scope.RECIPIENT, False, False, None)
    UNROUTABLE = ("unroutable", Scope.RECIPIENT, True, False, None)
    SPLIT = ("split", Scope.RECIPIENT, True, False, None)
    """A culprit hides among several recipients: the core halves the group and submits again, same account."""

    ONE_BY_ONE = ("one_by_one", Scope.ACCOUNT, True, False, None)
    """The account takes no personalised group: the core submits each recipient alone, same account."""

    RETRY_ONCE = ("retry_once", Scope.ACCOUNT, True, False, None)
    """The same submit may succeed at once with a fresh stamp: the core submits once more, same account."""

    def __init__(self, label: str, scope: Scope, elsewhere: bool, alarm: bool, sticky: Sticky | None) -> None:
        self.label = label
        self.scope = scope
        self.elsewhere = elsewhere
        self.alarm = alarm
        self.sticky = sticky

    @classmethod
    def labelled(cls, label: str) -> Reason:
        """Return the member with that label. Raises KeyError for a label that is none."""
        return _BY_LABEL[label]


_BY_LABEL = {reason.label: reason for reason in Reason}


@attrs.frozen
class NotSent:
    """Proof that no byte of the submit reached the vendor. The core alone says this, never a plugin."""

    cause: str


@attrs.frozen
class Refused:
    """The vendor definitely did not take it.

    Args:
        reason: what kind of refusal.
        code: the vendor's own code, as it came.
        text: the vendor's own words; may quote the message (a keyword), so it is not in the repr.
    """

    reason: Reason
    code: str = ""
    text: str = attrs.field(default="", repr=False)


@attrs.frozen
class Accepted:
    """The vendor took it.

    Args:
        vendor_id: id that reports will name; None where the vendor gave none (accepted, but uncorrelated).
        partial: the answer counted fewer recipients than were sent, and named none.
    """

    vendor_id: VendorId | None
    partial: bool = False


@attrs.frozen
class Unknown:
    """A byte may have left and no answer proves anything. Resolve it by evidence; then the class decides."""

    cause: str


Outcome = NotSent | Refused | Accepted | Unknown


@attrs.frozen
class SendResult:
    """What one submit came to: one outcome per recipient.

    Args:
        outcomes: by recipient.
        balance: a free sample of the account's balance, where the answer carried one.
    """

    outcomes: Mapping[E164, Outcome] = attrs.field(repr=lambda outcomes: f"<{len(outcomes)} outcomes>")
    balance: Balance | None = None

    @classmethod
    def all(cls, to: tuple[E164, ...], outcome: Outcome, balance: Balance | None = None) -> SendResult:
        """Give every recipient the same outcome."""
        return cls(dict.fromkeys(to, outcome), balance)
