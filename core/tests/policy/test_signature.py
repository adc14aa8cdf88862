"""The signature rule: one signature at the end, the text's own or the account's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.policy.signature import is_signed, sign

SIGNATURE = "【Example】"
inner_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="【】"), min_size=1, max_size=10)
signatures = st.just("") | inner_texts.map("【{}】".format)
texts = st.text("ab\n【】", max_size=12) | st.text(max_size=20)


@pytest.mark.parametrize(
    ("text", "signed"),
    [
        ("disk full【Example】", True),
        ("disk full\non db1【Example】", True),
        ("a【b】c【Example】", True),
        ("a【b】【Example】", True),
        ("】【Example】", True),
        ("【Example】", False),
        ("disk full", False),
        ("", False),
        ("【Example】disk full", False),
        ("disk full【Example】 ", False),
        ("disk full【Example】\n", False),
        ("disk full【】", False),
        ("disk full【Exam【ple】", True),
        ("disk full【Exam】ple】", False),
        ("disk full[Example]", False),
        ("disk full【Example", False),
    ],
)
def test_what_counts_as_signed(text, signed):
    """A text is signed where something stands before a last 【…】 that is not empty, holds no bracket and ends it."""
    assert is_signed(text) == signed
    assert sign(text, SIGNATURE) == (text if signed else text + SIGNATURE)


@given(texts, signatures)
def test_signing_twice_is_signing_once(text, signature):
    """A text that was signed is left alone, as soon as there is a text before its signature."""
    signed = sign(text, signature)

    assert sign(signed, signature) == signed or (not text and signature)


@given(texts.filter(bool), inner_texts, signatures)
def test_a_signed_text_keeps_its_own(text, name, signature):
    """Another account's signature changes nothing of a text that is signed."""
    signed = f"{text}【{name}】"

    assert sign(signed, signature) == signed


@given(texts, signatures)
def test_the_text_is_never_changed(text, signature):
    """Signing appends the account's signature or nothing; the text itself stands as it was written."""
    assert sign(text, signature) in (text, text + signature)
    assert not (text and signature) or is_signed(sign(text, signature))
