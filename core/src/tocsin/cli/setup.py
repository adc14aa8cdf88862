"""Commands to set up and look round: `init`, `check`, `vendors`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import click

from tocsin.cli.exit import Exit
from tocsin.cli.output import print_json, print_table, say
from tocsin.cli.session import Session, json_option, pass_session, shared_options
from tocsin.cli.vendor import ask_each, patiently, show_balances, worst
from tocsin.config import TEMPLATE
from tocsin.errors import InvalidInput
from tocsin.registry import Registry, VendorPlugin, build_registry


@click.command()
@click.argument("file", default="tocsin.toml")
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
@shared_options
def init(file: str, force: bool) -> None:
    """Write a commented tocsin.toml to start from."""
    try:
        with Path(file).open("w" if force else "x", encoding="utf-8") as target:
            target.write(TEMPLATE)
    except FileExistsError:
        raise InvalidInput(f"{file} is there already; --force overwrites it") from None
    except OSError as error:
        raise InvalidInput(f"{file} cannot be written: {error.strerror}") from None
    click.echo(f"{file} written. Put your accounts in, then run: tocsin check")


@click.command()
@click.option("--online", is_flag=True, help="Ask each account's balance, too.")
@json_option
@shared_options
@pass_session
def check(session: Session, online: bool, as_json: bool) -> int:
    """Check the configuration; with --online, that each account answers."""
    config, registry = session.load()
    broken = {account.vendor for account in config.accounts.values()} & registry.broken()
    for vendor in sorted(broken):
        say(registry.why_not(vendor))
    answers = []
    if online:
        with session.open() as tocsin:
            answers = ask_each(tocsin.accounts(), patiently(tocsin.query_balance))
    if as_json:
        print_json(
            {
                "configuration": config.source,
                "accounts": list(config.accounts),
                "routes": [route.name for route in config.routes],
                "online": [answer.as_json() for answer in answers] if online else None,
            }
        )
    else:
        verdict = f"{_count(len(broken), 'vendor')} without a usable plugin" if broken else "no error"
        accounts, routes = _count(len(config.accounts), "account"), _count(len(config.routes), "route")
        click.echo(f"{config.source}: {accounts}, {routes}, {verdict}")
        if online:
            show_balances(answers)
    return Exit.USAGE if broken else worst(answers)


@click.command()
@json_option
@shared_options
def vendors(as_json: bool) -> None:
    """List the installed vendor plugins with what they can do, or why they are unavailable."""
    registry = build_registry()
    if as_json:
        print_json(_vendors_json(registry))
        return
    rows = [
        (name, plugin.version, plugin.vendor.title, _abilities(plugin)) for name, plugin in registry.vendors.items()
    ]
    rows += [(one.name, "", "unavailable", f"{one.why} ({one.distribution})") for one in registry.unavailable]
    print_table(("vendor", "version", "title", "can do"), rows, "no vendor plugin is installed")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _vendors_json(registry: Registry) -> list[dict[str, Any]]:
    available = [
        {
            "name": name,
            "available": True,
            "version": plugin.version,
            "title": plugin.vendor.title,
            "capabilities": attrs.asdict(plugin.vendor.capabilities),
            "operations": sorted(plugin.vendor.operations),
            "documentation": plugin.vendor.documentation,
        }
        for name, plugin in registry.vendors.items()
    ]
    unavailable = [
        {"name": one.name, "available": False, "distribution": one.distribution, "reason": one.why}
        for one in registry.unavailable
    ]
    return available + unavailable


def _abilities(plugin: VendorPlugin) -> str:
    can = plugin.vendor.capabilities
    words = [f"{can.max_recipients} recipients a request", f"interface {', '.join(can.interfaces)}"]
    words += [word for word in ("personalised", "scheduling", "mms", "encrypted") if getattr(can, word)]
    if can.extension_digits:
        words.append(f"extension numbers up to {can.extension_digits} digits")
    queries = {"query_balance": "balance", "fetch_reports": "reports", "fetch_mo": "replies", "verify_push": "pushes"}
    return ", ".join([*words, *(word for hook, word in queries.items() if plugin.implements(hook))])
