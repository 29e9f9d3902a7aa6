"""Setting tills up, and which device is one.

A pairing code is shown once and kept as a hash. A device that is paired takes the place of the one before.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Max

from silkroom.accounts.services import make_guest, rename_person
from silkroom.accounts.tickets import issue_ticket
from silkroom.journal.services import append_entry
from silkroom.kit.clock import now
from silkroom.kit.ids import make_code
from silkroom.shops.models import Place, Shop
from silkroom.shops.states import PlaceKind

from ..errors import PairingCodeUnusable, TillNameTaken, TillPlaceUnusable, TooManyTills
from ..models import Device, Till
from ..queries import DEVICE, TICKET_PURPOSE
from ..rules import MOST_TILLS, PAIRING_CODE_LENGTH, PAIRING_SECONDS, TOKEN_DAYS
from .sales import fill_leases


@dataclass(frozen=True)
class Paired:
    """A device that is the till from now on, and the token that says so."""

    device: Device
    token: str


def make_till(*, shop: Shop, place: Place, name: str, clerk_discount_percent: int, kept_pieces: int) -> Till:
    """A new till in a store. Raises TillPlaceUnusable, TillNameTaken, TooManyTills, NameUnusable."""
    if place.shop_id != shop.pk or place.kind != PlaceKind.STORE:
        raise TillPlaceUnusable
    # The shop's row is the lock: two new tills cannot both be the third.
    Shop.objects.select_for_update(no_key=True).get(pk=shop.pk)
    last = Till.objects.filter(shop=shop).aggregate(last=Max("number"))["last"] or 0
    if last >= MOST_TILLS:
        raise TooManyTills(most=MOST_TILLS)
    buyer = make_guest(name=name)
    try:
        with transaction.atomic():
            till = Till.objects.create(
                shop=shop,
                place=place,
                buyer=buyer,
                number=last + 1,
                name=buyer.name,
                clerk_discount_percent=clerk_discount_percent,
                kept_pieces=kept_pieces,
            )
    except IntegrityError:
        raise TillNameTaken(name=buyer.name) from None
    append_entry(kind="till.made", shop_id=shop.pk, data={"till": till.code, "place": place.code})
    return till


def change_till(*, till: Till, name: str, clerk_discount_percent: int, kept_pieces: int) -> Till:
    """Another name or other limits. Raises TillNameTaken, NameUnusable."""
    try:
        with transaction.atomic():
            till.name = rename_person(person=till.buyer, name=name).name
            till.clerk_discount_percent = clerk_discount_percent
            till.kept_pieces = kept_pieces
            till.save(update_fields=["name", "clerk_discount_percent", "kept_pieces"])
    except IntegrityError:
        raise TillNameTaken(name=name) from None
    return till


def make_pairing_code(*, till: Till) -> str:
    """A code that makes the device on which it is typed this till, once and soon. An earlier code is void."""
    code = make_code(PAIRING_CODE_LENGTH)
    till.pairing_hash = _hash(code)
    till.pairing_until = now() + timedelta(seconds=PAIRING_SECONDS)
    till.save(update_fields=["pairing_hash", "pairing_until"])
    return code


def pair_device(*, code: str, name: str = "") -> Paired:
    """The device becomes the till that the code was made for. Raises PairingCodeUnusable."""
    till = (
        Till.objects.select_for_update(no_key=True, of=("self",))
        .select_related("shop", "place")
        .filter(pairing_hash=_hash(code.strip().upper()), pairing_until__gt=now())
        .first()
    )
    if till is None:
        raise PairingCodeUnusable
    Device.objects.filter(till=till, revoked_at=None).update(revoked_at=now())
    till.series += 1
    till.pairing_hash, till.pairing_until = "", None
    till.save(update_fields=["series", "pairing_hash", "pairing_until"])
    device = Device.objects.create(till=till, series=till.series, name=name[:80])
    append_entry(kind="till.paired", shop_id=till.shop_id, data={"till": till.code, "series": till.series})
    return Paired(device, renew_token(device=device))


def renew_token(*, device: Device) -> str:
    """The device was here: its time begins anew."""
    Device.objects.filter(pk=device.pk).update(seen_at=now())
    return issue_ticket(TICKET_PURPOSE, {DEVICE: device.pk}, lifetime=timedelta(days=TOKEN_DAYS))


def revoke_device(*, till: Till) -> bool:
    """No device is this till any more, and nothing is booked to it. False: none was."""
    revoked = Device.objects.filter(till=till, revoked_at=None).update(revoked_at=now())
    if revoked:
        fill_leases(till=till, is_open=False)
        append_entry(kind="till.revoked", shop_id=till.shop_id, data={"till": till.code})
    return bool(revoked)


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
