"""An account that nothing is known of, and requests that say something of it: what its tests begin with."""

from datetime import UTC, datetime, timedelta

from tocsin.model.ids import AccountId
from tocsin.outbox.breaker import observe
from tocsin.outbox.health import Answer, Health, Sample

START = datetime(2026, 1, 1, tzinfo=UTC)
ACCOUNT = AccountId("one")
NEW = Health(account=ACCOUNT)
GOOD, BAD, DULL = Answer.HEALTHY, Answer.FAILED, Answer.NEUTRAL


def at(seconds):
    """The time so many seconds after the start."""
    return START + timedelta(seconds=seconds)


def sample(answer, seconds, began=None, **said):
    """One request: known at `seconds`, begun a second before unless told otherwise."""
    began_at = at(seconds - 1 if began is None else began)
    return Sample(account=ACCOUNT, at=at(seconds), began_at=began_at, answer=answer, **said)


def live(health, *samples):
    """Observe them in turn."""
    for one in samples:
        health = observe(health, one)
    return health


def is_open(health):
    """Whether the breaker is not closed, whatever else shuts the account."""
    return health.opened_at is not None
