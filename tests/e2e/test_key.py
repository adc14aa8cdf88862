"""`tocsin key new`: the key is shown once; what is printed beside it is a table that the configuration takes."""

import hashlib
import tomllib


def test_a_key_goes_with_its_table(terminal):
    """Standard output is the key alone; standard error holds its table, with its digest and not the key."""
    ran = terminal.run("key", "new", "--name", 'alert"manager', "--scope", "send:alert", "--scope", "read")
    key = ran.out.strip()
    (table,) = tomllib.loads(ran.err.split("\n", 1)[1])["gateway"]["keys"]

    assert ran.status == 0
    assert len(key) >= 32
    assert table == {
        "name": 'alert"manager',
        "sha256": hashlib.sha256(key.encode()).hexdigest(),
        "scopes": ["send:alert", "read"],
    }
    assert key not in ran.err


def test_two_keys_differ(terminal):
    """Each call makes another key, as one JSON document where that is asked for."""
    first, second = (terminal.run("key", "new", "--name", "a", "--scope", "read", "--json").json for _ in range(2))

    assert first["key"] != second["key"]
    assert first.keys() == {"key", "name", "sha256", "scopes"}


def test_a_scope_that_is_none_is_refused(terminal):
    """A usage error names the scopes that there are."""
    ran = terminal.run("key", "new", "--name", "a", "--scope", "everything")

    assert ran.status == 2
    assert "send:critical" in ran.err
