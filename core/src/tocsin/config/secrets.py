"""Where a secret's value comes from: the environment, a private file, the keyring, or (where allowed) the text itself.

Findings name the variable, file or keyring entry, never a value.
"""

from __future__ import annotations

import importlib
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

import attrs

from tocsin.config.findings import Unfit, quote
from tocsin.model.secret import Secret

_NOTATIONS = '{ env = "NAME" }, { file = "path" } or { keyring = "service/user" }'
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNREAD = "unread-unread-unread"
_READABLE_BY_OTHERS = stat.S_IRGRP | stat.S_IROTH


@attrs.frozen(kw_only=True)
class SecretResolver:
    """Turns the notations of a secret into the secret.

    Args:
        directory: that relative file names start from.
        environ: the environment; None leaves every secret where it is, for who sends nothing.
        allow_inline: whether a literal text may be a secret.
    """

    directory: Path
    environ: Mapping[str, str] | None = attrs.field(repr=False)
    allow_inline: bool = False

    def resolve(self, value: object) -> Secret:
        """Return the secret that the notation names; in place of one that is left where it is, a word that is none.

        Raises:
            Unfit: it is no such notation, or what it names is missing, empty or open to others.
        """
        if self.environ is None:
            return Secret(_UNREAD)
        match value:
            case str():
                found = self._from_text(value)
            case {"env": str(name), **rest} if not rest:
                found = _from_environment(name, self.environ)
            case {"file": str(name), **rest} if not rest:
                found = _from_file(self.directory / name)
            case {"keyring": str(name), **rest} if not rest:
                found = _from_keyring(name)
            case _:
                raise Unfit(f"expected {_NOTATIONS}")
        if not found:
            raise Unfit("expected a secret that is not empty")
        return Secret(found)

    def _from_text(self, value: str) -> str:
        if not self.allow_inline:
            raise Unfit(
                f"expected {_NOTATIONS}; a secret written into the file itself needs "
                "allow_inline_secrets = true at its top"
            )
        return value


def _from_environment(name: str, environ: Mapping[str, str]) -> str:
    if not _VARIABLE.fullmatch(name):
        raise Unfit('expected the name of an environment variable, as in { env = "NAME" }')
    if not environ.get(name):
        raise Unfit(f"the environment variable {name} is {'empty' if name in environ else 'not set'}")
    return environ[name]


def _from_file(path: Path) -> str:
    shown = quote(str(path))
    try:
        mode, content = _read(path)
    except OSError as error:
        raise Unfit(f"cannot read the file {shown}: {error.strerror}") from None
    except ValueError:
        raise Unfit('expected a file name, as in { file = "path" }') from None
    if not stat.S_ISREG(mode):
        raise Unfit(f"expected an ordinary file: {shown} is none")
    if mode & _READABLE_BY_OTHERS:
        raise Unfit(f"the file {shown} can be read by others; make it private with chmod 600")
    try:
        return content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise Unfit(f"expected UTF-8 text in the file {shown}") from None


def _read(path: Path) -> tuple[int, bytes]:
    """Return mode and content by one descriptor, so that the file cannot be exchanged in between."""
    with open(path, "rb", opener=_open_at_once) as file:
        mode = os.fstat(file.fileno()).st_mode
        return mode, file.read() if stat.S_ISREG(mode) else b""


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a pipe without a writer must not hold the start up


def _from_keyring(name: str) -> str:
    service, _, user = name.rpartition("/")
    if not service or not user:
        raise Unfit('expected { keyring = "service/user" }')
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        raise Unfit("needs the keyring library: pip install keyring") from None
    try:
        found: str | None = keyring.get_password(service, user)
    except keyring.errors.KeyringError:
        raise Unfit(f"the keyring could not be asked for {quote(name)}") from None
    if found is None:
        raise Unfit(f"the keyring has no entry {quote(name)}")
    return found
