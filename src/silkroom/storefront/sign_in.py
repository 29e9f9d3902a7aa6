"""Signing in while a guest: what the guest ordered comes along. Above accounts, because orders are."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest

from silkroom.accounts.adapter import AccountAdapter
from silkroom.accounts.models import Person
from silkroom.accounts.services import retire_guest
from silkroom.sales.orders.services import hand_over_orders


class SignInAdapter(AccountAdapter):
    """The adapter that django-allauth is given."""

    def login(self, request: HttpRequest, user: Person) -> None:
        # `GuestEntranceMiddleware` keeps the guest; signing in flushes the session that knew them. Where handing
        # over fails that session stays: its row comes back with the transaction.
        guest: Person | None = getattr(request, "guest", None)
        if guest is None or guest.pk == user.pk:
            super().login(request, user)
            return
        with transaction.atomic():
            hand_over_orders(guest=guest, member=user)
            retire_guest(guest=guest)
            super().login(request, user)
