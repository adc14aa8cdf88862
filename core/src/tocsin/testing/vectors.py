"""Golden vectors: one TOML file for each case, with its provenance, read for encoding and for decoding alike.

The format is described in `docs/reference/conformance.md`. A vector without answer and without push is a plugin's own
(an example of a cipher) and passes through the kit unread.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import attrs

from tocsin.plugin import E164, Attachment, HttpRequest, HttpResponse, PushRequest, Submission

POLLS = ("reports", "mo")


@attrs.frozen(kw_only=True)
class Vector:
    """One case.

    Args:
        name: of the file, without its ending.
        kind: `send`, `balance`, `reports`, `mo`, `push`, or the name of an operation of the vendor.
        table: the file as it was read.
    """

    name: str
    kind: str
    table: Mapping[str, Any] = attrs.field(repr=False)

    @property
    def settings(self) -> Mapping[str, object]:
        """What the account's settings differ in."""
        return dict(self.table.get("settings", {}))

    @property
    def arguments(self) -> Mapping[str, str]:
        """Arguments of an operation."""
        return dict(self.table.get("arguments", {}))

    @property
    def now(self) -> datetime | None:
        """When it happens; None where that does not matter."""
        moment = self.table.get("now")
        return moment if isinstance(moment, datetime) else None

    @property
    def request(self) -> Mapping[str, Any] | None:
        """The request that is to leave; None for a vector that is about the answer alone."""
        return self.table.get("request")

    @property
    def result(self) -> Mapping[str, Any]:
        """What the answer means."""
        return dict(self.table.get("result", {}))

    @property
    def submission(self) -> Submission:
        """What is to be sent."""
        given = dict(self.table["submission"])
        given["to"] = tuple(map(E164, given["to"]))
        given["texts"] = tuple(given.get("texts", ())) or (given.get("text", ""),)
        given.pop("text", None)
        given["attachments"] = tuple(map(_attachment, given.get("attachments", ())))
        return Submission(**given)

    @property
    def response(self) -> HttpResponse:
        """The vendor's answer."""
        given = self.table["answer"]
        return HttpResponse(
            status=given.get("status", 200), headers=_content_type(given), body=_body(given), fault=given.get("fault")
        )

    @property
    def charset(self) -> str:
        """The charset of the answer's bytes."""
        return str(self.table["answer"].get("charset", "utf-8"))

    @property
    def push(self) -> PushRequest:
        """What the vendor posts."""
        given = self.table["push"]
        return PushRequest(
            method=given.get("method", "POST"),
            path=given.get("path", ""),
            headers=_content_type(given),
            query=tuple(given.get("query", {}).items()),
            body=_body(given),
            peer="192.0.2.1",
        )

    def differences(self, base_url: str, request: HttpRequest) -> list[str]:
        """Name what a request has otherwise than this vector's; nothing where the vector has none."""
        if self.request is None:
            return []
        wanted, headers = self.request, {name.lower(): value for name, value in request.headers}
        pairs = {
            "method": (request.method, wanted.get("method", "POST")),
            "url": (request.url, base_url + wanted["path"] + _query(wanted)),
            "body": (request.body, _body(wanted)),
            "content_type": (headers.get("content-type"), wanted.get("content_type", headers.get("content-type"))),
            "soap_action": (headers.get("soapaction"), wanted.get("soap_action", headers.get("soapaction"))),
        }
        return [f"{name} is {is_!r}, not {to_be!r}" for name, (is_, to_be) in pairs.items() if is_ != to_be]


def _query(wanted: Mapping[str, Any]) -> str:
    return f"?{wanted['query']}" if wanted.get("query") else ""


def _body(given: Mapping[str, Any]) -> bytes:
    if "body_hex" in given:
        return bytes.fromhex(given["body_hex"])
    return str(given.get("body", "")).encode(given.get("charset", "utf-8"))


def _content_type(given: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return (("content-type", given["content_type"]),) if given.get("content_type") else ()


def _attachment(given: Mapping[str, Any]) -> Attachment:
    content = bytes.fromhex(given["hex"]) if "hex" in given else str(given["content"]).encode("utf-8")
    return Attachment(given["name"], content)


@functools.cache
def load_vectors(directory: Path) -> tuple[Vector, ...]:
    """Read every `*.toml` of a directory, in the order of their names."""
    tables = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted(directory.glob("*.toml"))}
    return tuple(Vector(name=name, kind=str(table.get("kind", "")), table=table) for name, table in tables.items())


def has_answer(vector: Vector) -> bool:
    """Say whether the vector shows an exchange."""
    return "answer" in vector.table


def has_push(vector: Vector) -> bool:
    """Say whether the vector shows a push."""
    return "push" in vector.table
