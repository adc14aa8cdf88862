"""What the tests of the proof share: short lives, led once, and the reason where none can be recorded."""

import pytest

from .laboratory import Laboratory
from .recording import Unrecordable, find_recorder, scratch

SHARE = 0.12
"""Of a life's full length."""


@pytest.fixture(scope="session")
def recorder():
    """The name of the recorder; skips where there is none."""
    try:
        return find_recorder()
    except Unrecordable as error:
        pytest.skip(f"what SQLite writes cannot be recorded here: {error}")


@pytest.fixture(scope="session")
def laboratory(recorder):
    """Where short lives are led."""
    with scratch() as place:
        yield Laboratory(place, seed=0, share=SHARE)
