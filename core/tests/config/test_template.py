"""The file that `tocsin init` writes."""

from __future__ import annotations

import re
from decimal import Decimal

import attrs

from tocsin.config import TEMPLATE
from tocsin.model.limits import FleetLimits, OptOut
from tocsin.model.message import MessageClass
from tocsin.model.source import Source

_OPTION = re.compile(r"^#(?=[a-z_]+ = )", re.MULTILINE)


def test_the_template_loads(read):
    """With its variables set, the file as written is a configuration: two accounts, one failover route over both."""
    config = read(TEMPLATE)

    assert [account.vendor for account in config.accounts.values()] == ["winnerlook", "ipyy"]
    assert [(route.name, route.accounts) for route in config.routes] == [("all", ("main", "backup"))]


def test_every_option_of_the_template_can_be_switched_on(read):
    """Each line that is commented out is valid where it stands, all of them together."""
    config = read(_OPTION.sub("", TEMPLATE))

    assert len(_OPTION.findall(TEMPLATE)) >= 19
    assert config.accounts["main"].signature == "【Example】"
    assert config.routes[0].changes.max_copies == 2
    assert config.limits == FleetLimits(spend_per_day=Decimal(500))
    assert config.opt_out == OptOut(exempt=frozenset({MessageClass.OTP}))
    source = config.sources["alertmanager"]
    assert (source.groups, source.receivers, source.quiet is None) == (("oncall",), {"dba": ("oncall",)}, False)
    assert attrs.evolve(source, groups=(), receivers={}, classes={}, quiet=None) == Source(
        name="alertmanager", kind="alertmanager"
    )


def test_the_template_holds_no_secret():
    """Every secret of the file is named by its environment variable."""
    passwords = [line for line in TEMPLATE.splitlines() if line.startswith(("password", "token"))]

    assert len(passwords) == 2
    assert all("{ env = " in line for line in passwords)


def test_the_template_fits_a_terminal():
    """No line is longer than 120 characters."""
    assert max(map(len, TEMPLATE.splitlines())) <= 120
