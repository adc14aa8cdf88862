"""`tocsin verify`: the invariants, checked on the store as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import attrs
import click

from tocsin.cli.exit import Exit
from tocsin.cli.output import print_json, print_table, say
from tocsin.cli.progress import progress
from tocsin.cli.session import Session, json_option, pass_session, shared_options
from tocsin.errors import StoreError
from tocsin.outbox.ports import Store
from tocsin.outbox.sqlite import open_rows
from tocsin.outbox.store import Outbox
from tocsin.verify import INVARIANTS, Violation, check_store, unread_answers


@attrs.frozen(kw_only=True)
class _Findings:
    """What came of it."""

    deliveries: int
    violations: tuple[Violation, ...]
    unread: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        counts = Counter(one.invariant for one in self.violations)
        return {
            "ok": not self.violations,
            "deliveries": self.deliveries,
            "invariants": [{"invariant": name, "violations": counts[name]} for name in INVARIANTS],
            "violations": [attrs.asdict(one) for one in self.violations],
            "unread": list(self.unread),
        }


@click.command()
@json_option
@shared_options
@pass_session
def verify(session: Session, as_json: bool) -> int:
    """Check every invariant on the store, and change nothing in it; exit 1 where one does not hold.

    It may run beside a worker. Of what is wrong it shows ids alone, never a number or a text.
    """
    config, _ = session.load()
    with _looking(config.store.path) as store:
        found = _check(store)
    if as_json:
        print_json(found.as_json())
    else:
        _show(found)
    return Exit.REFUSED if found.violations else Exit.OK


@contextmanager
def _looking(path: Path) -> Iterator[Store]:
    """Open a store that is there, and that nobody can change by it: not even the claims of the dead are taken back."""
    if not path.exists():
        raise StoreError(f"there is no store {path} yet")
    with closing(open_rows(path)) as rows:
        rows.look_only()
        yield Outbox(rows, lambda _: False)


def _check(store: Store) -> _Findings:
    total = sum(store.counts().values())
    with progress(total, "checking") as told:
        violations = tuple(check_store(store, told))
    return _Findings(deliveries=total, violations=violations, unread=unread_answers(store))


def _show(found: _Findings) -> None:
    counts = Counter(one.invariant for one in found.violations)
    rows = [(name, what, str(counts[name] or "")) for name, what in INVARIANTS.items()]
    print_table(("invariant", "says", "violations"), rows, "")
    if found.violations:
        print_table(("invariant", "where", "what"), [attrs.astuple(one) for one in found.violations], "")
    many = "delivery" if found.deliveries == 1 else "deliveries"
    wrong = f"{len(found.violations)} violations" if found.violations else "every invariant holds"
    click.echo(f"{found.deliveries} {many}: {wrong}")
    if found.unread:
        say(f"{len(found.unread)} raw answers wait for their reader: the next poll of their account reads them")
