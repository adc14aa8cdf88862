"""A list a page at a time. The cursor is opaque to whoever reads it: it is handed back as it came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import attrs
import falcon

from tocsin.gateway.problems import InvalidFields

MOST = 500
USUAL = 100

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Page(Generic[T]):
    """Some items, and where the next ones begin.

    Args:
        next: cursor of the next page; None where this is the last.
    """

    items: Sequence[T]
    next: str | None

    @classmethod
    def of(cls, found: Sequence[T], limit: int, cursor_of: Callable[[T], str]) -> Page[T]:
        """Return the page that begins with what was found, of which one more than a page was asked for."""
        items = found[:limit]
        return cls(items=items, next=cursor_of(items[-1]) if len(found) > limit else None)

    def as_json(self, show: Callable[[T], dict[str, Any]]) -> dict[str, Any]:
        """Return the page as it is answered."""
        return {"items": [show(one) for one in self.items], "next": self.next}


def read_limit(request: falcon.Request) -> int:
    """Return how many items a page is to hold.

    Raises:
        InvalidFields: it is no number from 1 to 500.
    """
    return read_whole(request, "limit", 1, MOST, USUAL)


def read_whole(request: falcon.Request, name: str, least: int, most: int, usual: int) -> int:
    """Return a whole number of the query.

    Raises:
        InvalidFields: it is none of that range.
    """
    text = request.get_param(name)
    if text is None:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
        raise InvalidFields({name: f"expected a whole number from {least} to {most}"})
    return int(text)
