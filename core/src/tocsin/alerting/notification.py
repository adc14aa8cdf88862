"""What Icinga 2 and Nagios 4 say of a notification, in options or in the environment, as a notice of one alert.

Nobody retries what these programs run, so whatever is readable is taken: a time that is none is left out, bytes that
are no UTF-8 are shown as such. Pure; the command line calls it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from tocsin.errors import InvalidInput
from tocsin.model.alert import Alert, AlertStatus, Notice

FIELDS = (
    "type",
    "host",
    "service",
    "state",
    "last_state",
    "output",
    "address",
    "contact",
    "author",
    "comment",
    "date",
    "state_change",
    "time",
    "id",
)
"""What may be said of a notification. Each is an option of the same name."""

STATUSES = {
    "PROBLEM": AlertStatus.FIRING,
    "RECOVERY": AlertStatus.RESOLVED,
    "ACKNOWLEDGEMENT": AlertStatus.EVENT,
    "CUSTOM": AlertStatus.EVENT,
    "DOWNTIMESTART": AlertStatus.EVENT,
    "DOWNTIMEEND": AlertStatus.EVENT,
    "DOWNTIMEREMOVED": AlertStatus.EVENT,
    "DOWNTIMECANCELLED": AlertStatus.EVENT,
    "FLAPPINGSTART": AlertStatus.EVENT,
    "FLAPPINGEND": AlertStatus.EVENT,
    "FLAPPINGSTOP": AlertStatus.EVENT,
    "FLAPPINGDISABLED": AlertStatus.EVENT,
}
"""The types of notifications of both programs."""

_WORDS = {
    "ACKNOWLEDGEMENT": "acknowledged",
    "CUSTOM": "note",
    "DOWNTIMESTART": "downtime begins",
    "DOWNTIMEEND": "downtime ends",
    "DOWNTIMEREMOVED": "downtime removed",
    "DOWNTIMECANCELLED": "downtime cancelled",
    "FLAPPINGSTART": "flapping",
    "FLAPPINGEND": "no longer flapping",
    "FLAPPINGSTOP": "no longer flapping",
    "FLAPPINGDISABLED": "flapping no longer watched",
}

_NAGIOS = "NAGIOS_"
_OF_EITHER = {
    "type": ("NOTIFICATIONTYPE",),
    "host": ("HOSTNAME",),
    "service": ("SERVICEDESC",),
    "address": ("HOSTADDRESS",),
    "contact": ("CONTACTNAME",),
    "author": ("NOTIFICATIONAUTHOR", "SERVICEACKAUTHOR", "HOSTACKAUTHOR"),
    "comment": ("NOTIFICATIONCOMMENT", "SERVICEACKCOMMENT", "HOSTACKCOMMENT"),
    "date": ("LONGDATETIME",),
    "time": ("TIMET",),
}
_OF_ITS_KIND = {
    "state": "{}STATE",
    "last_state": "LAST{}STATE",
    "output": "{}OUTPUT",
    "state_change": "LAST{}STATECHANGE",
    "id": "{}NOTIFICATIONID",
}

_LABELS = ("type", "host", "service", "state", "last_state", "address", "contact")
_ANNOTATIONS = ("output", "author", "comment", "date")

_SECOND = timedelta(microseconds=999_999)
_MACRO = re.compile(r"\$[^$]*\$")
_SECONDS = re.compile(r"[0-9]{9,11}(?:\.[0-9]+)?", re.ASCII)


def present(value: str | None) -> str | None:
    """Return a value, bytes that are no UTF-8 shown as such; None where it is empty, or a macro left as it was."""
    if value is None or not value.strip() or _MACRO.fullmatch(value.strip()):
        return None
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what the variables of a Nagios say, by field; nothing where they are absent."""
    kind = "SERVICE" if present(environ.get(f"{_NAGIOS}SERVICEDESC")) else "HOST"
    variables = _OF_EITHER | {field: (name.format(kind),) for field, name in _OF_ITS_KIND.items()}
    return {
        field: value
        for field, names in variables.items()
        for value in [next(filter(None, (present(environ.get(f"{_NAGIOS}{name}")) for name in names)), None)]
        if value is not None
    }


def pager(environ: Mapping[str, str]) -> str | None:
    """Return the number of the contact that a Nagios notifies, as it is written there."""
    return present(environ.get(f"{_NAGIOS}CONTACTPAGER"))


def gather(options: Mapping[str, str | None], environ: Mapping[str, str]) -> dict[str, str]:
    """Return what is said of a notification: by the options, and where they say nothing by the environment."""
    given = {field: value for field, text in options.items() if (value := present(text)) is not None}
    return from_environment(environ) | given


def read_notice(said: Mapping[str, str], now: datetime, instance: str = "") -> Notice:
    """Make a notice of what is said of one notification. It has no receiver: what one phone was told is told once.

    Args:
        said: by field, see `gather`.
        now: aware time; stands for times that are not given.
        instance: tells apart programs that watch hosts of equal names.

    Raises:
        InvalidInput: the type or the host is missing, or the type is unknown.
    """
    kind = _need(said, "type").strip().upper()
    if kind not in STATUSES:
        raise InvalidInput(f"--type: expected one of {', '.join(STATUSES)}")
    place = [_one_line(_need(said, "host")), *(_one_line(said[field]) for field in ("service",) if field in said)]
    names = [instance, *place] if instance else place
    status = STATUSES[kind]
    changed_at = _moment(said.get("state_change"), now) or _moment(said.get("time"), now) or now
    alert = Alert(
        fingerprint="!".join([*names, kind, _event(said, now)] if status is AlertStatus.EVENT else names),
        status=status,
        name="/".join(place),
        summary=_summary(kind, said),
        level=said.get("state", "").strip().upper(),
        labels={field: said[field] for field in _LABELS if field in said},
        annotations={field: said[field] for field in _ANNOTATIONS if field in said},
        starts_at=None if status is AlertStatus.RESOLVED else changed_at,
        ends_at=changed_at if status is AlertStatus.RESOLVED else None,
    )
    return Notice(alerts=(alert,))


def _need(said: Mapping[str, str], field: str) -> str:
    if field in said:
        return said[field]
    raise InvalidInput(f"--{field}: missing, and NAGIOS_{_OF_EITHER[field][0]} is not set either")


def _summary(kind: str, said: Mapping[str, str]) -> str:
    """Return the first line of the output; of an event what it is, who caused it, and why."""
    output = _first_line(said.get("output", ""))
    if kind not in _WORDS:
        return output
    author, comment = _one_line(said.get("author", "")), _one_line(said.get("comment", ""))
    words = f"{_WORDS[kind]} by {author}" if author else _WORDS[kind]
    told = comment or output
    return f"{words}: {told}" if told else words


def _event(said: Mapping[str, str], now: datetime) -> str:
    """Return what tells an event from every other of its kind."""
    if said.get("id", "0") != "0":
        return said["id"]
    times = [said[field] for field in ("state_change", "time") if field in said]
    return "!".join(times if "time" in said else [*times, now.isoformat()])


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _moment(text: str | None, now: datetime) -> datetime | None:
    """Return the time of so many seconds since 1970; None where it is none.

    A whole second stands for the moment of it at which we hear of it, or its end: what ends and begins anew within one
    second is in order.
    """
    if not text or not _SECONDS.fullmatch(text.strip()):
        return None
    moment = datetime.fromtimestamp(float(text), UTC)
    return moment if "." in text else min(max(now, moment), moment + _SECOND)
