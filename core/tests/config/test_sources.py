"""The `[sources.NAME]` tables: what they say, what is wrong with them, and what is there without them."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import attrs
import pytest

from tocsin.config import load_config
from tocsin.errors import ConfigError
from tocsin.model.alert import SourceKind
from tocsin.model.message import MessageClass
from tocsin.model.source import Quiet, Repeats, Resolved, Source, Storm
from tocsin.model.template import Expression


@attrs.frozen(kw_only=True)
class Rich:
    token: str
    key: Expression | None = None


KINDS = {"plain": SourceKind(name="plain", title="Plain"), "rich": SourceKind(name="rich", title="R", settings=Rich)}
GROUPS = '[groups]\noncall = ["+8613900000000"]\ndba = ["+8613900000001"]\n'


@pytest.fixture
def sources(tmp_path):
    """Loads a text, and returns its sources or its findings."""

    def load(text):
        path = tmp_path / "tocsin.toml"
        path.write_text(GROUPS + text, encoding="utf-8")
        try:
            return load_config(path, vendors={}, environ={}, sources=KINDS).sources
        except ConfigError as error:
            return error.findings

    return load


EVERYTHING = """
[sources.first]
kind = "plain"
class = "critical"
groups = ["oncall"]
receivers = { dba = ["dba"], all = ["oncall", "dba"], one = "dba" }
to_label = "who"
class_label = "level"
classes = { page = "critical", info = "notice" }
resolved = "told"
repeats = "drop"
window = "5m"
max_segments = 2
storm = { messages = 3, window = "1m" }
quiet = { hours = "22:00-07:00 Asia/Shanghai", class = ["notice", "alert"] }

[sources.plain]
storm = { messages = 0 }
quiet = { hours = "22:00-07:00" }
to_label = ""

[sources.rich]
token = "x"
key = "body.id"
"""


def test_every_key_is_read(sources):
    """What is written is what the source says; the rest is its default."""
    found = sources(EVERYTHING)
    quiet = found["first"].quiet

    assert found["first"] == Source(
        name="first",
        kind="plain",
        cls=MessageClass.CRITICAL,
        groups=("oncall",),
        receivers={"dba": ("dba",), "all": ("oncall", "dba"), "one": ("dba",)},
        to_label="who",
        class_label="level",
        classes={"page": MessageClass.CRITICAL, "info": MessageClass.NOTICE},
        resolved=Resolved.TOLD,
        repeats=Repeats.DROP,
        window=timedelta(minutes=5),
        max_segments=2,
        storm=Storm(messages=3, window=timedelta(minutes=1)),
        quiet=quiet,
    )
    assert quiet == Quiet(hours=quiet.hours, classes=(MessageClass.NOTICE, MessageClass.ALERT))
    assert quiet.hours.zone == ZoneInfo("Asia/Shanghai")
    assert found["plain"].storm is None
    assert found["plain"].quiet.classes == (MessageClass.NOTICE, MessageClass.BULK)
    assert found["plain"].to_label == ""
    assert found["rich"].settings.key.evaluate({"body": {"id": 7}}) == 7


def test_without_the_table(sources):
    """Kinds that need no settings are there, and so are those of the command line; others are not."""
    assert dict(sources("")) == {
        name: Source(name=name, kind=name) for name in ("icinga", "nagios", "plain", "sendsms")
    }


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("[sources.nowhere]", 'sources.nowhere: no kind of source is named "nowhere"; there is "icinga", "nagios"'),
        ('[sources.x]\nkind = "plan"', 'sources.x.kind: no kind of source is named "plan"; did you mean "plain"?'),
        ('[sources.plain]\ngroups = ["oncal"]', 'sources.plain.groups[0]: no group is named "oncal"; did you mean'),
        ("[sources.plain]\ngroups = []", "sources.plain.groups: expected at least one item in the list"),
        ('[sources.plain]\nreceivers = { a = "b" }', 'sources.plain.receivers.a: no group is named "b"; there is'),
        ('[sources.plain]\nclass = "urgent"', "sources.plain.class: expected one of otp, critical, alert"),
        ('[sources.plain]\nclasses = { a = "b" }', "sources.plain.classes.a: expected one of otp, critical, alert"),
        ('[sources.plain]\nresolved = "some"', "sources.plain.resolved: expected one of always, told, never"),
        ('[sources.plain]\nrepeats = "keep"', "sources.plain.repeats: expected one of send, drop"),
        ('[sources.plain]\nwindow = "0s"', "sources.plain.window: expected a duration that is longer than none"),
        ("[sources.plain]\nmax_segments = 0", "sources.plain.max_segments: expected a whole number from 1 to 10"),
        ("[sources.plain]\nstorm = { message = 1 }", "sources.plain.storm.message: unknown key; did you mean"),
        ("[sources.plain]\nstorm = false", "sources.plain.storm: expected a table such as"),
        ("[sources.plain]\nquiet = {}", "sources.plain.quiet.hours: missing; expected hours such as"),
        ('[sources.plain]\ntemplate = "{{ x"', "sources.plain.template: expected Jinja2: unexpected end of template"),
        ('[sources.rich]\ntoken = "x"\nkey = "a ="', "sources.rich.key: expected Jinja2: "),
        ("[sources.rich]", "sources.rich.token: missing; the kind rich needs it"),
        ("[sources.plain]\ntoken = 1", "sources.plain.token: unknown key"),
        ("[sources.'a b']\nkind = 'plain'", "expected a name of letters, digits, '_', '-' and '.'"),
    ],
)
def test_one_fault_is_one_finding(sources, text, finding):
    """Each fault is one finding that names the key and what was expected."""
    (line,) = sources(text)

    assert finding in line
