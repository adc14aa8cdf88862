"""Secrets: where they come from, and that they are never shown."""

from __future__ import annotations

import os
import sys
import types

import pytest

from tocsin.config.findings import Unfit
from tocsin.config.secrets import SecretResolver

CANARY = "canary-7f3a"
NOTATIONS = '{ env = "NAME" }, { file = "path" } or { keyring = "service/user" }'


@pytest.fixture
def resolver(tmp_path):
    return SecretResolver(directory=tmp_path, environ={"FULL": CANARY, "EMPTY": ""})


@pytest.fixture
def keyring(monkeypatch):
    """A library of the keyring's shape with one entry."""
    library = types.ModuleType("keyring")
    library.errors = types.SimpleNamespace(KeyringError=type("KeyringError", (Exception,), {}))
    library.get_password = lambda service, user: {("sms/main", "demo"): CANARY}.get((service, user))
    monkeypatch.setitem(sys.modules, "keyring", library)
    return library


def private(path, content: bytes):
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def refusal(resolver, value) -> str:
    with pytest.raises(Unfit) as caught:
        resolver.resolve(value)
    return str(caught.value)


def test_a_secret_comes_from_the_environment(resolver):
    """`{ env = … }` is the variable's value, as it is."""
    assert resolver.resolve({"env": "FULL"}).reveal() == CANARY


@pytest.mark.parametrize(
    ("content", "secret"),
    [(b"s3cret", "s3cret"), (b"s3cret\n", "s3cret"), (b"s3cret\r\n", "s3cret"), (b"a \n\n", "a \n")],
)
def test_a_secret_comes_from_a_private_file_without_one_newline(resolver, tmp_path, content, secret):
    """`{ file = … }` is relative to the configuration; one newline at its end is the editor's, all else is kept."""
    private(tmp_path / "password", content)

    assert resolver.resolve({"file": "password"}).reveal() == secret


def test_a_secret_comes_from_the_keyring(resolver, keyring):
    """`{ keyring = … }` splits service and user at the last slash."""
    assert resolver.resolve({"keyring": "sms/main/demo"}).reveal() == CANARY


def test_a_literal_needs_permission(resolver, tmp_path):
    """A text is a secret only where the file allows inline secrets; else the finding shows the three notations."""
    allowing = SecretResolver(directory=tmp_path, environ={}, allow_inline=True)

    assert allowing.resolve(CANARY).reveal() == CANARY
    assert refusal(resolver, CANARY) == (
        f"expected {NOTATIONS}; a secret written into the file itself needs allow_inline_secrets = true at its top"
    )


@pytest.mark.parametrize(
    "value", [7, True, [], {}, {"enviroment": CANARY}, {"env": 1}, {"env": "FULL", "file": "x"}, {"env": None}]
)
def test_any_other_notation_is_answered_with_the_three(resolver, value):
    """What is none of the notations is met with all of them, and not repeated."""
    assert refusal(resolver, value) == f"expected {NOTATIONS}"


def test_a_missing_or_empty_variable_is_named(resolver):
    """The finding names the variable; a value mistaken for a name is not repeated."""
    assert refusal(resolver, {"env": "ABSENT"}) == "the environment variable ABSENT is not set"
    assert refusal(resolver, {"env": "EMPTY"}) == "the environment variable EMPTY is empty"
    assert CANARY not in refusal(resolver, {"env": CANARY})


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_that_others_can_read_is_refused(resolver, tmp_path, mode):
    """A password file must be private: group and others may not read it."""
    path = private(tmp_path / "password", CANARY.encode())
    path.chmod(mode)

    assert refusal(resolver, {"file": "password"}) == (
        f'the file "{path}" can be read by others; make it private with chmod 600'
    )


def test_a_file_that_cannot_be_read_is_named_with_the_reason(resolver, tmp_path):
    """Absent, a directory, not text, or no name at all: each is one finding, and a pipe does not block."""
    private(tmp_path / "binary", b"\xff\xfe")
    os.mkfifo(tmp_path / "pipe", 0o600)

    assert refusal(resolver, {"file": "absent"}).endswith('absent": No such file or directory')
    assert refusal(resolver, {"file": "."}).endswith(": Is a directory")
    assert refusal(resolver, {"file": "binary"}).startswith("expected UTF-8 text in the file")
    assert refusal(resolver, {"file": "a\0b"}) == 'expected a file name, as in { file = "path" }'
    assert refusal(resolver, {"file": "pipe"}).startswith("expected an ordinary file")


def test_an_empty_secret_is_refused(resolver, tmp_path):
    """An empty secret is a slip, wherever it comes from."""
    private(tmp_path / "empty", b"\n")

    assert refusal(resolver, {"file": "empty"}) == "expected a secret that is not empty"


def test_what_the_keyring_lacks_is_named(resolver, keyring):
    """A missing entry, a keyring that fails, and a name without user are findings."""
    assert refusal(resolver, {"keyring": "sms/other"}) == 'the keyring has no entry "sms/other"'
    assert refusal(resolver, {"keyring": "sms"}) == 'expected { keyring = "service/user" }'

    def fail(service, user):
        raise keyring.errors.KeyringError(CANARY)

    keyring.get_password = fail
    assert refusal(resolver, {"keyring": "sms/demo"}) == 'the keyring could not be asked for "sms/demo"'


def test_a_missing_keyring_library_is_named(resolver, monkeypatch):
    """Without the library the finding says what to install."""
    monkeypatch.setitem(sys.modules, "keyring", None)

    assert refusal(resolver, {"keyring": "sms/demo"}) == "needs the keyring library: pip install keyring"


@pytest.mark.parametrize("notation", [{"env": "UNSET"}, {"file": "gone"}, {"keyring": "a/b"}, "text", 1])
def test_who_sends_nothing_reads_no_secret(tmp_path, notation):
    """Without an environment every secret stays where it is, and what stands in its place is no part of it."""
    unread = SecretResolver(directory=tmp_path, environ=None).resolve(notation)
    assert unread == SecretResolver(directory=tmp_path, environ=None).resolve({"env": "FULL"})
    assert CANARY not in unread.reveal()


def test_the_resolver_shows_no_environment(resolver):
    """The environment holds the secrets, so it is not in the repr."""
    assert CANARY not in repr(resolver)


def test_a_loaded_configuration_shows_no_secret(read):
    """Neither repr nor str of the whole configuration holds a secret or a full number."""
    config = read(
        "allow_inline_secrets = true\n"
        '[accounts.a]\nvendor = "ipyy"\nuser_id = "1"\naccount = "x"\n'
        f'password = "{CANARY}"\npush = {{ token = "{CANARY}{CANARY}" }}\n'
        '[groups]\nall = ["13900000000"]\n'
    )

    assert config.accounts["a"].settings.password.reveal() == CANARY
    assert config.accounts["a"].push.token.reveal() == CANARY + CANARY
    assert CANARY not in repr(config)
    assert "13900000000" not in repr(config)


@pytest.mark.parametrize("token", ["eleven-char", "twelve/chars", "twelve chars", "zwölf-zeichen", "twelve-chars\\n"])
def test_a_token_that_cannot_stand_in_an_address_is_refused(findings, token):
    """A push token is a part of an address: one that is short, or would have to be escaped, is named and not shown."""
    found = findings(
        'allow_inline_secrets = true\n[accounts.a]\nvendor = "ipyy"\nuser_id = "1"\naccount = "x"\npassword = "x"\n'
        f'push = {{ token = "{token}" }}\n'
    )

    expected = "expected at least 12 letters, digits and - . _ ~ alone: it is a part of an address"
    assert found == (f"accounts.a.push.token: {expected}",)
