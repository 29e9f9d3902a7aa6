"""Tills are made by owners, paired by a code, and forgotten at a word."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import transaction

from silkroom.accounts.tickets import issue_ticket
from silkroom.journal.models import Entry
from silkroom.kit.clock import now
from silkroom.pos.errors import PairingCodeUnusable, ShiftOpenAlready, TillNameTaken, TillNotPaired, TillPlaceUnusable
from silkroom.pos.models import Device, Shift, Till
from silkroom.pos.queries import Clerk, get_device
from silkroom.pos.services import close_shift, make_pairing_code, make_till, open_shift, pair_device, revoke_device
from silkroom.shops.states import Role
from tests.house import make_house, make_person
from tests.pos.counter import call, make_counter, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_guesses_before() -> None:
    cache.clear()


def test_tills_stand_in_stores_of_their_own_shop_and_are_numbered() -> None:
    house, other = make_house(), make_house("Other")
    words = {"clerk_discount_percent": 10, "kept_pieces": 1}
    for place in (house.warehouse, other.store):
        with pytest.raises(TillPlaceUnusable):
            make_till(shop=house.shop, place=place, name="A", **words)
    first = make_till(shop=house.shop, place=house.store, name="A", **words)
    with pytest.raises(TillNameTaken), transaction.atomic():
        make_till(shop=house.shop, place=house.store, name="A", **words)
    second = make_till(shop=house.shop, place=house.store, name="B", **words)
    theirs = make_till(shop=other.shop, place=other.store, name="A", **words)
    assert [one.number for one in (first, second, theirs)] == [1, 2, 1]
    assert first.buyer.is_guest
    assert not first.buyer.has_usable_password()


def test_a_code_pairs_one_device_once_and_soon() -> None:
    house = make_house()
    till = make_till(shop=house.shop, place=house.store, name="A", clerk_discount_percent=10, kept_pieces=1)
    with pytest.raises(PairingCodeUnusable):
        pair_device(code="")
    code = make_pairing_code(till=till)
    assert code not in Till.objects.values_list("pairing_hash", flat=True)
    paired = pair_device(code=f" {code.lower()} ")
    assert get_device(paired.token) == paired.device
    with pytest.raises(PairingCodeUnusable):
        pair_device(code=code)
    stale = make_pairing_code(till=till)
    Till.objects.filter(pk=till.pk).update(pairing_until=now() - timedelta(seconds=1))
    with pytest.raises(PairingCodeUnusable):
        pair_device(code=stale)
    assert Device.objects.count() == 1


def test_a_second_device_takes_the_place_of_the_first_with_numbers_of_its_own() -> None:
    counter = make_counter(make_house())
    second = pair_device(code=make_pairing_code(till=counter.till))
    with pytest.raises(TillNotPaired):
        get_device(counter.token)
    assert get_device(second.token).series == 2
    client = signed_in(None)
    assert call(client, "state", {}, counter.token)[1]["error"]["code"] == "till_not_paired"
    assert call(client, "state", {}, second.token)[1]["first_number"] == 2_000_001


def test_a_token_ends_by_revoking_by_time_and_by_forgery(settings) -> None:
    counter = make_counter(make_house())
    forged = issue_ticket("room", {"d": counter.device.pk}, lifetime=timedelta(days=1))
    old = issue_ticket("till", {"d": counter.device.pk}, lifetime=timedelta(seconds=-1))
    for token in ("", "x", forged, old, counter.token + "x"):
        with pytest.raises(TillNotPaired):
            get_device(token)
    assert revoke_device(till=counter.till)
    with pytest.raises(TillNotPaired):
        get_device(counter.token)
    assert not revoke_device(till=counter.till)


def test_all_doors_of_a_till_are_closed_without_its_token() -> None:
    counter = make_counter(make_house())
    revoked = make_counter(counter.house, "Till 2")
    revoke_device(till=revoked.till)
    before = (Shift.objects.count(), Entry.objects.count())
    client = signed_in(counter.house.owner)
    for path in ("state", "receipts", "shift/open", "shift/close"):
        for token in ("", "forged", revoked.token):
            status, answer = call(client, path, {}, token)
            assert (status, answer["error"]["code"]) == (403, "till_not_paired"), (path, token)
    assert (Shift.objects.count(), Entry.objects.count()) == before


def test_guessing_codes_is_stopped() -> None:
    counter = make_counter(make_house())
    code = make_pairing_code(till=counter.till)
    client = signed_in(None)
    statuses = [call(client, "pair", {"code": "WRONG234"})[0] for _ in range(20)]
    assert set(statuses) == {404}
    status, answer = call(client, "pair", {"code": code})
    assert (status, answer["error"]["code"]) == (429, "too_many")


def test_a_shift_is_opened_by_a_clerk_of_the_shop_and_counted_at_its_end() -> None:
    counter = make_counter(make_house(), is_open=False)
    house = counter.house
    for stranger in (None, make_person("Buyer"), make_house("Other").owner, house.hire(Role.WAREHOUSE)):
        status, answer = call(signed_in(stranger), "shift/open", {"float_minor": 1}, counter.token)
        assert (status, answer["error"]["code"]) == (403, "clerk_missing")
    clerk = signed_in(house.hire(Role.CLERK))
    status, answer = call(clerk, "shift/open", {"float_minor": 20_000}, counter.token)
    assert (status, answer["shift"]["discount_limit"]) == (201, 10)
    assert call(clerk, "shift/open", {"float_minor": 1}, counter.token)[0] == 409
    count = {"shift": answer["shift"]["id"], "counted_cash_minor": 19_900, "counted_code_minor": 0}
    assert call(clerk, "shift/close", count, counter.token)[0] == 200
    again = call(clerk, "shift/close", {**count, "counted_cash_minor": 5}, counter.token)
    assert again[0] == 200
    shift = Shift.objects.get()
    assert (shift.float_minor, shift.counted_cash_minor, shift.closed_by) == (20_000, 19_900, house.hire(Role.CLERK))
    kinds = list(Entry.objects.filter(kind__startswith="shift.").order_by("id").values_list("kind", flat=True))
    assert kinds == ["shift.opened", "shift.closed"]


def test_one_shift_is_open_at_a_till() -> None:
    counter = make_counter(make_house())
    assert counter.shift
    with pytest.raises(ShiftOpenAlready), transaction.atomic():
        open_shift(till=counter.till, clerk=counter.clerk, float_minor=0)
    close_shift(
        till=counter.till, shift_id=counter.shift.pk, clerk=counter.clerk, counted_cash_minor=0, counted_code_minor=0
    )
    by_clerk = Clerk(counter.house.hire(Role.CLERK), Role.CLERK)
    assert open_shift(till=counter.till, clerk=by_clerk, float_minor=0).pk != counter.shift.pk


@pytest.mark.parametrize("body", ["", "[]", '{"float_minor": -1}', '{"float_minor": 1.5}', '{"x": 1}', "\xff"])
def test_what_cannot_be_read_is_refused(body: str) -> None:
    counter = make_counter(make_house(), is_open=False)
    answer = signed_in(counter.house.owner).post(
        "/pos/api/shift/open", body, content_type="application/json", headers={"authorization": f"Till {counter.token}"}
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "malformed")
    assert Shift.objects.count() == 0


def test_the_page_keeps_all_that_it_is_made_of() -> None:
    client = signed_in(None)
    worker = client.get("/pos/worker.js").content.decode()
    page = client.get("/pos/").content.decode()
    for address in ("/pos/", "/pos/manifest.webmanifest", "/i18n/words.js"):
        assert f'"{address}"' in worker
    for name in ("store.js", "line.js", "pair.js", "shift.js", "dom.js", "words.js", "sell.js", "pay.js", "post.js"):
        assert f"/static/pos/till/{name}" in worker
    assert 'rel="manifest"' in page
    manifest = client.get("/pos/manifest.webmanifest").json()
    assert (manifest["start_url"], manifest["scope"], manifest["display"]) == ("/pos/", "/pos/", "standalone")
    assert {icon["sizes"] for icon in manifest["icons"]} == {"192x192", "512x512"}


def test_the_owner_sets_a_till_up_and_a_clerk_looks(settings) -> None:
    house = make_house()
    owner, clerk = signed_in(house.owner), signed_in(house.hire(Role.CLERK))
    base = f"/workbench/{house.shop.slug}/tills/"
    key = "7f0c1c1e-3a52-4c2e-9a55-6d9f4f0e1c11"
    form = {"key": key, "place": house.store.pk, "name": "Front", "clerk_discount_percent": 15, "kept_pieces": 2}
    first = owner.post(f"{base}new/", form)
    assert owner.post(f"{base}new/", form)["Location"] == first["Location"]
    till = Till.objects.get()
    page = f"{base}{till.code}/"
    code = owner.post(f"{page}pair/").context["pairing"]
    assert pair_device(code=code).device.till == till
    assert "Front" in clerk.get(base).content.decode()
    assert clerk.get(page).status_code == 200
    assert clerk.post(f"{page}pair/").status_code == 404
    wrong = owner.post(f"{page}change/", {"name": "Front", "clerk_discount_percent": 91, "kept_pieces": 2})
    assert wrong.status_code == 422
    assert (
        owner.post(f"{page}change/", {"name": "Back", "clerk_discount_percent": 5, "kept_pieces": 0}).status_code == 302
    )
    till.refresh_from_db()
    assert (till.name, till.clerk_discount_percent, till.kept_pieces) == ("Back", 5, 0)
    assert owner.post(f"{page}revoke/").status_code == 302
    assert not Device.objects.filter(revoked_at=None).exists()
