"""docs/reference/metrics.md lists every metric with its type, its labels and its words, and no other."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tocsin.model.balance import Balance, Unit
from tocsin.model.ids import AccountId
from tocsin.outbox.record import Listening

PAGE = Path(__file__).parents[2] / "docs/reference/metrics.md"
ROW = re.compile(r"\| `(tocsin_\w+)` \| (\w+) \| (.*?) ?\| (.+) \|")
BARE = {"tocsin_account_balance_left_seconds", "tocsin_account_day_spend_limit", "tocsin_day_spend_limit"}
"""Absent in this store: nothing was sent, nothing is capped."""


def documented():
    rows = map(ROW.fullmatch, PAGE.read_text(encoding="utf-8").splitlines())
    return {row[1]: (row[2], set(re.findall(r"`(\w+)`", row[3])), row[4]) for row in rows if row}


def test_the_page_is_what_a_scrape_says(call):
    """Name, type, labels and words of each family are the page's; a label is one that some sample has."""
    parts = call.tocsin.parts
    main, now = AccountId("main"), parts.clock.now()
    balance = Balance(amount=Decimal(9), unit=Unit.CNY, as_of=now - timedelta(seconds=1))
    parts.store.accounts.hear_balance(main, balance, None, now)
    parts.store.note_poll(Listening(account=main, kind="reports", asked_at=now, heard_at=now))
    call.send()
    families = list(text_string_to_metric_families(call("GET", "/metrics", key=None).text))

    page = documented()
    found = {}
    for family in families:
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        found[name] = (family.type, labels or page[name][1] if name in BARE else labels, family.documentation)
    assert found == page
