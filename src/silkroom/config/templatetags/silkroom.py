"""Template tags that every page may use: money, moments for scripts."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.db.models.fields.files import FieldFile

from silkroom.catalog.rules import WIDTHS, rendition_name
from silkroom.kit.clock import to_milliseconds
from silkroom.kit.money import Money
from silkroom.shops.labels import Named, name_of

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


@register.filter
def rendition(picture: FieldFile, width: int) -> str:
    """Address of a stored picture at a width of `catalog.rules.WIDTHS`: ``{{ shop.logo|rendition:400 }}``."""
    name = picture.name or ""
    # A mark from before marks had renditions is one file.
    has_renditions = name.endswith(f"-{WIDTHS[-1]}.webp")
    return picture.storage.url(rendition_name(name, width) if has_renditions else name)


@register.filter
def named(thing: Named) -> str:
    """The name of a shop, style or colour in the language of the page: ``{{ style|named }}``."""
    return name_of(thing)
