"""Golden vectors as parameters: a test that asks for `send_vector` runs once for each vector of that kind."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tocsin.plugin import HttpResponse

KINDS = {
    "send_vector": ("send",),
    "balance_vector": ("balance",),
    "keywords_vector": ("keywords",),
    "reports_vector": ("reports",),
    "mo_vector": ("mo",),
    "push_vector": ("push",),
    "poll_vector": ("reports", "mo"),
}


def load_vectors(kinds: tuple[str, ...]) -> dict[str, dict]:
    """Read the vectors of these kinds by name, each with its answer as a `response` and its push as a `pushed`."""
    paths = sorted((Path(__file__).parent / "vectors").glob("*.toml"))
    vectors = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in paths}
    return {name: read_bodies(vector) for name, vector in vectors.items() if vector["kind"] in kinds}


def read_bodies(vector: dict) -> dict:
    if "push" in vector:
        return vector | {"pushed": read_body(vector["push"])}
    answer = vector["answer"]
    headers = (("content-type", answer["content_type"]),)
    return vector | {"response": HttpResponse(status=answer["status"], headers=headers, body=read_body(answer))}


def read_body(message: dict) -> bytes:
    if "body_hex" in message:
        return bytes.fromhex(message["body_hex"])
    return message["body"].encode(message.get("charset", "utf-8"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name, kinds in KINDS.items():
        if name in metafunc.fixturenames:
            vectors = load_vectors(kinds)
            metafunc.parametrize(name, vectors.values(), ids=vectors)
