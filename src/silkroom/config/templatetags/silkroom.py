"""Template tags that every page may use: money, moments for scripts."""

from __future__ import annotations

from datetime import datetime

from django import template

from silkroom.kit.clock import to_milliseconds
from silkroom.kit.money import Money

register = template.Library()


@register.filter
def money(minor: int, currency: str = "CNY") -> str:
    """``{{ order.total_minor|money:order.currency }}`` -> ¥1,299."""
    return str(Money(int(minor), currency))


@register.filter
def milliseconds(moment: datetime | None) -> int | str:
    """A moment as milliseconds since 1970, for scripts."""
    return to_milliseconds(moment) if moment else ""


@register.filter
def centimetres(millimetres: int) -> str:
    """A measure of a size chart: ``{{ 845|centimetres }}`` -> 84.5."""
    return f"{millimetres / 10:g}"
