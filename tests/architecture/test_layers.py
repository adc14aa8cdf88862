"""The contracts of `.importlinter` hold, and each of them can fail."""

import copy
from pathlib import Path

import grimp
import pytest
from importlinter.api import read_configuration
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.independence import IndependenceContract
from importlinter.contracts.layers import LayersContract
from importlinter.contracts.protected import ProtectedContract

ROOT = Path(__file__).parents[2]
KINDS = {
    "forbidden": ForbiddenContract,
    "independence": IndependenceContract,
    "layers": LayersContract,
    "protected": ProtectedContract,
}
CONFIGURATION = read_configuration(str(ROOT / ".importlinter"))
OPTIONS = {contract["id"]: contract for contract in CONFIGURATION["contracts_options"]}

INTRUSIONS = {
    "rings": ("tocsin.model.ids", "tocsin.registry"),
    "outbox": ("tocsin.outbox.state", "tocsin.outbox.store"),
    "policy": ("tocsin.policy.order", "tocsin.outbox.memory"),
    "pure": ("tocsin_ipyy.codes", "socket"),
    "http": ("tocsin.delivery.submit", "urllib3"),
    "sqlite": ("tocsin.app", "sqlite3"),
    "terminal": ("tocsin.config.load", "click"),
    "sandbox": ("tocsin.delivery.submit", "tocsin.sandbox"),
    "vendors": ("tocsin.registry", "tocsin_winnerlook"),
    "plugins": ("tocsin_ipyy.codec", "tocsin_winnerlook.codes"),
    "front": ("tocsin_winnerlook.codec", "tocsin.errors"),
}
"""For each contract one import that it must not allow: who imports, and what."""


@pytest.fixture(scope="module")
def imports():
    """Return the graph of who imports whom."""
    session = CONFIGURATION["session_options"]
    return grimp.build_graph(
        *session["root_packages"],
        include_external_packages=True,
        exclude_type_checking_imports=session["exclude_type_checking_imports"] == "True",
        cache_dir=None,
    )


def is_kept(contract_id: str, imports: grimp.ImportGraph) -> bool:
    options = OPTIONS[contract_id]
    contract = KINDS[options["type"]](options["name"], CONFIGURATION["session_options"], options)
    return contract.check(copy.deepcopy(imports), verbose=False).kept


@pytest.mark.parametrize("contract_id", OPTIONS)
def test_contract_holds(contract_id, imports):
    """No module imports what its contracts forbid."""
    assert is_kept(contract_id, imports), f"run make layers: {OPTIONS[contract_id]['name']}"


@pytest.mark.parametrize("contract_id", OPTIONS)
def test_contract_can_fail(contract_id, imports):
    """One import that a contract must not allow breaks it."""
    importer, imported = INTRUSIONS[contract_id]
    intruded = copy.deepcopy(imports)
    if imported not in intruded.modules:
        intruded.add_module(imported, is_squashed=True)
    intruded.add_import(importer=importer, imported=imported, line_number=1, line_contents=f"import {imported}")

    assert not is_kept(contract_id, intruded)
