"""How the tests of all distributions run: which examples the laws draw, and in how many processes.

`--hypothesis-profile` chooses the examples. `settled`, the usual one, draws the same ones each time: a run turns red by
the change, not by the day. `searching` draws others each time, and ten times as many where a law sets no number of its
own: `make laws` looks with it for what nobody has found yet. No example is timed: how long one takes is the machine's
business.
"""

import os

from hypothesis import settings

settings.register_profile("settled", derandomize=True, deadline=None, database=None)
settings.register_profile("searching", derandomize=False, deadline=None, max_examples=1000, print_blob=True)
settings.load_profile("settled")


def pytest_xdist_auto_num_workers() -> int:
    """Say what `-n auto` means: two processes to a core. Many tests spend their time waiting for other processes."""
    return 2 * (os.cpu_count() or 1)
