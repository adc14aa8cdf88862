"""`/openapi.json`: what the service offers, as OpenAPI 3.1. The document is data beside this module; tests compare it
with the code, and put thousands of requests made from it to a served gateway."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

import falcon

from tocsin import __version__


@cache
def _written() -> bytes:
    return json.dumps(load_document(), ensure_ascii=False).encode()


def load_document() -> dict[str, Any]:
    """Return the document, with the version of this tocsin."""
    text = files("tocsin.gateway").joinpath("openapi.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    document["info"]["version"] = __version__
    return document


class Document:
    """`/openapi.json`."""

    def on_get(self, _: falcon.Request, response: falcon.Response) -> None:
        """Return the document."""
        response.content_type = falcon.MEDIA_JSON
        response.data = _written()
