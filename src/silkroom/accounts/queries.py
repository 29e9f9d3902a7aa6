"""Reading people and their addresses."""

from __future__ import annotations

from datetime import timedelta
from typing import TypeGuard

from allauth.account.models import EmailAddress
from django.db.models import Exists, ForeignObjectRel, OuterRef, Q, QuerySet

from silkroom.kit.clock import now
from silkroom.kit.errors import NotFound

from .models import Address, Person

UNVERIFIED_PHONE_KEPT = timedelta(hours=1)
"""A number typed at sign-up and never confirmed is free again after this: nobody can squat on another's phone."""


def unknown_people() -> Q:
    """People of whom nothing in the house speaks: no role, order, show, question, mute, nor entry of the admin's log.

    Departments stand above this one, so their tables are found by what refers to a person; a new one counts by itself.
    """
    own = {"accounts", "account"}
    known = Q()
    for one in Person._meta.get_fields(include_hidden=True):
        table = one.related_model
        if not (one.auto_created and isinstance(one, ForeignObjectRel) and isinstance(table, type)):
            continue
        if table._meta.app_label not in own:
            known |= Q(Exists(table._default_manager.filter(**{one.field.name: OuterRef("pk")})))
    return Q(is_staff=False, is_superuser=False) & ~known


def abandoned_sign_ups() -> Q:
    """Sign-ups by phone alone that were never confirmed nor used, and are too old to wait for.

    People whom an operator made look alike in this, but have an e-mail or something to do in the house."""
    return unknown_people() & Q(
        phone__isnull=False,
        phone_verified=False,
        email=None,
        is_guest=False,
        last_login=None,
        joined_at__lt=now() - UNVERIFIED_PHONE_KEPT,
    )


def unproven_sign_ups() -> Q:
    """Sign-ups by e-mail whose owner has not shown that the address is theirs, and who so were never let in.

    People whom an operator made have no such address yet, and are nobody's to take."""
    return unknown_people() & Q(
        Exists(EmailAddress.objects.filter(user=OuterRef("pk"), verified=False)),
        ~Exists(EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)),
        last_login=None,
        phone_verified=False,
        is_guest=False,
    )


def is_unproven(email: str) -> bool:
    """Whether only a sign-up that was never proven stands under this address."""
    return Person.objects.filter(unproven_sign_ups(), email=email).exists()


def find_person_by_code(code: str) -> Person | None:
    """The active person with this public code."""
    return Person.objects.filter(code=code, is_active=True).first()


def find_person_by_phone(phone: str) -> Person | None:
    """The person who signed up with this number (E.164); abandoned sign-ups do not count."""
    return Person.objects.filter(phone=phone).exclude(abandoned_sign_ups()).first()


def is_member(person: object) -> TypeGuard[Person]:
    """Signed up with e-mail or phone: neither anonymous nor a guest."""
    return isinstance(person, Person) and not person.is_guest


def addresses_of(person: Person) -> QuerySet[Address]:
    """The person's own addresses, latest first."""
    return Address.objects.filter(person=person).order_by("-created_at", "-id")


def get_address_for(person: Person, address_id: int) -> Address:
    """The person's own address. Raises NotFound."""
    address = Address.objects.filter(person=person, pk=address_id).first()
    if address is None:
        raise NotFound
    return address
