"""winnerlook keeps the laws that every vendor plugin keeps."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import tocsin_winnerlook
from tocsin.plugin import Account, AccountId, Secret
from tocsin.testing.conformance import VendorConformance
from tocsin_winnerlook.settings import Settings


class TestWinnerlook(VendorConformance):
    """Every law, by every interface, plain and encrypted."""

    plugin = tocsin_winnerlook
    account = Account(
        id=AccountId("test"),
        vendor="winnerlook",
        base_url="http://winnerlook.example",
        settings=Settings(user_code="demo", password=Secret("123"), channel="37"),
    )
    vectors = Path(__file__).parent / "vectors"
    sandbox = "winnerlook"
    variants = ({"encrypt": True}, {"encrypt": True, "interface": "get"}, {"poll_version": 1})
    stranger: ClassVar = {"user_code": "somebody-else"}
