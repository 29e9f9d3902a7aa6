"""The operator's pages: every table opens, is searched and filtered; what services keep right is not edited."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from silkroom.accounts.models import Person
from silkroom.journal.models import Entry
from silkroom.live.room.services import plan_show
from silkroom.sales.models import Order
from silkroom.shops.models import Shop
from silkroom.shops.services import invite_staff
from silkroom.shops.states import Role
from tests.house import House, make_house, make_person, make_published

pytestmark = pytest.mark.django_db

EDITED_HERE = {"MerchantAccount", "Person", "Group", "Shop", "Style"}
"""Words and rights. All else is written by services only."""


@pytest.fixture
def house(settings: Any, tmp_path: Path) -> House:
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, storage_url=str(tmp_path))
    house = make_house()
    style = make_published(house)
    plan_show(shop=house.shop, host=house.owner, title="Evening", style_ids=[style.pk])
    invite_staff(shop=house.shop, by=house.owner, role=Role.HOST, contact="x")
    return house


@pytest.fixture
def operator() -> Client:
    person = make_person("Operator")
    person.is_staff = person.is_superuser = True
    person.save()
    client = Client(headers={"accept-language": "en"})
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def own_models() -> list[Any]:
    return [model for model in admin.site._registry if model.__module__.startswith("silkroom.")]


def name_of(model: Any, page: str) -> str:
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"


def test_every_table_is_there_but_the_room_log_whose_key_is_composite() -> None:
    registered = {model.__name__ for model in own_models()}
    assert {"Person", "Shop", "Staff", "Item", "Movement", "Hold", "Style", "Variant", "Order", "Payment"} <= registered
    assert {"Broadcast", "Question", "Deal", "Entry", "Notice", "Refund", "Sellable", "Balance"} <= registered


def test_every_list_opens_and_can_be_searched(house: House, operator: Client) -> None:
    assert operator.get(reverse("admin:index")).status_code == 200
    for model in own_models():
        page = reverse(name_of(model, "changelist"))
        assert operator.get(page).status_code == 200, model
        if admin.site._registry[model].search_fields:
            assert operator.get(page, {"q": "silk"}).status_code == 200, model


def test_every_row_opens(house: House, operator: Client) -> None:
    opened = 0
    for model in own_models():
        row = model._default_manager.first()
        if row is not None:
            opened += 1
            assert operator.get(reverse(name_of(model, "change"), args=[row.pk])).status_code == 200, model
    assert opened > 12


def test_only_words_and_rights_are_edited_and_nothing_is_deleted(house: House, operator: Client) -> None:
    request = operator.get(reverse("admin:index")).wsgi_request
    for model in own_models():
        page = admin.site._registry[model]
        row = model._default_manager.first()
        assert page.has_change_permission(request, row) == (model.__name__ in EDITED_HERE), model
        assert not page.has_delete_permission(request, row), model


def test_a_post_to_a_read_only_table_changes_nothing(house: House, operator: Client) -> None:
    entry = Entry.objects.first()
    assert entry
    page = reverse("admin:journal_entry_change", args=[entry.pk])
    assert operator.post(page, {"kind": "forged", "data": "{}"}).status_code == 403
    assert operator.post(reverse("admin:journal_entry_add"), {"kind": "forged"}).status_code == 403
    assert operator.post(reverse("admin:sales_order_add"), {}).status_code == 403
    entry.refresh_from_db()
    assert entry.kind != "forged"
    assert Order.objects.count() == 0


def test_secrets_are_on_no_page(house: House, operator: Client) -> None:
    invitation = house.shop.invitations.get()
    for page in (
        reverse("admin:shops_invitation_changelist"),
        reverse("admin:shops_invitation_change", args=[invitation.pk]),
    ):
        assert invitation.secret_hash not in operator.get(page).content.decode()


def test_a_person_is_made_and_changed(house: House, operator: Client) -> None:
    answer = operator.post(
        reverse("admin:accounts_person_add"),
        {
            "email": "new@example.com",
            "name": "New",
            "usable_password": "true",
            "password1": "silk-road-9",
            "password2": "silk-road-9",
        },
    )
    assert answer.status_code == 302
    person = Person.objects.get(email="new@example.com")
    assert person.check_password("silk-road-9")
    page = reverse("admin:accounts_person_change", args=[person.pk])
    assert operator.post(page, {"name": "Renamed", "email": "", "phone": "+8613800138000"}).status_code == 302
    person.refresh_from_db()
    assert (person.name, person.email, person.phone, person.is_active) == ("Renamed", None, "+8613800138000", False)


def test_a_style_corrected_here_is_told_to_the_journal(house: House, operator: Client) -> None:
    style = house.shop.styles.get()
    before = Entry.objects.filter(kind="style.changed").count()
    page = reverse("admin:catalog_style_change", args=[style.pk])
    formsets = {f"{name}-{part}": "0" for name in ("variants", "pictures") for part in ("TOTAL_FORMS", "INITIAL_FORMS")}
    data = {"article": style.article, "name": "Corrected", "safety_class": "B", "standard": "", **formsets}
    assert operator.post(page, data).status_code == 302
    style.refresh_from_db()
    assert style.name == "Corrected"
    assert Entry.objects.filter(kind="style.changed").count() == before + 1


def test_a_shop_keeps_what_others_point_at(house: House, operator: Client) -> None:
    assert operator.post(reverse("admin:shops_shop_delete", args=[house.shop.pk]), {"post": "yes"}).status_code == 403
    assert Shop.objects.filter(pk=house.shop.pk).exists()


def test_the_operators_pages_keep_a_policy_of_their_own(operator: Client) -> None:
    policy = operator.get(reverse("admin:index"))["Content-Security-Policy"]
    assert "'unsafe-inline'" in policy
    assert "script-src 'self';" in operator.get("/")["Content-Security-Policy"]
