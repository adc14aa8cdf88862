"""Plugins for alerting stacks that come with tocsin. Each imports `tocsin.plugin` alone, as anybody's would."""
