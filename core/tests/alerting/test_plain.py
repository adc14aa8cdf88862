"""Text as a phone shows it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.alerting.plain import MOST, one_line, plain
from tocsin.model.segments import is_gsm7
from tocsin.policy.signature import is_signed

CHINESE = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=1)
LETTERS = st.text(st.characters(codec="utf-8"), max_size=80)

KEPT = [
    "rm *.log *.tmp",
    "**/b/**/c",
    "2**3**2",
    "a_b_c __name__",
    "x ~ y ~~ z",
    "#a is no heading",
    "10² 5‰ ½ Ⅳ ① x≮y",
    "磁盘已满，请处理",
    "“磁盘”—97%",
    "Ünïcode ﷽",
]
REPLACED = {
    "**Firing**\r\n\r\nValue: B=44.2": "Firing\nValue: B=44.2",
    "## Title ##": "Title ##",
    "see [the runbook](https://example.com/a(1)) now": "see the runbook now",
    "![graph](https://example.com/g.png)": "graph",
    "`uptime` and ```sh\nls\n```": "uptime and ls",
    "🔴 db1 – “down”…": '[red] db1 - "down"...',
    "[🔴 Down] web": "[[red] Down] web",
    "✅ up ❌ down ⚠️ hot": "[ok] up [x] down [!] hot",
    "👩‍👩‍👧 🇨🇳 home": "home",
    "97 °C, 90°, 5µs ≥ 3 ≠ 4": "97 C, 90 deg, 5us >= 3 != 4",
    "ação čert naïve Łódź": "acao cert naive Lodz",
    "Größe résumé ñ": "Größe résumé ñ",
    "Ａ：１": "A:1",
    "a\u202eb\u200bc\x00d\x7fe\tf\u00a0g": "abc d e f g",
    "half \ud83d": "half ?",
    "磁盘【紧急】": "磁盘[紧急]",
    "磁盘 🔥 97%": "磁盘 [fire] 97%",
    "🙂": "",
}


@pytest.mark.parametrize("text", KEPT)
def test_kept(text):
    """What only looks like markup, and what has no plainer form, stays."""
    assert plain(text) == text or is_gsm7(plain(text))
    assert text not in KEPT[:6] + KEPT[7:9] or plain(text) == text


@pytest.mark.parametrize(("text", "expected"), REPLACED.items())
def test_replaced(text, expected):
    """Markup and pictures go; typography is written as it is typed."""
    assert plain(text) == expected


@pytest.mark.parametrize("letter", "²½‰≮≯Ⅳ①㎡")
def test_no_letter_becomes_another_of_other_meaning(letter):
    """A power is no digit, a half no 12, a per mille no percent: what has no plainer form stays, or says what it is."""
    assert plain(f"1{letter}2") not in ("122", "112", "11/22", "1%2", "1<2", "1>2", "1IV2", "1m22")


@given(CHINESE)
def test_chinese_stays(text):
    """Every Chinese letter leaves as it came."""
    assert plain(text) == unicodedata.normalize("NFC", text)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126, blacklist_characters="*~`[]()#")))
def test_plain_letters_stay(text):
    """What has no markup and no other letters is changed in its blanks alone."""
    assert plain(text).split() == text.split()


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x24F, whitelist_categories=("Lu", "Ll", "Nd", "Zs"))))
def test_latin_costs_no_more_than_it_must(text):
    """A text of Latin letters with accents is in the GSM 7-bit alphabet, if each letter has a plain one in it."""
    bare = [unicodedata.normalize("NFD", letter)[0] for letter in text]
    if all(letter.isascii() for letter in bare):
        assert is_gsm7(plain(text))


@given(LETTERS)
def test_nothing_invisible_leaves(text):
    """No control but the end of a line, no mark of direction, no half of a letter leaves; and it is never signed."""
    shown = plain(text)

    assert not [one for one in shown if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Co") and one != "\n"]
    assert not is_signed(f"x{shown}")
    assert "\n" not in one_line(text)


@given(st.text(st.sampled_from("0123456789 ab.,:%🔴“”é磁")))
def test_digits_stay(text):
    """Digits leave as they came, in their order."""
    assert [one for one in plain(text) if one.isdigit()] == [one for one in text if one.isdigit()]


def test_a_long_text_is_cut():
    """However long a text is, little of it is looked at."""
    assert len(plain("x" * 10_000_000)) == MOST
