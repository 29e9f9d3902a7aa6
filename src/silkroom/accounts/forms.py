"""Forms of accounts. Sign-up has one field for "e-mail or phone": a person knows which one they typed."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import LoginForm as AllauthLoginForm
from allauth.account.forms import RequestLoginCodeForm as AllauthRequestLoginCodeForm
from allauth.account.forms import SignupForm as AllauthSignupForm
from django import forms
from django.contrib.auth import password_validation
from django.utils.translation import gettext, gettext_lazy

from silkroom.kit.errors import Refusal

from .codes import chosen_sender
from .errors import PhonesNotReached
from .fields import NameField, PhoneField
from .queries import is_unproven
from .rules import normalise_email, normalise_phone


class LoginForm(AllauthLoginForm):  # type: ignore[misc]
    """E-mail or phone, and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = gettext("E-mail or phone")
        self.fields["login"].max_length = 254
        self.fields["login"].widget.attrs = {
            "autocomplete": "username",
            "autocapitalize": "none",
            "spellcheck": "false",
        }
        self.fields["password"].help_text = ""
        self.fields["password"].widget.attrs.pop("placeholder", None)


class RequestLoginCodeForm(AllauthRequestLoginCodeForm):  # type: ignore[misc]
    """A code in place of the password, by e-mail or, where they are reached, by phone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if chosen_sender() is None:
            del self.fields["phone"]
            self.fields["email"].required = True

    def clean_email(self) -> str:
        email: str = super().clean_email()
        if email and is_unproven(email.lower()):
            # Otherwise the password of somebody else, who signed up with this address, would hold from now on.
            self._user = None
        return email


class SignupForm(AllauthSignupForm):  # type: ignore[misc]
    """Name, e-mail or phone (where phones are reached), password: nothing else is needed to begin."""

    field_order = ["name", "contact", "password1"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for replaced in ("email", "phone"):
            self.fields.pop(replaced, None)
        self.fields["name"] = NameField(label=gettext("Your name"), help_text=gettext("As others see it in a show."))
        self.fields["name"].widget.attrs["autocomplete"] = "nickname"
        takes_phones = chosen_sender() is not None
        self.fields["contact"] = forms.CharField(
            label=gettext("E-mail or phone") if takes_phones else gettext("E-mail"),
            help_text="" if takes_phones else PhonesNotReached().sentence(gettext),
            max_length=254,
            widget=forms.TextInput(
                attrs={
                    "autocomplete": "username",
                    "autocapitalize": "none",
                    "spellcheck": "false",
                    "inputmode": "email",
                }
            ),
        )
        password = self.fields["password1"]
        password.help_text = gettext("At least 8 characters, not only digits.")
        password.widget.attrs.pop("placeholder", None)
        self.order_fields(self.field_order)

    def clean_contact(self) -> str:
        typed: str = self.cleaned_data["contact"]
        try:
            if "@" in typed:
                email = get_adapter().clean_email(normalise_email(typed))
                self.cleaned_data["email"] = email if is_unproven(email) else self.validate_unique_email(email)
            elif chosen_sender() is None:
                raise PhonesNotReached
            else:
                self.cleaned_data["phone"] = normalise_phone(typed)
        except Refusal as refusal:
            raise forms.ValidationError(refusal.sentence(gettext)) from None
        return typed

    def clean_password1(self) -> str:
        password: str = self.cleaned_data["password1"]
        password_validation.validate_password(password)
        return password


class NameForm(forms.Form):
    """How a person is called."""

    name = NameField(label=gettext_lazy("Your name"))


class AddressForm(forms.Form):
    """Where parcels go."""

    recipient = NameField(label=gettext_lazy("Recipient"), longest=60)
    phone = PhoneField()
    line = NameField(
        label=gettext_lazy("Address"),
        longest=200,
        widget=forms.TextInput(attrs={"autocomplete": "street-address"}),
        help_text=gettext_lazy("Province, city, district, street and number."),
    )
