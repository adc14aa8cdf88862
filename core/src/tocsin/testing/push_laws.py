"""Laws of pushes: whoever knows the address may post to it, so nothing is believed for being posted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tocsin.errors import PluginError
from tocsin.plugin import HttpResponse, PushRefused, VerifiedPush
from tocsin.testing.declaration import Declaration, change_settings
from tocsin.testing.hostile import cut, damaged, garbage
from tocsin.testing.law import Breach, law
from tocsin.testing.vectors import Vector


class PushLaws(Declaration):
    """See each law. Skipped where the plugin has no `verify_push`."""

    @law
    def test_forged_pushes_are_refused(self) -> Iterator[Breach]:
        """A push without content, one that is garbage, and one that names another account is refused."""
        for vector in self.pushes:
            empty = self._verified(vector, body=b"", query=())
            forged = {"a push without content": empty}
            forged |= {what: self._verified(vector, body=answer.body) for what, answer in garbage(_as_answer(vector))}
            if self._names_the_account(vector):
                forged["a push for another account"] = self._verified(vector, settings=self.stranger)
            for what, result in forged.items():
                if not isinstance(result, PushRefused):
                    yield Breach(vector.name, f"{what} is not refused")

    @law
    def test_pushes_never_raise(self) -> Iterator[Breach]:
        """Whatever is posted is verified or refused; nothing that a stranger posts raises."""
        for vector in self.pushes:
            bodies = dict(damaged(vector.push.body))
            bodies |= {what: one.body for spoil in (garbage, cut) for what, one in spoil(_as_answer(vector))}
            for what, body in bodies.items():
                result = self._verified(vector, body=body)
                if not isinstance(result, VerifiedPush | PushRefused):
                    yield Breach(vector.name, f"{what}: {type(result).__name__}")

    def _verified(self, vector: Vector, **changes: Any) -> object:
        try:
            return self.verify(vector, **changes)
        except PluginError as error:  # the registry makes it of whatever the hook raises
            return error

    def _names_the_account(self, vector: Vector) -> bool:
        """Say whether the push holds what a stranger's account has otherwise."""
        settings = change_settings(self.account, vector.settings).settings
        own = [str(getattr(settings, name)) for name in self.stranger]
        told = [value for _, value in vector.push.query]
        return any(value.encode("utf-8") in vector.push.body or value in told for value in own)


def _as_answer(vector: Vector) -> HttpResponse:
    return HttpResponse(status=200, body=vector.push.body)
