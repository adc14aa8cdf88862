"""What a message says of alerts, and that it always fits."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tocsin.alerting.wording import Paper, fit_list, tell
from tocsin.model.alert import Alert, AlertStatus
from tocsin.model.segments import ALIKE, SegmentRule

GSM = SegmentRule()
SIGNATURE = "【Example】"
PAPER = Paper(measure=GSM.count, most=1)
CHINESE = Paper(measure=lambda text: ALIKE.count(text + SIGNATURE), most=1)
FIRING, RESOLVED, EVENT = AlertStatus.FIRING, AlertStatus.RESOLVED, AlertStatus.EVENT


def one(name="DiskFull db1", summary="Disk /var 97% full", status=FIRING, level="", fingerprint="a"):
    return Alert(fingerprint=fingerprint, status=status, name=name, summary=summary, level=level)


def several(firing, resolved=0, name="Alert{}"):
    fired = [one(name.format(n), fingerprint=f"f{n}") for n in range(firing)]
    return [one(f"Over{n}", status=RESOLVED, fingerprint=f"r{n}") for n in range(resolved)] + fired


def test_one_alert():
    """One alert says status, name and summary."""
    assert tell([one()], 0, PAPER) == "FIRING DiskFull db1: Disk /var 97% full"
    assert tell([one(status=RESOLVED)], 0, PAPER) == "RESOLVED DiskFull db1: Disk /var 97% full"
    assert tell([one("ACK db1", "by ann", EVENT)], 0, PAPER) == "ACK db1: by ann"
    assert tell([one(level="critical")], 0, PAPER) == "FIRING critical DiskFull db1: Disk /var 97% full"


def test_a_summary_that_begins_with_the_name_does_not_say_it_twice():
    """What stands twice costs twice; a longer name is another name."""
    assert tell([one("db1", "db1 is down")], 0, PAPER) == "FIRING db1: is down"
    assert tell([one("db1", "db10 is down")], 0, PAPER) == "FIRING db1: db10 is down"
    assert tell([one("db1", "db1-replica is down")], 0, PAPER) == "FIRING db1: db1-replica is down"


def test_a_long_summary_ends_in_dots():
    """The summary is cut first, to the last letter that fits."""
    text = tell([one(summary="x" * 500)], 0, PAPER)

    assert text == f"FIRING DiskFull db1: {'x' * (160 - 21 - 3)}..."
    assert len(text) == 160


def test_a_long_name_ends_in_dots():
    """Where even the name does not fit, the summary goes and the name is cut."""
    text = tell([one("n" * 500)], 0, PAPER)

    assert text == f"FIRING {'n' * 150}..."


def test_few_alerts_are_told_in_full():
    """What fits is told line by line, what fires first."""
    alerts = [one("B", "b down", RESOLVED), one("A", "a down")]

    assert tell(alerts, 0, PAPER) == "FIRING A: a down\nRESOLVED B: b down"
    assert tell(alerts, 2, PAPER) == "FIRING A: a down\nRESOLVED B: b down\n+2 more"


def test_many_alerts_are_listed_and_the_rest_is_counted():
    """Where names alone fit, they are listed under their status; the rest is counted, what the stack left out too."""
    assert tell(several(3, 1), 0, CHINESE) == "FIRING 3: Alert0, Alert1, Alert2; RESOLVED 1: Over0"
    assert tell(several(12, 3), 4, CHINESE) == "FIRING 12: Alert0, Alert1, Alert2; RESOLVED 3 +16 more"


def test_a_list_of_one_long_name():
    """The first name is cut before no name is named at all."""
    tight = Paper(measure=lambda text: 1 if len(text) <= 30 else 2, most=1)

    assert tell(several(2, name="n" * 50 + "{}"), 0, tight) == f"FIRING 2: {'n' * 9}... +1 more"


def test_no_room_at_all():
    """Where nothing fits, the least that can be said is said."""
    none = Paper(measure=lambda text: 9, most=1)

    assert tell(several(2), 5, none) == "FIRING 2 +7 more"
    assert tell([one("n" * 50)], 0, none) == "FIRING ..."


def test_an_operator_s_text():
    """A template's text stands in the place of ours, and is cut like it."""
    assert tell([one()], 0, PAPER, {"a": "help"}) == "help"
    assert tell([one()], 3, PAPER, {"a": "help"}) == "help +3 more"
    assert len(tell([one()], 3, PAPER, {"a": "h" * 999})) == 160
    assert tell([one(), one("B", "b", fingerprint="b")], 0, PAPER, {"b": "help"}) == (
        "FIRING DiskFull db1: Disk /var 97% full\nhelp"
    )


def test_a_letter_keeps_its_accents():
    """A letter and the marks on it are cut together."""
    marked = "x\u0338"
    paper = Paper(measure=lambda text: 1 if len(text) <= 20 else 2, most=1)

    assert tell([one("a", marked * 40)], 0, paper).endswith((f"{marked}...", ": ..."))


names = st.text(st.sampled_from("abc é磁😀^ 0"), max_size=60)
alerts = st.lists(
    st.builds(one, names, names, st.sampled_from(list(AlertStatus)), st.sampled_from(("", "warn"))), min_size=1
).map(lambda found: [Alert(**{**_fields(alert), "fingerprint": str(n)}) for n, alert in enumerate(found)])
papers = st.builds(
    lambda rule, signature, most: Paper(measure=lambda text: rule.count(text + signature), most=most),
    st.sampled_from((GSM, ALIKE)),
    st.sampled_from(("", SIGNATURE)),
    st.integers(1, 3),
)


def _fields(alert):
    return {"status": alert.status, "name": alert.name, "summary": alert.summary, "level": alert.level}


@given(alerts, st.integers(0, 10_000), papers)
@example(several(12_000), 0, CHINESE)
def test_it_fits_and_counts(found, truncated, paper):
    """A message takes no more segments than it may, is the same each time, and accounts for every alert."""
    text = tell(found, truncated, paper)

    assert paper.holds(text)
    assert text == tell(found, truncated, paper)
    listed = re.fullmatch(r"(.*?)(?: \+(\d+) more)?", text) if len(found) > 1 and "\n" not in text else None
    if listed:
        counts = re.findall(r"(?:^|; )(?:FIRING|EVENT|RESOLVED) (\d+)(?=:|;| \+|$)", text)
        assert sum(map(int, counts)) == len(found)
        shown = sum(part.count(",") + 1 for part in re.findall(r"[A-Z]+ \d+: ([^;]*?)(?=;|$| \+\d+ more$)", text))
        assert shown + int(listed[2] or 0) == len(found) + truncated
    elif truncated:
        assert text.endswith(f"+{truncated} more")


@given(st.text(st.sampled_from("ab 磁"), min_size=1, max_size=30), st.lists(names, max_size=30), st.integers(0, 99))
def test_a_list_counts_what_it_leaves_out(head, found, beside):
    """What is named and what is counted make the total."""
    text = fit_list(head, found, len(found) + beside, CHINESE)
    left_out = int(found_more[1]) if (found_more := re.search(r" \+(\d+) more$", text)) else 0

    assert CHINESE.holds(text)
    assert text.startswith(head)
    assert 0 <= len(found) + beside - left_out <= len(found)


@pytest.mark.parametrize("count", [1, 2, 20, 20_000])
def test_a_storm_takes_no_time(count):
    """However many alerts there are, few texts are measured."""
    measured = []

    def measure(text):
        measured.append(text)
        return CHINESE.measure(text)

    tell(several(count), 0, Paper(measure=measure, most=1))

    assert len(measured) < 30
