"""Form fields for names and phones: the rules of `accounts.rules` as form errors."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy

from silkroom.kit.errors import Refusal

from .rules import LONGEST_NAME, clean_name, normalise_phone


class NameField(forms.CharField):
    """A name, cleaned."""

    def __init__(self, *, longest: int = LONGEST_NAME, **options: Any) -> None:
        self.longest = longest
        options.setdefault("label", gettext_lazy("Name"))
        # Twice the length: the rule counts after cleaning and says it in its own words.
        super().__init__(max_length=longest * 2, **options)
        self.widget.attrs["maxlength"] = longest

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return text
        try:
            return clean_name(text, longest=self.longest)
        except Refusal as refusal:
            raise forms.ValidationError(refusal.sentence(gettext)) from None


class PhoneField(forms.CharField):
    """A phone number as E.164; numbers without a country code are read as numbers at home."""

    widget = forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"})

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", gettext_lazy("Phone"))
        super().__init__(**options)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return text
        try:
            return normalise_phone(text)
        except Refusal as refusal:
            raise forms.ValidationError(refusal.sentence(gettext)) from None
