"""Forms of the pages of tills."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from silkroom.pos.models import Till
from silkroom.pos.rules import MOST_DISCOUNT_PERCENT, MOST_KEPT_PIECES
from silkroom.shops.models import Place

from .forms import KeyedForm


class TillWords(forms.Form):
    """What the owner may change of a till."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=20)
    clerk_discount_percent = forms.IntegerField(
        label=gettext_lazy("Clerks may take off, in per cent"), min_value=0, max_value=MOST_DISCOUNT_PERCENT, initial=10
    )
    kept_pieces = forms.IntegerField(
        label=gettext_lazy("Pieces kept for the till"),
        help_text=gettext_lazy(
            "So many of each garment are booked to the till while its shift is open, and sold by nobody else. "
            "They are what it can sell without a line. 0: nothing."
        ),
        min_value=0,
        max_value=MOST_KEPT_PIECES,
        initial=1,
    )


class TillForm(TillWords, KeyedForm):
    """A new till."""

    place = forms.ChoiceField(label=gettext_lazy("Store"))
    field_order = ("place", "name", "clerk_discount_percent", "kept_pieces")

    def __init__(self, *args: Any, places: list[Place], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = [(str(one.pk), one.name) for one in places]  # type: ignore[attr-defined]


def words_of(till: Till) -> dict[str, Any]:
    """How a till is now."""
    return {
        "name": till.name,
        "clerk_discount_percent": till.clerk_discount_percent,
        "kept_pieces": till.kept_pieces,
    }
