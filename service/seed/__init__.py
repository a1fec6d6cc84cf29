"""Lifelike data for measuring and for looking at: made up by us, the same for the same seed."""
