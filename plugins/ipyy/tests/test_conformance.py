"""ipyy keeps the laws that every vendor plugin keeps."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import tocsin_ipyy
from tocsin.plugin import Account, AccountId, Secret
from tocsin.testing.conformance import VendorConformance
from tocsin_ipyy.settings import Settings


class TestIpyy(VendorConformance):
    """Every law, by every interface."""

    plugin = tocsin_ipyy
    account = Account(
        id=AccountId("test"),
        vendor="ipyy",
        base_url="https://ipyy.example",
        settings=Settings(user_id="12", account="demo", password=Secret("abc123")),
    )
    vectors = Path(__file__).parent / "vectors"
    sandbox = "ipyy"
    now = datetime(2010, 10, 1, tzinfo=UTC)
    variants = (
        {"password_md5": True},
        {"interface": "soap", "soap_version": "1.2"},
        {"interface": "gbk", "reports": "json"},
    )
    expected_failures: ClassVar = {
        "one_byte_changes_no_side[send-counts-nobody]": "a success that counts nobody is one byte from one that counts",
        "one_byte_changes_no_side[json-send-duplicate]": "a name that stands twice is one byte from two names",
    }
