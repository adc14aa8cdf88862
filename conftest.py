"""How the laws of all distributions draw their examples; `--hypothesis-profile` chooses.

`settled`, the usual one, draws the same examples each time: a run turns red by the change, not by the day. `searching`
draws others each time, and ten times as many: `make laws` looks with it for what nobody has found yet. No example is
timed in either: how long one takes is the machine's business.
"""

from hypothesis import settings

settings.register_profile("settled", derandomize=True, deadline=None, database=None)
settings.register_profile("searching", derandomize=False, deadline=None, max_examples=1000, print_blob=True)
settings.load_profile("settled")
