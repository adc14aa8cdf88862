"""Templates and expressions: what they make, and what they cannot be made to do."""

import builtins
import sys
import time

import pytest

from tocsin.errors import MissingExtra
from tocsin.model.template import MOST, BadTemplate, Expression, Template, TemplateFailed

VALUES = {"name": "a<b", "labels": {"team": "db", "n": "1"}, "numbers": list(range(10_000))}


def test_a_template_is_rendered():
    """Values stand where the template says, and nothing is escaped."""
    template = Template("{{ name }}{% for key, value in labels|dictsort %} {{ key }}={{ value|upper }}{% endfor %}\n")

    assert template.render(VALUES) == "a<b n=1 team=DB"
    assert template == Template(template.text)
    assert hash(template) == hash(Template(template.text))


def test_an_expression_is_evaluated():
    """A value is returned as it is; what is not there is None."""
    assert Expression("numbers[3] + 1").evaluate(VALUES) == 4
    assert Expression("body.no.such.thing").evaluate({"body": {}}) is None
    assert Expression("body.no|default('x')").evaluate({"body": {}}) == "x"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ x", "unexpected end of template, expected 'end of print statement'. (line 1)"),
        ("{% macro f() %}{% endmacro %}", "has no macro"),
        ("{% include 'x' %}", "has no include"),
        ("{% import 'x' as x %}", "has no import"),
        ("{% extends 'x' %}", "has no extends"),
        ("{% block x %}{% endblock %}", "has no block"),
        ("{{ x|center(9) }}", "No filter named 'center'"),
        ("{% for a in x %}" * 3 + "{% endfor %}" * 3, "loops nest twice at most"),
        ("{% for a in x recursive %}{% endfor %}", "none is recursive"),
    ],
)
def test_a_bad_template(text, words):
    """What cannot be compiled, or could run for long, is refused when it is made."""
    with pytest.raises(BadTemplate) as caught:
        Template(text)
    assert words in str(caught.value)


def test_a_bad_expression():
    """An expression that is none is refused when it is made."""
    with pytest.raises(BadTemplate):
        Expression("a b")


@pytest.mark.parametrize(
    "text",
    [
        "{{ nope }}",
        "{{ labels.nope }}",
        "{{ 'x' * 1000000000 }}",
        "{{ [1] * 1000000000 }}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ range(101)|list }}",
        "{{ name.ljust(1000000000) }}",
        "{{ name.zfill(1000000000) }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ labels.update({'a': 1}) }}",
        "{{ name.nope() }}",
        "{{ 1 / 0 }}",
    ],
)
def test_what_fails(text):
    """What the data lacks, what would take too much room and what reaches outside fails, and quotes nothing."""
    with pytest.raises(TemplateFailed) as caught:
        Template(text).render(VALUES)
    assert str(caught.value).isalpha()


def test_a_long_text_is_cut():
    """A text ends where it is long enough, however much would follow, and soon."""
    began = time.process_time()
    text = Template("{% for a in numbers %}{% for b in numbers %}{{ name }}{% endfor %}{% endfor %}").render(VALUES)

    assert text == ("a<b" * MOST)[:MOST]
    assert time.process_time() - began < 1


def test_without_the_engine(monkeypatch):
    """Without Jinja2, a template says which part is missing."""
    really = builtins.__import__

    def without(name, *arguments, **more):
        if name.partition(".")[0] == "jinja2":
            raise ImportError(name)
        return really(name, *arguments, **more)

    monkeypatch.delitem(sys.modules, "tocsin.model.template_engine", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)

    with pytest.raises(MissingExtra, match=r"pip install 'tocsin\[gateway\]'"):
        Template("x")
