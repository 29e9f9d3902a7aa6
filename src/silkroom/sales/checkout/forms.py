"""Forms of buyers' order pages."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from silkroom.accounts.errors import PhoneUnusable
from silkroom.accounts.fields import NameField
from silkroom.accounts.rules import LONGEST_GUEST_NAME, normalise_phone
from silkroom.sales.desk.door import MOST_PIECES, OrderLineRequest

LARGEST_ID = 2**63 - 1


class BuyForm(forms.Form):
    """One garment, from a style's page. ``key`` is made with the page: sent twice, it makes one order.

    ``name``: of somebody who is not signed in, and buys as a guest.
    """

    key = forms.UUIDField(widget=forms.HiddenInput)
    variant = forms.IntegerField(min_value=1, max_value=LARGEST_ID, label=_("Colour and size"))
    quantity = forms.IntegerField(min_value=1, max_value=MOST_PIECES, initial=1, label=_("Pieces"))
    offer = forms.IntegerField(min_value=1, max_value=LARGEST_ID, required=False, widget=forms.HiddenInput)
    price_minor = forms.IntegerField(min_value=0, max_value=2**53, required=False, widget=forms.HiddenInput)
    currency = forms.CharField(max_length=3, required=False, widget=forms.HiddenInput)
    name = NameField(longest=LONGEST_GUEST_NAME, required=False)

    def line(self) -> OrderLineRequest:
        values = self.cleaned_data
        return OrderLineRequest(
            values["variant"], values["quantity"], values["offer"], values["price_minor"], values["currency"] or None
        )


class AddressForm(forms.Form):
    """Where the parcel goes."""

    recipient = forms.CharField(max_length=60, label=_("Recipient"))
    phone = forms.CharField(max_length=24, label=_("Phone"))
    address = forms.CharField(max_length=240, label=_("Address"), widget=forms.Textarea(attrs={"rows": 3}))

    def clean_phone(self) -> str:
        """E.164."""
        try:
            return normalise_phone(self.cleaned_data["phone"])
        except PhoneUnusable as refusal:
            raise forms.ValidationError(gettext(refusal.text)) from None
