"""Text as a stack writes it into text as a phone shows it: no markup, no pictures, no typography that costs a segment.

Pure. A character is replaced only by what a reader takes for the same; what has no such thing stays. What leaves is in
the GSM 7-bit alphabet where that can be had, since one letter outside of it more than halves a segment. Texts that hold
Chinese cannot be had so, and keep their letters as they are.
"""

from __future__ import annotations

import re
import unicodedata

from tocsin.model.segments import is_gsm7

MOST = 2000
"""Characters that are looked at; what comes after them is cut."""

_LINK = re.compile(r"!?\[([^\[\]\n]+)\]\((?:[^()\s]|\([^()\s]*\))*\)")
_STRONG = re.compile(r"(?<![\w*])(\*\*|~~)(?=[\w\"'(\[])([^*~\n]+?)(?<=[\w\"')\].!?%:])\1(?![\w*])")
_CODE = re.compile(r"(`{1,3})(?:[a-z]+\n)?([^`]+)\1")
_HEADING = re.compile(r"^ {0,3}#{1,6} +", re.MULTILINE)
_BLANKS = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" ?(?:\n ?)+")

# source: Unicode Character Database; each is replaced by what people write where they have no such key
_SIGNS = str.maketrans(
    {
        **dict.fromkeys("“”„‟«»″", '"'),
        **dict.fromkeys("‘’‚‛‹›′`´ʼ", "'"),
        **dict.fromkeys("‐‑‒–—―−﹣", "-"),
        **dict.fromkeys("•‣●◦▪∙⁃", "-"),
        "…": "...",
        "×": "x",
        "÷": "/",
        "⁄": "/",
        "→": "->",
        "⇒": "=>",
        "←": "<-",
        "↑": "[up]",
        "↓": "[down]",
        "≤": "<=",
        "≥": ">=",
        "≠": "!=",
        "≈": "~",
        "±": "+/-",
        "∞": "infinity",
        "µ": "u",
        "μ": "u",
        "©": "(C)",
        "®": "(R)",
        "™": "(TM)",
        "№": "No.",
        "²": "^2",
        "³": "^3",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
        "ı": "i",
        "œ": "oe",
        "Œ": "OE",
    }
)
_PICTURES = {
    **dict.fromkeys("✅✓✔☑🆗", "[ok]"),
    **dict.fromkeys("❌✖✗✘❎☒", "[x]"),
    **dict.fromkeys("⚠❗❕‼🚨", "[!]"),
    **dict.fromkeys("❓❔", "[?]"),
    **dict.fromkeys("🔴🟥", "[red]"),
    **dict.fromkeys("🟠🟧", "[orange]"),
    **dict.fromkeys("🟡🟨", "[yellow]"),
    **dict.fromkeys("🟢🟩", "[green]"),
    **dict.fromkeys("⬆🔼📈", "[up]"),
    **dict.fromkeys("⬇🔽📉", "[down]"),
    "🔥": "[fire]",
}
_LINE_ENDS = "\n\v\f\r\x85\u2028\u2029"
_INSTEAD = {"Cc": " ", "Zs": " ", "picture": " ", "Cf": "", "Co": "", "variant": "", "Cs": "?"}
"""What stands in the place of a letter, by its kind."""

_BRACKETS = str.maketrans("【】", "[]")
_IN_BRACKETS = re.compile(r"([\[(]) (\[[a-z!?]+\])")
_CELSIUS = re.compile(r" ?° ?([CF])\b")
_DEGREES = re.compile(r" ?°(?=\w)")


def plain(text: str) -> str:
    """Return a text without markup and pictures, in lines. It never ends as a signature does, and never begins so."""
    shown = _without_markup(unicodedata.normalize("NFC", text[:MOST].replace("\r\n", "\n")))
    shown = _IN_BRACKETS.sub(r"\1\2", _tidy("".join(map(_shown, shown)).translate(_BRACKETS)))
    folded = _tidy(_folded(shown))
    return folded if is_gsm7(folded) else shown


def one_line(text: str) -> str:
    """Return a text as `plain` does, in one line."""
    return " ".join(plain(text).split())


def _without_markup(text: str) -> str:
    text = _HEADING.sub("", _LINK.sub(r"\1", text))
    return _CODE.sub(r"\2", _STRONG.sub(r"\2", text))


def _shown(letter: str) -> str:
    """Return what is left of a letter: itself, a blank, a word for a picture, or nothing."""
    if " " <= letter <= "~":
        return letter
    if letter in _PICTURES:
        return f" {_PICTURES[letter]} "
    if letter in _LINE_ENDS:
        return "\n"
    kind = "variant" if _is_variant(letter) else "picture" if _is_picture(letter) else unicodedata.category(letter)
    return _INSTEAD.get(kind, letter)


def _is_variant(letter: str) -> bool:
    return "\ufe00" <= letter <= "\ufe0f" or letter == "\u20e3"


def _is_picture(letter: str) -> bool:
    return "\u2600" <= letter <= "\u27bf" or "\u2b00" <= letter <= "\u2bff" or "\U0001f000" <= letter <= "\U0001faff"


def _folded(text: str) -> str:
    """Return a text in plainer letters: typography as it is typed, accents that the alphabet lacks left out."""
    text = _DEGREES.sub(" deg ", _CELSIUS.sub(r" \1", text)).replace("°", " deg")
    return "".join(map(_plainer, text.translate(_SIGNS)))


def _plainer(letter: str) -> str:
    if is_gsm7(letter):
        return letter
    if "\uff01" <= letter <= "\uff5e":
        return chr(ord(letter) - 0xFEE0)
    bare = unicodedata.normalize("NFD", letter)
    return bare[0] if bare[0].isascii() and bare[0].isalpha() and all(map(unicodedata.combining, bare[1:])) else letter


def _tidy(text: str) -> str:
    return _LINES.sub("\n", _BLANKS.sub(" ", text)).strip()
