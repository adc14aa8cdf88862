"""Multimedia messages: what fits, and the container. Its golden vectors are the conformance kit's to try."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tocsin_ipyy as plugin
from tocsin.plugin import E164, Account, AccountId, Attachment, Secret, Submission
from tocsin_ipyy.codec_request import decode_tms, encode_tms
from tocsin_ipyy.settings import Settings

NOW = datetime(2010, 10, 1, tzinfo=UTC)
ORDERS = st.sampled_from(["little", "big"])
PICTURE = Attachment("pic.gif", b"GIF89a\0")

names = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)
elements = st.lists(st.builds(Attachment, names, st.binary()), max_size=4).map(tuple)


def account(**changes):
    own = {"user_id": "12", "account": "demo", "password": Secret("abc123"), **changes}
    return Account(id=AccountId("test"), vendor="ipyy", base_url="https://ipyy.example", settings=Settings(**own))


def mms(*attachments, text="", subject="Subject", **more):
    to = (E164("+8613900000000"),)
    return Submission(to=to, texts=(text,), subject=subject, attachments=attachments or (PICTURE,), **more)


def sent(submission, **changes):
    request = plugin.send(account(**changes), submission, NOW).request
    assert request.url == "https://ipyy.example/mms.aspx"
    return {name: value for name, (value,) in parse_qs(request.body.decode(), keep_blank_values=True).items()}


@given(elements=elements, order=ORDERS)
def test_a_container_gives_back_its_elements(elements, order):
    """Whatever elements go into a container come out of it, in order."""
    assert decode_tms(encode_tms(elements, order), order) == elements


@given(elements=elements.filter(bool), order=ORDERS, data=st.data())
def test_a_cut_container_is_an_error_or_whole_elements(elements, order, data):
    """A container that is cut gives its first elements, where the cut is between two, or a ValueError."""
    container = encode_tms(elements, order)
    cut = container[: data.draw(st.integers(0, len(container) - 1))]
    try:
        assert decode_tms(cut, order) == elements[: len(decode_tms(cut, order))]
    except ValueError:
        assert cut not in [encode_tms(elements[:count], order) for count in range(len(elements))]


@given(container=st.binary(), order=ORDERS)
def test_random_bytes_are_a_container_or_a_value_error(container, order):
    """A container decodes to elements that encode to the same bytes, or is a ValueError."""
    try:
        found = decode_tms(container, order)
    except ValueError:
        return
    assert encode_tms(found, order) == container


@pytest.mark.parametrize("interface", ["xml", "gbk", "json", "encrypted", "soap"])
def test_every_interface_sends_mms_by_its_one_page(interface):
    """Multimedia messages have one page, whatever interface texts go by; time and extension go with them."""
    later = datetime(2010, 10, 24, 1, 8, 10, tzinfo=UTC)
    form = sent(mms(extension="01", send_at=later), interface=interface)

    assert (form["sendTime"], form["extno"], form["subject"]) == ("2010-10-24 09:08:10", "01", "Subject")
    assert decode_tms(base64.b64decode(form["content"]), "little") == (PICTURE,)


def test_the_text_is_the_first_element():
    """The document has no place for a text: it is an element of its own, before the attachments, as it was written."""
    form = sent(mms(text="见 <b>"))

    assert decode_tms(base64.b64decode(form["content"]), "little") == (
        Attachment("text.txt", "见 <b>".encode()),
        PICTURE,
    )


@pytest.mark.parametrize(
    ("submission", "changes", "why"),
    [
        (mms(), {}, ""),
        (mms(Attachment("a b.txt", b"")), {}, ""),
        (mms(text="no signature, and blank \n"), {}, ""),
        (mms(subject="  "), {}, "needs a subject"),
        (mms(subject="a\x07"), {}, "control"),
        (mms(subject="<b>"), {}, "refuses the subject"),
        (mms(subject="<b>"), {"validated_text": "widen"}, ""),
        (mms(Attachment("图.gif", b"")), {}, "ASCII"),
        (mms(Attachment("a\0b", b"")), {}, "ASCII"),
        (mms(Attachment("", b"")), {}, "ASCII"),
        (mms(Attachment("text.txt", b""), text="text"), {}, "own element"),
        (mms(Attachment("text.txt", b"")), {}, ""),
        (mms(), {"account": "<a"}, "login"),
    ],
)
def test_what_cannot_be_carried_is_said(submission, changes, why):
    """A multimedia message that the page cannot carry is turned down with its reason; every other one fits."""
    said = plugin.fits(account(**changes), submission)

    assert why in said
    assert bool(said) is bool(why)


def test_a_widened_subject_is_sent():
    """Where texts are to be widened, so is a subject."""
    assert sent(mms(subject="<b> &#1;"), validated_text="widen")["subject"] == "＜b> ＆#1;"
