"""Laws of golden vectors: bytes out, values in, and enough of them to mean something."""

from __future__ import annotations

from collections.abc import Iterator

from tocsin.testing.declaration import QUERIES, Declaration
from tocsin.testing.law import Breach, law
from tocsin.testing.meaning import Side, agrees, attempt, show, side_of
from tocsin.testing.vectors import has_push, load_vectors


class VectorLaws(Declaration):
    """See each law."""

    @law
    def test_vectors_cover_the_hooks(self) -> Iterator[Breach]:
        """There are vectors of an accepted, a refused and an unknown submit, and one with a request for every hook."""
        sides = {side_of(attempt(self.exchange(vector).decode, vector.response)) for vector in self.sends}
        for side in (Side.ACCEPTED, Side.REFUSED, Side.PROVES_NOTHING):
            if side not in sides:
                yield Breach("send", f"no vector shows an answer that is {side.value}")
        asked = {vector.table.get("operation", vector.kind) for vector in self.golden if vector.request is not None}
        hooks = [kind for kind, hook in QUERIES.items() if self.hooks.implements(hook)]
        for kind in ("send", *hooks, *self.hooks.vendor.operations):
            if kind not in asked:
                yield Breach(kind, "no vector shows its request")
        if self.hooks.implements("verify_push") and not any(map(has_push, load_vectors(self.vectors))):
            yield Breach("push", "no vector shows a push")

    @law
    def test_vectors_have_provenance(self) -> Iterator[Breach]:
        """Each vector says on what it stands and how it was checked."""
        for vector in load_vectors(self.vectors):
            for name in ("kind", "source", "checked"):
                if not vector.table.get(name):
                    yield Breach(vector.name, f"has no {name}")

    @law
    def test_requests_are_golden(self) -> Iterator[Breach]:
        """What leaves is, byte for byte, the request of the vector."""
        for vector in self.golden:
            request = self.exchange(vector).request
            yield from (Breach(vector.name, what) for what in vector.differences(self.account.base_url, request))

    @law
    def test_answers_are_golden(self) -> Iterator[Breach]:
        """What the vendor answers, or pushes, means what the vector says."""
        for vector in self.golden:
            result = attempt(self.exchange(vector).decode, vector.response)
            if not agrees(vector.result, result):
                yield Breach(vector.name, f"means {show(result)}, not {dict(vector.result)}")
        if self.hooks.implements("verify_push"):
            for vector in filter(has_push, load_vectors(self.vectors)):
                if not agrees(vector.result, result := self.verify(vector)):
                    yield Breach(vector.name, f"means {show(result)}, not {dict(vector.result)}")
