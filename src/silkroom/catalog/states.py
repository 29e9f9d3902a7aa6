"""States and fixed lists of the catalog."""

from __future__ import annotations

from enum import StrEnum


class StyleState(StrEnum):
    """Only a published style is shown to buyers."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class SafetyClass(StrEnum):
    """GB 18401: A for babies, B next to the skin, C outer wear."""

    A = "A"
    B = "B"
    C = "C"
