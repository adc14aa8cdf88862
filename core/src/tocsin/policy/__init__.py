"""Pure decisions: which route, which account, what in doubt, and why. No I/O, no clock, no dice of its own."""
