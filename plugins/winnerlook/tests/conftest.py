"""Golden vectors as parameters: a test that asks for `send_vector` runs once for each vector of that kind."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tocsin.plugin import HttpResponse

KINDS = {
    "send_vector": ("send",),
    "balance_vector": ("balance",),
    "reports_vector": ("reports",),
    "mo_vector": ("mo",),
    "poll_vector": ("reports", "mo"),
}


def load_vectors(kinds: tuple[str, ...]) -> dict[str, dict]:
    """Read the vectors of these kinds by name, each with its answer as a `response`."""
    paths = sorted((Path(__file__).parent / "vectors").glob("*.toml"))
    vectors = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in paths}
    return {name: read_response(vector) for name, vector in vectors.items() if vector["kind"] in kinds}


def read_response(vector: dict) -> dict:
    answer = vector["answer"]
    body = answer["body"].encode(answer.get("charset", "utf-8"))
    headers = (("content-type", answer["content_type"]),)
    return vector | {"response": HttpResponse(status=answer["status"], headers=headers, body=body)}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name, kinds in KINDS.items():
        if name in metafunc.fixturenames:
            vectors = load_vectors(kinds)
            metafunc.parametrize(name, vectors.values(), ids=vectors)
