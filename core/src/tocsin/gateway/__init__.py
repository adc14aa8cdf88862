"""The HTTP service: takes in messages, alerts and pushes, and shows what became of them. Extra: `tocsin[gateway]`."""
