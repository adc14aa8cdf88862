"""The kit is proved by what it catches: each broken plugin breaks the laws that it was made to break, and no others."""

from __future__ import annotations

import pytest

from tocsin.plugin import hookimpl
from tocsin.testing.conformance import VendorConformance
from tocsin.testing.law import LawBroken, laws_of

from . import broken_answers, broken_descriptions, broken_requests, broken_secrets
from .catalogue import BROKEN
from .toy import Toy, conformance

LAWS = laws_of(VendorConformance)
SHELVES = (broken_answers, broken_descriptions, broken_requests, broken_secrets)


def broken_laws(toy, **declared):
    """Try every law; return the names of those that are broken."""
    kit = conformance(toy, **declared)
    return {name for name, law in LAWS.items() if is_broken(law, kit)}


def is_broken(law, kit):
    try:
        law(kit())
    except LawBroken:
        return True
    return False


def test_good_plugin_keeps_every_law():
    """A plugin that does what it should is let through: the laws can be kept."""
    assert broken_laws(Toy()) == set()


@pytest.mark.parametrize("variant", BROKEN, ids=lambda variant: variant.__name__)
def test_broken_plugin_breaks_its_law(variant):
    """A broken plugin is caught by the laws that it breaks, and by no other."""
    assert broken_laws(variant()) == BROKEN[variant]


@pytest.mark.parametrize("shelf", SHELVES, ids=lambda shelf: shelf.__name__.rpartition(".")[2])
def test_every_variant_is_catalogued(shelf):
    """No broken plugin is left out of the catalogue."""
    variants = {one for one in vars(shelf).values() if isinstance(one, type) and issubclass(one, Toy)} - {Toy}

    assert variants
    assert variants <= BROKEN.keys()


@pytest.mark.parametrize("law", LAWS)
def test_every_law_can_be_broken(law):
    """There is no law that nothing breaks."""
    elsewhere = {"entry_point_is_installed", "vectors_cover_the_hooks", "vectors_have_provenance"}

    assert law in elsewhere.union(*BROKEN.values())


class LacksAHook(Toy):
    fits = None


class ForgetsAMarker(Toy):
    def send(self, account, submission, now):
        return super().send(account, submission, now)


class AsksForMore(Toy):
    @hookimpl
    def query_balance(self, account, now, extra):
        return super().query_balance(account, now)


class MisspellsAHook(Toy):
    @hookimpl
    def fetch_report(self, account):
        return super().fetch_reports(account, None)


@pytest.mark.parametrize("variant", [LacksAHook, ForgetsAMarker, AsksForMore, MisspellsAHook])
def test_plugin_that_cannot_be_called_is_caught(variant):
    """A plugin without a required hook, or with one that the contract has not, breaks the law of hooks."""
    assert "hooks_fit_the_contract" in broken_laws(variant())


def test_plugin_that_is_not_installed_is_caught():
    """A plugin without an entry point is caught, and only there."""
    assert broken_laws(Toy(), installed=staticmethod(list)) == {"entry_point_is_installed"}


def test_plugin_behind_another_entry_point_is_caught():
    """An entry point that loads another plugin is caught."""
    mine, other = Toy(), conformance(Toy())

    assert broken_laws(mine, installed=staticmethod(other.installed)) == {"entry_point_is_installed"}


def test_request_that_nobody_reads_is_caught():
    """A vendor without sandbox and reader cannot show that its requests hold what they should."""
    assert broken_laws(Toy(), read_submit=None) == {"what_fits_arrives_whole", "options_leave_in_the_request"}
