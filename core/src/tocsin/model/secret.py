"""A value that must not be seen: password, token, key."""

from __future__ import annotations

import attrs


@attrs.frozen(repr=False)
class Secret:
    """Holds a secret text. `repr()` and `str()` hide it; `reveal()` is the one way to read it."""

    _value: str

    def reveal(self) -> str:
        """Return the secret. Call it where bytes for the wire are made, and nowhere else."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"
