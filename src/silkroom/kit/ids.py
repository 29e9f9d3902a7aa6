"""Names of things that people and addresses carry: short, unguessable, without letters that look alike."""

from __future__ import annotations

import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""30 signs: no 0/O, 1/I/L, U. Ten of them are 49 bits: a guesser with a million tries a second needs centuries."""


def make_code(length: int = 10) -> str:
    """A random code, such as an order number."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
