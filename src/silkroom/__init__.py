"""silkroom: a brand makes, shows live, sells in the same second, hands over and counts, in one place."""

__version__ = "0.1.0"
