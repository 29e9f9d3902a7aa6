"""The whole house of the demo, seeded through the departments' services: everything is there, and its pages open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from silkroom.accounts.models import Person
from silkroom.catalog.models import Picture
from silkroom.catalog.models import Style as CatalogStyle
from silkroom.catalog.states import StyleState
from silkroom.config.demo.brand import BRAND, DEALS, LOGINS, STYLES
from silkroom.config.demo.seed import Seeded, seed
from silkroom.inventory.models import Movement
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.deals.models import PreparedDeal
from silkroom.live.room.queries import load_state
from silkroom.shops.models import Shop

OWNER = BRAND.staff[0].email
HOST = BRAND.staff[1].email


def counts() -> list[int]:
    tables = (Shop, Person, CatalogStyle, Picture, Movement, Broadcast, PreparedDeal)
    return [table.objects.count() for table in tables]


def browser(email: str | None, language: str) -> Client:
    client = Client(headers={"accept-language": language})
    if email is not None:
        client.force_login(Person.objects.get(email=email), backend="django.contrib.auth.backends.ModelBackend")
    return client


def pages(seeded: Seeded) -> Iterator[tuple[str | None, str, tuple[str, ...]]]:
    """(who, address, what stands there in Chinese)."""
    standards = {style.code: style.label.standard for style in STYLES}
    styles = list(CatalogStyle.objects.order_by("id"))
    show = reverse("live:room", args=[seeded.show])
    yield None, reverse("storefront:home"), (BRAND.name.zh,)
    yield None, reverse("storefront:shop", args=[seeded.shop]), tuple(style.name.zh for style in STYLES)
    yield None, show, (BRAND.name.zh, seeded.title)
    yield HOST, reverse("live:studio", args=[seeded.show]), (seeded.title,)
    for style in styles:
        yield None, reverse("storefront:style", args=[style.code]), (style.name, standards[style.article])
        for page in ("style", "style-grid", "style-sizes", "style-label", "style-pictures"):
            yield OWNER, reverse(f"workbench:{page}", args=[seeded.shop, style.code]), (style.name,)
    for page in ("shop", "styles", "stock", "movements", "orders", "shows", "staff", "settings"):
        yield OWNER, reverse(f"workbench:{page}", args=[seeded.shop]), (BRAND.name.zh,)
    yield OWNER, reverse("workbench:show", args=[seeded.shop, seeded.show]), tuple(style.name.zh for style in STYLES)


@pytest.mark.django_db
def test_the_whole_house(settings: Any, tmp_path: Path) -> None:
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, storage_url=str(tmp_path))
    passwords = dict.fromkeys(LOGINS, "a long enough password")
    told: list[str] = []
    seeded = seed(passwords, told.append)
    assert len(told) == len(STYLES) + 2

    variants = sum(len(style.colours) * len(style.sizes) for style in STYLES)
    assert CatalogStyle.objects.filter(state=StyleState.PUBLISHED).count() == len(STYLES)
    assert Picture.objects.count() == sum(len(style.colours) for style in STYLES)
    with connection.cursor() as cursor:
        room = load_state(cursor, Broadcast.objects.get(code=seeded.show).pk).state
    assert [one["name"] for one in room["tray"]] == [style.name.zh for style in STYLES]
    on_show = [one for style in room["tray"] for one in style["variants"]]
    assert len(on_show) == variants
    assert all(one["left"] > 0 for one in on_show)
    assert all(style["picture"] for style in room["tray"])
    assert room["broadcast"]["cover"]
    assert PreparedDeal.objects.count() == len(DEALS)

    # A second start changes nothing.
    before = counts()
    assert seed(passwords, told.append) == replace(seeded, is_new=False)
    assert counts() == before

    for who, address, words in pages(seeded):
        for language in ("zh-hans", "en"):
            answer = browser(who, language).get(address)
            assert answer.status_code == 200, (who, address, answer.status_code)
            if language == "zh-hans":
                text = unescape(answer.content.decode())
                assert [word for word in words if word not in text] == [], address
