"""Plugins: each is found, or listed with the reason why it cannot be used; and only the addressed one is called."""

import textwrap
from datetime import UTC, datetime
from importlib.metadata import distributions
from itertools import count

import pytest

from tocsin.errors import PluginError
from tocsin.model.account import Account
from tocsin.model.ids import AccountId
from tocsin.model.phone import parse_number
from tocsin.model.push import PushRefused, PushRequest
from tocsin.model.submission import Submission
from tocsin.plugin import Exchange, hookimpl
from tocsin.registry import MiddlewarePlugin, Registry, VendorPlugin, build_registry
from tocsin.testing.vendor import ExampleSettings, ExampleVendor

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SUBMISSION = Submission(to=(parse_number("13900000000"),), texts=("t",))
PUSH = PushRequest(method="POST", path="/", headers=(), query=(), body=b"", peer="127.0.0.1")

GOOD = """
    from tocsin.testing.vendor import ExampleVendor
    plugin = ExampleVendor("{name}")
"""


class Site:
    """A place where distributions are installed, each with one module and its entry points."""

    _modules = count()  # never the same module twice: Python keeps what it has imported

    def __init__(self, directory):
        self.directory = directory

    def install(self, distribution, source, group="tocsin.vendors", name=None, value="plugin"):
        """Install a distribution that registers one plugin."""
        module = f"registered_{next(self._modules)}"
        source = textwrap.dedent(source).replace("{name}", name or distribution)
        (self.directory / f"{module}.py").write_text(source, encoding="utf-8")
        info = self.directory / f"{module}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{name or distribution} = {module}:{value}\n")

    def build(self):
        """Build a registry of all that is installed here."""
        return build_registry(
            lambda group: [
                point
                for one in distributions(path=[str(self.directory)])
                for point in one.entry_points
                if point.group == group
            ]
        )


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    return Site(tmp_path)


def account(vendor):
    return Account(id=AccountId("main"), vendor=vendor, base_url="http://v.invalid", settings=ExampleSettings())


def plugin_from(vendor):
    return VendorPlugin(vendor.name, vendor, "1")


def test_what_is_installed_is_found(site):
    """Each installed vendor is there under its name, with its version and what it says of itself."""
    site.install("reg-one", GOOD, name="one")
    site.install("reg-two", GOOD, name="two")

    registry = site.build()

    assert registry.unavailable == ()
    assert {name: vendor.name for name, vendor in registry.described().items()} == {"one": "one", "two": "two"}
    assert registry.plugin_for(account("two")).version == "1.2"


def test_each_registry_is_fresh(site):
    """Building twice gives two registries that share no plugin object of ours."""
    site.install("reg-fresh", GOOD, name="fresh")
    first, second = site.build(), site.build()

    assert first.vendors["fresh"] is not second.vendors["fresh"]


BROKEN = {
    "an import that fails": ("import no_such_module_at_all", "ModuleNotFoundError: No module named"),
    "a module that ends the process": ("import sys; sys.exit('no licence')", "SystemExit: no licence"),
    "a module that raises": ("1 / 0", "ZeroDivisionError: division by zero"),
    "a syntax error": ("def", "SyntaxError: invalid syntax"),
    "no such object": ("other = 1", "AttributeError: module 'registered_[0-9]+' has no attribute 'plugin'"),
    "no hooks at all": ("plugin = object()", "it lacks the hook describe_vendor"),
    "a hook missing": (
        """
        from tocsin.plugin import hookimpl
        from tocsin.testing.vendor import ExampleVendor
        class Plugin:
            describe_vendor = ExampleVendor.describe_vendor
            capabilities = ExampleVendor.capabilities
            fits = ExampleVendor.fits
            name, _capabilities = "broken", ExampleVendor()._capabilities
        plugin = Plugin()
        """,
        "it lacks the hook send",
    ),
    "a wrong signature": (
        """
        from tocsin.plugin import hookimpl
        from tocsin.testing.vendor import ExampleVendor
        class Plugin(ExampleVendor):
            @hookimpl
            def send(self, account, message): ...
        plugin = Plugin("broken")
        """,
        "PluginValidationError: .*message",
    ),
    "an unknown hook": (
        """
        from tocsin.plugin import hookimpl
        from tocsin.testing.vendor import ExampleVendor
        class Plugin(ExampleVendor):
            @hookimpl
            def send_mesage(self, account): ...
        plugin = Plugin("broken")
        """,
        "PluginValidationError: .*unknown hook 'send_mesage'",
    ),
    "another vendor's name": (
        """
        from tocsin.testing.vendor import ExampleVendor
        plugin = ExampleVendor("another")
        """,
        "its entry point is called broken, but it describes vendor another",
    ),
    "a description that raises": (
        """
        from tocsin.plugin import hookimpl
        from tocsin.testing.vendor import ExampleVendor
        class Plugin(ExampleVendor):
            @hookimpl
            def describe_vendor(self): raise ValueError("secret")
        plugin = Plugin("broken")
        """,
        "plugin broken: describe_vendor raised ValueError$",
    ),
    "a description that is none": (
        """
        from tocsin.plugin import hookimpl
        from tocsin.testing.vendor import ExampleVendor
        class Plugin(ExampleVendor):
            @hookimpl
            def describe_vendor(self): return "broken"
        plugin = Plugin("broken")
        """,
        "plugin broken: describe_vendor returned str, not Vendor",
    ),
}


@pytest.mark.parametrize(("source", "why"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_listed_and_takes_nobody_down(site, source, why):
    """A plugin that cannot be used is listed with name, distribution and reason; its neighbours work."""
    site.install("reg-broken", source, name="broken")
    site.install("reg-good", GOOD, name="good")
    site.install("reg-zebra", GOOD, name="zebra")

    registry = site.build()

    assert list(registry.vendors) == ["good", "zebra"]
    (listed,) = registry.unavailable
    assert (listed.name, listed.distribution) == ("broken", "reg-broken")
    with pytest.raises(PluginError, match=f"the plugin for vendor broken is unavailable: {why}"):
        registry.plugin_for(account("broken"))


def test_of_two_plugins_with_one_name_one_is_used_and_the_other_listed(site):
    """A duplicate name never replaces the first in silence, and the choice does not hang on the order of finding."""
    site.install("reg-b", GOOD, name="twin")
    site.install("reg-a", GOOD, name="twin")

    registry = site.build()

    assert list(registry.vendors) == ["twin"]
    (listed,) = registry.unavailable
    assert (listed.distribution, listed.why) == ("reg-b", "another distribution registered that name already")


def test_a_vendors_own_distribution_comes_first(site):
    """A copycat does not take the place of the distribution that is called after the vendor."""
    site.install("a-copycat", GOOD, name="twin")
    site.install("tocsin-twin", GOOD, name="twin")

    assert [one.distribution for one in site.build().unavailable] == ["a-copycat"]


def test_a_name_is_free_again_when_its_plugin_is_broken(site):
    """Where the first of two plugins with one name is broken the second serves it."""
    site.install("reg-a", "1 / 0", name="twin")
    site.install("reg-b", GOOD, name="twin")

    registry = site.build()

    assert registry.plugin_for(account("twin")).name == "twin"
    assert [one.distribution for one in registry.unavailable] == ["reg-a"]


def test_a_vendor_that_nobody_installed_is_named(site):
    """Asking for a vendor without a plugin says which distribution is likely missing."""
    with pytest.raises(PluginError, match=r"no plugin for vendor nobody is installed \(pip install tocsin-nobody\?\)"):
        site.build().plugin_for(account("nobody"))


def test_middleware_is_found_in_the_order_of_names(site):
    """Middleware is there in the order of its names; one that is broken is listed and hinders no other."""
    source = """
        from tocsin.plugin import hookimpl
        class Plugin:
            @hookimpl
            def observe_outcome(self, notice): ...
        plugin = Plugin()
    """
    for name in ("zz", "aa"):
        site.install(f"reg-{name}", source, group="tocsin.middleware", name=name)
    site.install("reg-mm", "1 / 0", group="tocsin.middleware", name="mm")

    registry = site.build()

    assert [one.name for one in registry.middleware] == ["aa", "zz"]
    assert [one.name for one in registry.unavailable] == ["mm"]
    assert registry.vendors == {}


# calls


class Recorder(ExampleVendor):
    """Notes which of its hooks are called."""

    def __init__(self, name):
        super().__init__(name)
        self.called = []

    @hookimpl
    def capabilities(self):
        self.called.append("capabilities")
        return super().capabilities()

    @hookimpl
    def fits(self):
        self.called.append("fits")
        return ""

    @hookimpl
    def send(self, account, submission):
        self.called.append("send")
        return super().send(account, submission)

    @hookimpl
    def fetch_reports(self, account):
        self.called.append("fetch_reports")
        return super().fetch_reports(account)


def test_only_the_addressed_vendor_is_called():
    """Whatever is asked of an account of one vendor, no hook of another vendor runs."""
    one, two = Recorder("one"), Recorder("two")
    registry = Registry(
        vendors={vendor.name: plugin_from(vendor) for vendor in (one, two)}, middleware=(), unavailable=()
    )
    ours = account("one")

    plugin = registry.plugin_for(ours)
    plugin.capabilities(ours)
    plugin.fits(ours, SUBMISSION)
    plugin.send(ours, SUBMISSION, NOW)
    plugin.fetch_reports(ours, NOW)

    assert one.called == ["capabilities", "fits", "send", "fetch_reports"]
    assert two.called == []


CALLS = {
    "capabilities": lambda plugin: plugin.capabilities(account("v")),
    "fits": lambda plugin: plugin.fits(account("v"), SUBMISSION),
    "send": lambda plugin: plugin.send(account("v"), SUBMISSION, NOW),
    "query_balance": lambda plugin: plugin.query_balance(account("v"), NOW),
    "fetch_reports": lambda plugin: plugin.fetch_reports(account("v"), NOW),
    "fetch_mo": lambda plugin: plugin.fetch_mo(account("v"), NOW),
    "verify_push": lambda plugin: plugin.verify_push(account("v"), PUSH, NOW),
    "open_transport": lambda plugin: plugin.open_transport(account("v"), None),
}


def vendor_whose(hook, act):
    """Make a vendor one of whose hooks does as told."""

    class Odd(ExampleVendor):
        """An example vendor but for one hook."""

    setattr(Odd, hook, hookimpl(lambda self: act()))
    return plugin_from(Odd("v"))


def fail():
    raise ValueError("secret 13900000000")


@pytest.mark.parametrize("hook", CALLS)
def test_what_a_hook_raises_is_a_plugin_error_that_quotes_nothing(hook):
    """An exception of a hook names plugin, hook and kind of error, and holds neither its text nor its cause."""
    plugin = vendor_whose(hook, fail)

    with pytest.raises(PluginError, match=f"^plugin v: {hook} raised ValueError$") as error:
        CALLS[hook](plugin)

    assert error.value.__cause__ is None
    assert error.value.__suppress_context__


@pytest.mark.parametrize("hook", [hook for hook in CALLS if hook != "open_transport"])
@pytest.mark.parametrize("answer", [None, 7, "ok", object()], ids=lambda answer: type(answer).__name__)
def test_a_wrong_answer_is_a_plugin_error(hook, answer):
    """A hook that returns something else than its contract says is the plugin's fault, and named."""
    if (hook, answer) == ("fits", "ok"):
        assert CALLS[hook](vendor_whose(hook, lambda: answer)) == answer
        return
    with pytest.raises(PluginError, match=f"^plugin v: {hook} returned {type(answer).__name__}"):
        CALLS[hook](vendor_whose(hook, lambda: answer))


@pytest.mark.parametrize("hook", ["query_balance", "fetch_reports", "fetch_mo"])
def test_a_hook_that_is_not_there_says_that_the_vendor_cannot(hook):
    """The absence of an optional hook is told in one sentence."""

    class Sender:
        """Can send, and nothing else."""

        name, _capabilities = "v", ExampleVendor()._capabilities
        describe_vendor, capabilities = ExampleVendor.describe_vendor, ExampleVendor.capabilities
        fits, send = ExampleVendor.fits, ExampleVendor.send

    with pytest.raises(PluginError, match=f"^vendor v has no {hook}$"):
        CALLS[hook](plugin_from(Sender()))


def test_a_vendor_without_push_or_transport_has_a_plain_answer():
    """A vendor that pushes nothing refuses every push; one that opens no transport takes HTTP."""
    plugin = plugin_from(ExampleVendor("v"))

    assert CALLS["verify_push"](plugin) == PushRefused(why="v pushes nothing")
    assert CALLS["open_transport"](plugin) is None


def test_a_good_answer_is_handed_on():
    """What a hook returns by its contract comes back as it is."""
    plugin = plugin_from(ExampleVendor("v", unfit="it is too long"))

    assert isinstance(CALLS["send"](plugin), Exchange)
    assert CALLS["fits"](plugin) == "it is too long"
    assert CALLS["capabilities"](plugin) == plugin.vendor.capabilities


def test_middleware_without_a_hook_is_silent():
    """Middleware need not implement either hook."""
    plugin = MiddlewarePlugin("m", object(), "1")

    assert plugin.rewrite_message("message") == "message"
    assert plugin.observe_outcome("notice") is None
