"""The plot: well-formed, complete, and the same for the same result."""

from defusedxml import ElementTree

from tocsin.model.ids import AccountId
from tocsin.rehearse.chart import HEIGHT, Panel, draw
from tocsin.rehearse.reckoning import Curve

SVG = "{http://www.w3.org/2000/svg}"


def panel(title="tocsin.toml: an outage", count=3, **more):
    due_s = tuple(float(place) for place in range(count))
    curve = Curve(due_s=due_s, rang_s={AccountId("main"): due_s[1:], AccountId("backup"): ()})
    return Panel(title=title, curve=curve, ends_s=3600.0, **more)


def words_of(drawn):
    return [element.text for element in ElementTree.fromstring(drawn).iter(f"{SVG}text")]


def test_a_panel_names_what_it_shows():
    """Title, each account with its count, the troubles, and both axes."""
    words = words_of(draw([panel(troubles=((600.0, 1200.0),))]))

    assert {"tocsin.toml: an outage", "to be sent: 3", "rang by main: 2", "rang by backup: 0", "trouble"} <= set(words)
    assert {"0", "1", "2", "3", "0:00", "0:10", "1:00"} <= set(words)


def test_two_panels_stand_one_below_the_other():
    """Both to one scale, in a picture twice as high."""
    root = ElementTree.fromstring(draw([panel(), panel(count=1000)]))

    assert root.get("height") == str(2 * HEIGHT)
    assert words_of(draw([panel(), panel(count=1000)])).count("1,000") == 2


def test_names_cannot_break_the_picture():
    """Whatever a file or an account is called, the picture stays one."""
    assert "a <b> & c" in words_of(draw([panel(title="a <b> & c")]))


def test_a_line_has_as_many_points_as_a_screen_shows():
    """A hundred thousand messages are no picture of a hundred thousand points, and the last one is in it."""
    drawn = draw([panel(count=100_000)])

    assert len(drawn) < 40_000
    assert drawn == draw([panel(count=100_000)])


def test_nothing_is_drawn_of_nothing():
    """A rehearsal without messages is an empty panel, and no error."""
    empty = Panel(title="empty", curve=Curve(due_s=(), rang_s={}), ends_s=0.0)

    assert "empty" in words_of(draw([empty]))
