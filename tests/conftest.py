"""The vendors' sandboxes as fixtures: real HTTP servers on loopback, fresh for each test."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tocsin.sandbox import RunningSandbox, start

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in a shell's background; processes under test would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def winnerlook() -> Iterator[RunningSandbox]:
    """Run winnerlook's side."""
    with start("winnerlook") as sandbox:
        yield sandbox


@pytest.fixture
def ipyy() -> Iterator[RunningSandbox]:
    """Run ipyy's side."""
    with start("ipyy") as sandbox:
        yield sandbox


@pytest.fixture(params=["winnerlook", "ipyy"])
def vendor(request: pytest.FixtureRequest) -> RunningSandbox:
    """Run each vendor's side in turn."""
    sandbox: RunningSandbox = request.getfixturevalue(request.param)
    return sandbox
