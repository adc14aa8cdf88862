"""The document's digest and cipher, against its own values. Two other libraries are asked in tests/independent."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tocsin_ipyy import crypto


def load(name):
    return tomllib.loads((Path(__file__).parent / "vectors" / f"{name}.toml").read_text("utf-8"))


def test_md5_is_the_documents():
    """The MD5 of a password is the one that chapter 1.2 shows."""
    vector = load("md5")

    assert crypto.md5(vector["password"]) == vector["result"]


def test_secret_is_the_documents():
    """Password and stamp give the Secret that chapter 1.5 shows."""
    vector = load("secret")

    assert crypto.md5(vector["password"] + vector["stamp"]) == vector["result"]


def test_text64_is_the_documents():
    """The JSON text of chapter 1.5 is encrypted to its Text64."""
    vector = load("text64")

    assert crypto.encrypt_text64(vector["password"], vector["plain"]) == vector["result"]
