"""A few requests of `tests.gateway.fuzz` in each run of the tests; `make fuzz-api` puts thousands."""

from tests.gateway.fuzz import fuzz


def test_no_answer_is_undocumented():
    """Requests made from the OpenAPI document meet no 5xx and no answer that it does not know."""
    tally = fuzz(cases=240, first_seed=7)

    assert tally.failures == {}
    assert {200, 202, 400, 401, 403, 404} <= tally.statuses.keys()
