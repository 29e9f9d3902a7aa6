"""Whatever a form refuses is said beside its field, in words that the field names to those who only hear the page."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from django.test import Client

from silkroom.catalog.models import Size
from silkroom.live.room.services import plan_show
from tests.house import House, make_picture, make_published, make_style, make_variants

pytestmark = pytest.mark.django_db


class Fields(HTMLParser):
    """Fields marked as wrong, and the words of every element that has an id."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.wrong: list[dict[str, str | None]] = []
        self.words: dict[str, str] = {}
        self._open: list[tuple[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if named.get("aria-invalid") == "true":
            self.wrong.append(named)
        if named.get("id"):
            self.words[str(named["id"])] = ""
        if tag not in {"input", "img", "br", "link", "meta", "use", "hr"}:
            self._open.append((tag, named.get("id")))

    def handle_endtag(self, tag: str) -> None:
        while self._open:
            if self._open.pop()[0] == tag:
                break

    def handle_data(self, data: str) -> None:
        for _, element in self._open:
            if element:
                self.words[element] += data.strip()


def style_of(house: House) -> str:
    style = make_style(house)
    make_variants(house, style)
    make_picture(style)
    return f"/workbench/{house.shop.slug}/styles/{style.code}/"


def show_of(house: House) -> str:
    style = make_published(house)
    show = plan_show(shop=house.shop, host=house.owner, title="x", style_ids=[style.pk], by=house.owner)
    return f"/workbench/{house.shop.slug}/shows/{show.code}/"


def grid_of(house: House) -> str:
    return f"/workbench/{house.shop.slug}/styles/{make_style(house).code}/"


GRID = {"colour-0-name": "", "size-0-label": "", "cell-0-0-price": "x", "cell-0-0-ean": "1", "cell-0-0-sold": "on"}

FORMS: list[tuple[str, Callable[[House], str], str, dict[str, str], int]] = [
    ("open a shop", lambda _: "/workbench/", "open/", {"name": "", "region_code": "1"}, 3),
    ("settings", lambda house: f"/workbench/{house.shop.slug}/", "settings/", {"name": "", "time_zone": "x"}, 4),
    ("currency", lambda house: f"/workbench/{house.shop.slug}/", "settings/currency/", {"currency": "XXX"}, 1),
    ("logo", lambda house: f"/workbench/{house.shop.slug}/", "settings/logo/", {}, 1),
    ("place", lambda house: f"/workbench/{house.shop.slug}/", "settings/places/new/", {"new-name": ""}, 2),
    ("style", lambda house: f"/workbench/{house.shop.slug}/", "styles/new/", {"name": ""}, 2),
    ("words", style_of, "", {"name": "", "article": "x" * 31}, 2),
    ("grid", grid_of, "grid/", GRID, 4),
    ("sizes", style_of, "sizes/", {"measure-0-name": "Chest", "measure-0-{size}": "x"}, 1),
    ("a measure without a name", style_of, "sizes/", {"measure-0-name": "", "measure-0-{size}": "90"}, 1),
    ("fibres", style_of, "label/", {"fibre-0-fibre": "Silk", "fibre-0-percent": "x"}, 1),
    ("invite", lambda house: f"/workbench/{house.shop.slug}/", "staff/invite/", {"contact": "", "role": "host"}, 1),
    ("show", lambda house: f"/workbench/{house.shop.slug}/", "shows/new/", {"title": "", "planned_at": "x"}, 2),
    ("deal", show_of, "deals/", {"price": "x", "minutes": "0"}, 3),
]


@pytest.mark.parametrize(("where", "form", "data", "wrong"), [one[1:] for one in FORMS], ids=[one[0] for one in FORMS])
def test_a_wrong_field_names_the_words_that_say_why(
    house: House, where: Callable[[House], str], form: str, data: dict[str, str], wrong: int
) -> None:
    client = Client(headers={"accept-language": "en"})
    client.force_login(house.owner, backend="django.contrib.auth.backends.ModelBackend")
    page = where(house)
    size = Size.objects.first()
    typed = {name.format(size=size.pk if size else ""): value for name, value in data.items()}
    answer = client.post(page + form, {"key": str(uuid.uuid4()), "new-key": str(uuid.uuid4()), **typed})
    assert answer.status_code == 422
    fields = Fields(answer.content.decode())
    assert len(fields.wrong) >= wrong
    for field in fields.wrong:
        told = [fields.words.get(name, "") for name in str(field.get("aria-describedby") or "").split()]
        assert any(told), (field.get("name"), field)
