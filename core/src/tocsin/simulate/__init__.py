"""Virtual time, vendors with faults and a ledger of the truth: the production policy and store, put to the proof."""
