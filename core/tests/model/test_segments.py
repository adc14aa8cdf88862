"""How many segments a text takes, by the known vectors of the trade and by the laws of any count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.model.segments import ALIKE, Room, SegmentRule, is_gsm7

GSM = SegmentRule()
TABLE = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = "\f^{}\\[~]|€"
RULES = {"gsm": GSM, "alike": ALIKE, "narrow": SegmentRule(gsm7=Room(7, 5), ucs2=Room(3, 2))}

rules = pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
texts = st.text(st.one_of(st.sampled_from("aé€[你😀𝄞"), st.characters()), max_size=400)


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 153 * 2, 2),
        ("a" * (153 * 2 + 1), 3),
        ("a" * (153 * 7), 7),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 159 + "€", 2),
        ("a" * 158 + "€", 1),
        ("a" * 152 + "€" + "a" * 151, 2),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("€" * 76 * 2, 2),
        ("€" * (76 * 2 + 1), 3),
        ("你" * 70, 1),
        ("你" * 71, 2),
        ("你" * 134, 2),
        ("你" * 135, 3),
        ("a" * 69 + "你", 1),
        ("a" * 70 + "你", 2),
        ("a" * 159 + "你", 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("你" * 66 + "😀" + "你" * 65, 2),
        ("你" * 66 + "😀" + "你" * 66, 3),
        ("`" * 71, 2),
        ("\uffff" * 70, 1),
        ("\U00010000" * 36, 2),
    ],
)
def test_the_known_counts_of_the_trade(text, segments):
    """160 and 153 septets, or 70 and 67 UTF-16 units; a letter of two stays whole; one other letter changes all."""
    assert GSM.count(text) == segments


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1),
        ("a" * 70, 1),
        ("a" * 71, 2),
        ("a" * 134, 2),
        ("a" * 135, 3),
        ("你" * 71, 2),
        ("€" * 70, 1),
        ("😀" * 36, 2),
    ],
)
def test_alike_counts_latin_letters_as_chinese_ones(text, segments):
    """70 and 67, whatever the letters: none counts twice but those that are two UTF-16 units."""
    assert ALIKE.count(text) == segments


@pytest.mark.parametrize("letters", [TABLE, EXTENSION], ids=["table", "extension"])
def test_the_alphabet_is_that_of_the_standard(letters):
    """The 127 letters of the table, without its escape, and the 10 of the extension are GSM 7-bit, each of its size."""
    size = 1 if letters == TABLE else 2

    assert len(set(letters)) == len(letters) == (127 if letters == TABLE else 10)
    assert all(is_gsm7(letter) for letter in letters)
    assert [GSM.count(letter * (160 // size)) for letter in letters] == [1] * len(letters)
    assert [GSM.count(letter * (160 // size + 1)) for letter in letters] == [2] * len(letters)


@given(st.characters().filter(lambda letter: letter not in TABLE + EXTENSION))
def test_no_other_letter_is_in_the_alphabet(letter):
    """Whatever else stands in a text, one letter is enough to make it UCS-2."""
    assert not is_gsm7("a" + letter)
    assert GSM.count("a" * 69 + letter + "a") == 2


@rules
@given(text=texts, more=texts)
def test_a_longer_text_never_takes_fewer_segments(rule, text, more):
    """Appending never lowers the count, not even where it changes the alphabet.

    That holds while a part takes at least as many letters of two septets as of one UTF-16 unit.
    """
    assert 1 <= rule.count(text) <= rule.count(text + more)


@rules
@given(text=texts)
def test_a_count_is_that_of_full_parts_or_a_little_more(rule, text):
    """One segment where the whole fits; else no fewer than full parts, and no more than parts that each lose a unit."""
    gsm7 = rule.gsm7 is not None and set(text) <= set(TABLE + EXTENSION)
    units = len(text) + sum(text.count(letter) for letter in EXTENSION) if gsm7 else len(utf16(text)) // 2
    room = rule.gsm7 if gsm7 else rule.ucs2

    count = rule.count(text)

    assert (count == 1) == (units <= room.whole)
    if count > 1:
        assert -(-units // room.part) <= count <= -(-units // (room.part - 1))


def utf16(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")


@given(texts)
def test_a_text_without_letters_of_two_units_fills_its_parts(text):
    """Where no letter can fall apart, the count is the length over the part, rounded up."""
    plain = "".join(letter for letter in text if ord(letter) <= 0xFFFF)

    assert ALIKE.count(plain) == (1 if len(plain) <= 70 else -(-len(plain) // 67))


def test_a_part_may_be_as_large_as_a_whole():
    """A vendor that needs no room to join parts has a rule, too; its rooms are given by name."""
    assert SegmentRule(gsm7=None, ucs2=Room(70, 70)).count("a" * 140) == 2
    with pytest.raises(TypeError):
        SegmentRule(None, Room(70, 70))


@pytest.mark.parametrize(("whole", "part"), [(70, 71), (70, 1), (70, 0), (1, 1)])
def test_a_room_that_cannot_be_is_refused(whole, part):
    """A part holds at least one letter of two units, and no more than a text that is sent whole."""
    with pytest.raises(ValueError, match="expected a part"):
        Room(whole, part)
