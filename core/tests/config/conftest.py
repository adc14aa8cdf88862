"""Two vendors to configure, with the fields that the contract's example uses, and a reader of TOML texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import attrs
import pytest

from tocsin.config import Config, load_config
from tocsin.errors import ConfigError
from tocsin.model.account import Capabilities, Limits, Rate, Vendor
from tocsin.model.alert import SourceKind
from tocsin.model.secret import Secret

ENVIRON = {
    "WINNERLOOK_PASSWORD": "first-canary",
    "IPYY_PASSWORD": "second-canary",
    "MAIN_PUSH_TOKEN": "third-canary",
}


def _digits(_: object, __: object, value: str) -> None:
    if not value.isdigit():
        raise ValueError("expected digits")


@attrs.frozen(kw_only=True)
class WinnerlookSettings:
    user_code: str
    password: Secret
    channel: str = attrs.field(validator=_digits)
    interface: Literal["post", "get", "soap11", "soap12"] = "post"
    encrypt: bool = False
    validated_text: Literal["soap", "widen"] = "soap"


@attrs.frozen(kw_only=True)
class IpyySettings:
    user_id: str = attrs.field(validator=_digits)
    account: str
    password: Secret
    password_md5: bool = False
    interface: str = "xml"
    reports: str = "xml"


_CAN = Capabilities(max_recipients=500, interfaces=("post",))
VENDORS = {
    vendor.name: vendor
    for vendor in (
        Vendor(
            name="winnerlook",
            title="Winnerlook",
            settings=WinnerlookSettings,
            base_url="http://sms.example.com",
            capabilities=_CAN,
            limits=Limits(submits=(Rate(20, 1),), per_recipient=(Rate(5, 60),)),
        ),
        Vendor(name="ipyy", title="ipyy", settings=IpyySettings, base_url="https://sms.example.org", capabilities=_CAN),
        Vendor(name="homeless", title="Homeless", settings=IpyySettings, base_url=None, capabilities=_CAN),
    )
}


KINDS = {"alertmanager": SourceKind(name="alertmanager", title="Alertmanager")}


@pytest.fixture(scope="session")
def environ() -> Mapping[str, str]:
    return MappingProxyType(ENVIRON)


@pytest.fixture(scope="session")
def vendors() -> Mapping[str, Vendor]:
    return MappingProxyType(VENDORS)


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], Config]:
    """Write the text to tocsin.toml and load it."""

    def load(text: str) -> Config:
        path = tmp_path / "tocsin.toml"
        path.write_text(text, encoding="utf-8")
        return load_config(path, vendors=VENDORS, sources=KINDS, environ=ENVIRON)

    return load


@pytest.fixture
def findings(read: Callable[[str], Config]) -> Callable[[str], tuple[str, ...]]:
    """Load the text and return what is wrong with it; nothing where all is well."""

    def load(text: str) -> tuple[str, ...]:
        try:
            read(text)
        except ConfigError as error:
            return error.findings
        return ()

    return load
