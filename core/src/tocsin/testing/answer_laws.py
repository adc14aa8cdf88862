"""Laws of answers: absence of an error is no success, and random bytes are neither acceptance nor refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.plugin import E164, Accepted, AnswerError, Batch, HttpResponse, Refused, SendResult, Unknown
from tocsin.testing.declaration import Declaration
from tocsin.testing.hostile import cut, damaged, garbage, recoded, with_statuses
from tocsin.testing.law import Breach, LawBroken, law
from tocsin.testing.meaning import Side, attempt, show, side_of
from tocsin.testing.vectors import Vector

_TURNED_DOWN = (Side.ACCEPTED, Side.REFUSED)
_OTHER_DIGITS = str.maketrans("0123456789", "5678901234")


class AnswerLaws(Declaration):
    """See each law."""

    @law
    def test_garbage_proves_nothing(self) -> Iterator[Breach]:
        """What is no answer of this vendor is neither acceptance nor refusal, no balance and no empty page."""
        for vector in self.one_of_each():
            decode = self.exchange(vector).decode
            for what, answer in garbage(vector.response):
                if (side := side_of(attempt(decode, answer))) is not Side.PROVES_NOTHING:
                    yield Breach(vector.name, f"{what} is taken for {side.value}")

    @law
    def test_random_bytes_prove_nothing(self) -> Iterator[Breach]:
        """Random bytes under the headers of a golden answer are neither acceptance nor refusal."""
        for vector in self.one_of_each():
            decode = self.exchange(vector).decode

            def check(answer: HttpResponse, decode: Callable[..., object] = decode, where: str = vector.name) -> None:
                if (side := side_of(attempt(decode, answer))) is not Side.PROVES_NOTHING:
                    raise LawBroken(f"random_bytes_prove_nothing: {where}: {answer.body!r} is taken for {side.value}")

            _for_random_bodies(vector.response, check)
        yield from ()

    @law
    def test_status_alone_proves_nothing(self) -> Iterator[Breach]:
        """Under a status that is no success a submit is not accepted, and refused only where the vendor lists it."""
        for vector in self.sends:
            decode = self.exchange(vector).decode
            for what, answer in with_statuses(vector.response):
                expected = answer.status in self.refusing_statuses or vector.response.status == answer.status
                side = side_of(attempt(decode, answer))
                if side is Side.ACCEPTED or (side is Side.REFUSED and not expected):
                    yield Breach(vector.name, f"{what} is taken for {side.value}")

    @law
    def test_cut_answers_prove_nothing(self) -> Iterator[Breach]:
        """A submit's answer that was cut short is no acceptance; a poll's gives rows of the whole one or nothing."""
        for vector in self.golden:
            decode = self.exchange(vector).decode
            whole = attempt(decode, vector.response)
            for what, answer in cut(attrs.evolve(vector.response, fault=vector.response.fault or "reset-in-body")):
                if wrong := _more_than(whole, attempt(decode, answer)):
                    yield Breach(vector.name, f"{what} {wrong}")

    @law
    def test_charsets_change_no_meaning(self) -> Iterator[Breach]:
        """An answer in a charset that it does not claim means what it means in its own, or proves nothing."""
        for vector in self.sends:
            decode = self.exchange(vector).decode
            golden = _meaning(attempt(decode, vector.response))
            for what, answer in recoded(vector.response, vector.charset):
                result = attempt(decode, answer)
                if side_of(result) is not Side.PROVES_NOTHING and _meaning(result) != golden:
                    yield Breach(vector.name, f"{what} means something else")

    @law
    def test_one_byte_changes_no_side(self) -> Iterator[Breach]:
        """One byte cut, put in or turned makes no acceptance of anything else, and no refusal of an acceptance.

        Whatever it makes, the codec raises its own error and no other.
        """
        for vector in self.golden:
            decode, golden = self.exchange(vector).decode, vector.response
            before = side_of(attempt(decode, golden))
            for what, body in damaged(golden.body):
                answer = attrs.evolve(golden, body=body)
                after = side_of(result := attempt(decode, answer))
                if before is not after and (after is Side.ACCEPTED or (before, after) == _TURNED_DOWN):
                    yield Breach(vector.name, f"{what}: {before.value} becomes {after.value}")
                if isinstance(result, Exception) and not isinstance(result, AnswerError):
                    yield Breach(vector.name, f"{what}: raises {type(result).__name__}")

    @law
    def test_codecs_raise_answer_error_alone(self) -> Iterator[Breach]:
        """Whatever the answer, `decode` returns what its hook promises or raises `AnswerError`."""
        once = self.one_of_each()
        for vector in self.golden:
            decode = self.exchange(vector).decode
            for spoil in (cut, recoded, garbage, with_statuses) if vector in once else (cut, recoded):
                yield from _other_errors(vector.name, decode, spoil(vector.response))

    @law
    def test_each_recipient_has_one_outcome(self) -> Iterator[Breach]:
        """A result names the recipients of its submission and nobody else, each accepted, refused or unknown."""
        once = self.one_of_each()
        for vector in self.sends:
            decode, golden = self.exchange(vector).decode, vector.response
            spoilt = (*garbage(golden), *with_statuses(golden)) if vector in once else ()
            for what, answer in (("the golden answer", golden), *spoilt):
                if wrong := _misstated(set(vector.submission.to), attempt(decode, answer)):
                    yield Breach(vector.name, f"{what}: {wrong}")

    @law
    def test_codes_are_read_whole(self) -> Iterator[Breach]:
        """A refusal's code with a digit or letter more is another code."""
        for vector in self.golden:
            code, read = self._code_reader(vector)
            if not code or read(code.translate(_OTHER_DIGITS)) == code:
                continue  # no refusal, or one that says in words too what it is
            for longer in (f"{code}0", f"{code}7", f"{code}x"):
                if read(longer) == code:
                    yield Breach(vector.name, f"code {code} is read out of {longer}")

    def _code_reader(self, vector: Vector) -> tuple[str, Callable[[str], str]]:
        """Return the code of a vector's answer, and what finds the code with another in its place.

        The code is empty where there is none, or where it does not stand in the answer exactly once.
        """
        decode, golden = self.exchange(vector).decode, vector.response
        code = _code(attempt(decode, golden))
        there = code.encode("utf-8")

        def read(other: str) -> str:
            return _code(attempt(decode, attrs.evolve(golden, body=golden.body.replace(there, other.encode("utf-8")))))

        return (code if there and golden.body.count(there) == 1 else ""), read


def _for_random_bodies(golden: HttpResponse, check: Callable[[HttpResponse], None]) -> None:
    @settings(max_examples=40, deadline=None, derandomize=True, database=None)
    @given(st.lists(st.integers(0, 255), min_size=1, max_size=200).map(bytes))
    def draw(body: bytes) -> None:
        check(attrs.evolve(golden, body=body))

    draw()


def _other_errors(
    where: str, decode: Callable[..., object], answers: Iterator[tuple[str, HttpResponse]]
) -> Iterator[Breach]:
    for what, answer in answers:
        result = attempt(decode, answer)
        if isinstance(result, Exception) and not isinstance(result, AnswerError):
            yield Breach(where, f"{what}: raises {type(result).__name__}")


def _misstated(to: set[E164], result: object) -> str:
    """Say in what a result is not what the core may believe; empty where in nothing."""
    if not isinstance(result, SendResult):
        return ""
    if set(result.outcomes) != to:
        return "the outcomes are not those of the recipients"
    ours = all(isinstance(one, Accepted | Refused | Unknown) for one in result.outcomes.values())
    return "" if ours else "says what is not a plugin's to say"


def _more_than(whole: object, part: object) -> str:
    """Say in what the decoded part of an answer says more than the whole; empty where in nothing."""
    if isinstance(part, Batch):
        fitting = isinstance(whole, Batch) and part.rows == whole.rows[: len(part.rows)]
        if not fitting:
            return "gives rows that the whole has not"
        return "" if part.rows or part.unparsed else "passes for an empty page"
    side = side_of(part)
    if side is Side.PROVES_NOTHING or (side is Side.REFUSED and side_of(whole) is Side.REFUSED):
        return ""
    return f"is taken for {side.value}"


def _meaning(result: object) -> dict[str, Any]:
    shown = show(result)
    shown.pop("text", None)
    return shown


def _code(result: object) -> str:
    """Return the code of a refusal; empty for anything else, and for outcomes that differ."""
    outcomes = tuple(result.outcomes.values()) if isinstance(result, SendResult) else (result,)
    codes = {one.code if isinstance(one, Refused) else "" for one in outcomes}
    return codes.pop() if len(codes) == 1 else ""
