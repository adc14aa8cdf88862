"""The conformance kit: subclass `VendorConformance`, name the plugin and its vectors, and run pytest.

    class TestWinnerlook(VendorConformance):
        plugin = tocsin_winnerlook
        account = Account(id=AccountId("test"), vendor="winnerlook", base_url="http://vendor.invalid", settings=…)
        vectors = Path(__file__).parent / "vectors"
        sandbox = "winnerlook"

Each law is a test method. A law may be expected to fail, with a reason, for the plugin or for one vector; it is never
overridden and never deleted: a subclass that tries is no class at all. See `docs/reference/conformance.md`.
"""

from __future__ import annotations

import re
from typing import Any

from tocsin.errors import MissingExtra

try:
    import hypothesis  # noqa: F401  # asked for here, so that whoever lacks it is told once and plainly
    import pytest
except ImportError:
    raise MissingExtra("testing", "the conformance kit") from None

from tocsin.testing.answer_laws import AnswerLaws
from tocsin.testing.contract_laws import ContractLaws
from tocsin.testing.law import laws_of
from tocsin.testing.purity_laws import PurityLaws
from tocsin.testing.push_laws import PushLaws
from tocsin.testing.secrecy_laws import SecrecyLaws
from tocsin.testing.submit_laws import SubmitLaws
from tocsin.testing.vector_laws import VectorLaws


class VendorConformance(ContractLaws, VectorLaws, SubmitLaws, AnswerLaws, SecrecyLaws, PushLaws, PurityLaws):
    """Every law that a vendor plugin keeps. What a subclass states is described at `Declaration`."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        laws = laws_of(VendorConformance)
        for name, written in laws.items():
            if getattr(cls, written.__name__) is not written:
                raise TypeError(f"{cls.__name__} overrides the law {name}; expect its failure, or keep it")
        for key, reason in cls.expected_failures.items():
            if re.sub(r"\[.*\]$", "", key) not in laws or not reason:
                raise TypeError(f"{cls.__name__} expects {key!r} to fail: no such law, or no reason given")

    @pytest.fixture(autouse=True)
    def _expect_failure(self, request: pytest.FixtureRequest) -> None:
        """Mark a law that this plugin is known to break; it must then break it."""
        law = request.function.__name__.removeprefix("test_")
        if reason := self.expected_failures.get(law):
            request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
