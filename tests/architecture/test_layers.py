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

INTRUSIONS = (
    ("rings", "tocsin.model.ids", "tocsin.registry"),
    ("rings", "tocsin.verify", "tocsin.delivery.ask"),
    ("rings", "tocsin.story", "tocsin.verify"),
    ("rings", "tocsin.delivery.worker", "tocsin.simulate.world"),
    ("rings", "tocsin.app", "tocsin.simulate.world"),
    ("outbox", "tocsin.outbox.state", "tocsin.outbox.store"),
    ("outbox", "tocsin.outbox.settling", "tocsin.outbox.claims"),
    ("outbox", "tocsin.outbox.sqlite_session", "tocsin.outbox.sqlite_review"),
    ("policy", "tocsin.policy.order", "tocsin.outbox.memory"),
    ("policy", "tocsin.policy.standing", "tocsin.outbox.evidence"),
    ("pure", "tocsin_ipyy.codes", "socket"),
    ("pure", "tocsin.policy.choose", "random"),
    ("pure", "tocsin.outbox.claims", "time"),
    ("pure", "tocsin.outbox.settling", "threading"),
    ("pure", "tocsin.verify", "sqlite3"),
    ("simulator", "tocsin.simulate.world", "time"),
    ("simulator", "tocsin.simulate.rows", "tocsin.outbox.sqlite"),
    ("rings", "tocsin.simulate.world", "tocsin.rehearse.stage"),
    ("rehearsal", "tocsin.rehearse.worker", "time"),
    ("rehearsal", "tocsin.rehearse.stage", "tocsin.wire.pool"),
    ("rehearsal", "tocsin.rehearse.rehearsal", "tocsin.app"),
    ("http", "tocsin.delivery.submit", "urllib3"),
    ("sqlite", "tocsin.app", "sqlite3"),
    ("terminal", "tocsin.config.load", "click"),
    ("server", "tocsin.delivery.push", "falcon"),
    ("pure", "tocsin.alerting.verdict", "time"),
    ("rings", "tocsin.alerting.intake", "tocsin.app"),
    ("rings", "tocsin.standing", "tocsin.gateway.looking"),
    ("sandbox", "tocsin.delivery.submit", "tocsin.sandbox"),
    ("vendors", "tocsin.registry", "tocsin_winnerlook"),
    ("plugins", "tocsin_ipyy.codec", "tocsin_winnerlook.codes"),
    ("front", "tocsin_winnerlook.codec", "tocsin.errors"),
)
"""Of each contract imports that it must not allow: which contract, who imports, and what."""


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


@pytest.mark.parametrize(("contract_id", "importer", "imported"), INTRUSIONS)
def test_contract_can_fail(contract_id, importer, imported, imports):
    """One import that a contract must not allow breaks it."""
    intruded = copy.deepcopy(imports)
    assert importer in intruded.modules, "nobody of that name could intrude"
    if imported not in intruded.modules:
        intruded.add_module(imported, is_squashed=True)
    intruded.add_import(importer=importer, imported=imported, line_number=1, line_contents=f"import {imported}")

    assert not is_kept(contract_id, intruded)


def test_each_contract_is_shown_to_fail():
    """No contract is without an import that would break it."""
    assert {contract_id for contract_id, _, _ in INTRUSIONS} == OPTIONS.keys()
