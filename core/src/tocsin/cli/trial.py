"""`tocsin route --test`: runs a file of policy tests, and tells each difference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import click

from tocsin.cli.exit import Exit
from tocsin.cli.output import print_json
from tocsin.cli.session import Session
from tocsin.config.cases import load_cases
from tocsin.delivery.fleet import Fleet
from tocsin.delivery.trial import find_out
from tocsin.policy.case import Case, Difference, Found, differences
from tocsin.policy.explain import render_judgements


@attrs.frozen(kw_only=True)
class _Result:
    """What came of one case."""

    case: Case
    found: Found
    differences: tuple[Difference, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {
            "name": self.case.name,
            "ok": not self.differences,
            "route": self.found.route,
            "accounts": list(self.found.accounts),
            "why": self.found.why,
            "differences": [attrs.asdict(one) for one in self.differences],
            "candidates": render_judgements(self.found.judgements),
        }


def try_cases(session: Session, path: Path, *, as_json: bool) -> Exit:
    """Run the cases of a file on the configured policy; return what the command ends with."""
    config, registry = session.load()
    fleet = Fleet(
        registry=registry,
        accounts=config.accounts,
        routes=config.routes,
        limits=config.limits,
        opt_out=config.opt_out,
    )
    results = [_try(fleet, case) for case in load_cases(path, config)]
    wrong = sum(bool(one.differences) for one in results)
    if as_json:
        print_json({"file": str(path), "ok": not wrong, "cases": [one.as_json() for one in results]})
    else:
        for one in results:
            _show(one)
        many = "1 case" if len(results) == 1 else f"{len(results)} cases"
        click.echo(f"{wrong} of {many} found something else" if wrong else f"{many}: as expected")
    return Exit.REFUSED if wrong else Exit.OK


def _try(fleet: Fleet, case: Case) -> _Result:
    found = find_out(fleet, case)
    return _Result(case=case, found=found, differences=differences(case.expect, found))


def _show(result: _Result) -> None:
    if not result.differences:
        click.echo(f"as expected  {result.case.name}")
        return
    click.echo(f"NOT SO       {result.case.name}")
    for one in result.differences:
        click.echo(f"    {one.what}: expected {one.expected}; found {one.found}")
    click.echo(f"    because: {result.found.why}")
    for judgement in result.found.judgements:
        detail = f" ({judgement.detail})" if judgement.detail else ""
        click.echo(f"    {judgement.account}: {judgement.verdict.replace('_', ' ')}{detail}")
