"""Choices of model fields from a StrEnum."""

from __future__ import annotations

from enum import StrEnum


def choices_of(states: type[StrEnum]) -> list[tuple[str, str]]:
    """[(value, label)]: the label is the value with spaces, for the operator; pages have words of their own."""
    return [(state.value, state.value.replace("_", " ")) for state in states]
