"""Choices of fields and forms from a StrEnum whose members carry a sentence for people."""

from __future__ import annotations

from enum import StrEnum


def choices_of(states: type[StrEnum]) -> list[tuple[str, str]]:
    """[(value, label)]: the label is the value with spaces; pages translate it."""
    return [(state.value, state.value.replace("_", " ")) for state in states]
