"""The form of a merchant account: one for each provider, from what the provider needs."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy

from silkroom.sales.payments.labels import FIELD_NAMES
from silkroom.sales.payments.models import MerchantAccount
from silkroom.sales.payments.registry import Kind

LONGEST_VALUE = 8000
"""Characters: a certificate with its key has four thousand."""

KEPT = gettext_lazy("Is kept and not shown. Leave this empty to keep it.")


class KeyArea(forms.Textarea):
    """A key of several lines: what was typed does not come back, not even with an error."""

    def format_value(self, value: Any) -> str:
        return ""


class AccountForm(forms.Form):
    """What an owner enters for one provider. Keys are never filled in: an empty one stays as it is."""

    def __init__(self, data: Any = None, *, kind: Kind, account: MerchantAccount | None) -> None:
        super().__init__(data, prefix=kind.name)
        attributes = {"autocomplete": "off", "spellcheck": "false"}
        for one in kind.fields:
            widget: forms.Widget = forms.TextInput(attributes)
            if one.is_long:
                widget = KeyArea({**attributes, "rows": 4})
            elif one.is_key:
                widget = forms.PasswordInput({**attributes, "autocomplete": "new-password"}, render_value=False)
            is_kept = one.is_key and account is not None and bool(account.sealed)
            self.fields[one.name] = forms.CharField(
                label=FIELD_NAMES[kind.name, one.name],
                max_length=LONGEST_VALUE,
                widget=widget,
                required=not (is_kept or one.fits("")),
                help_text=gettext(str(KEPT)) if is_kept else "",
                initial=account.details.get(one.name, "") if account is not None and not one.is_key else "",
            )
