"""What django-allauth asks this house: how a person is made, and where phones are kept.

allauth owns the flows (attempts, limits, codes, mails); the rows are written by `accounts.services`.
"""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django import forms
from django.http import HttpRequest

from silkroom.kit.addresses import counted_address
from silkroom.kit.errors import Refusal

from .codes import chosen_sender, message_of
from .errors import PhonesNotReached
from .fields import PhoneField
from .models import Person
from .queries import find_person_by_phone
from .rules import normalise_phone
from .services import register_person, set_phone


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """People with e-mail or phone, no user name."""

    def save_user(self, request: HttpRequest, user: Person, form: forms.Form, commit: bool = True) -> Person:
        data = form.cleaned_data
        return register_person(
            name=data["name"], password=data["password1"], email=data.get("email"), phone=data.get("phone")
        )

    def phone_form_field(self, **options: Any) -> PhoneField:
        return PhoneField(**options)

    def clean_phone(self, phone: str) -> str:
        return normalise_phone(phone)

    def get_phone(self, user: Person) -> tuple[str, bool] | None:
        return (user.phone, user.phone_verified) if user.phone else None

    def set_phone(self, user: Person, phone: str, verified: bool) -> None:
        set_phone(person=user, phone=phone, verified=verified)

    def set_phone_verified(self, user: Person, phone: str) -> None:
        set_phone(person=user, phone=phone, verified=True)

    def get_user_by_phone(self, phone: str) -> Person | None:
        try:
            return find_person_by_phone(normalise_phone(phone))
        except Refusal:
            return None

    def send_verification_code_sms(self, user: Person, phone: str, code: str, **_: Any) -> None:
        sender = chosen_sender()
        if sender is None:
            raise PhonesNotReached
        sender.send_code(phone=phone, code=code, text=message_of(code))

    def get_client_ip(self, request: HttpRequest) -> str:
        # allauth's limits and this house's counters alike.
        return counted_address(super().get_client_ip(request))

    def get_login_stages(self) -> list[str]:
        own = {"allauth.account.stages.EmailVerificationStage": "silkroom.accounts.stages.EmailStage"}
        return [own.get(stage, stage) for stage in super().get_login_stages()]

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        # The limit of failed tries counts by what was typed: "138 0013 8000" and "+8613800138000" are one phone.
        if credentials.get("phone"):
            credentials["phone"] = normalise_phone(credentials["phone"])
        super().authentication_failed(request, **credentials)
