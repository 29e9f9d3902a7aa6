"""Forms of the merchant pages: what people type becomes clean values. Rules stay in the departments."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import get_language, gettext, gettext_lazy

from silkroom.accounts.fields import NameField
from silkroom.accounts.models import Person
from silkroom.catalog.labels import CARE_NAMES, SAFETY_NAMES
from silkroom.catalog.models import Colour, Style
from silkroom.catalog.rules import CARE_SYMBOLS, CareKind
from silkroom.catalog.services import StyleWords
from silkroom.catalog.states import SafetyClass
from silkroom.kit.clock import now
from silkroom.kit.money import MINOR_DIGITS, SIGNS, parse_minor
from silkroom.shops.labels import CURRENCY_NAMES, PLACE_KIND_NAMES, ROLE_NAMES, USUAL_ZONES, name_of
from silkroom.shops.models import Place, Shop
from silkroom.shops.regions import find_region, provinces, regions_in
from silkroom.shops.rules import INSIDE_KINDS, LONGEST_CONTACT, time_zones
from silkroom.shops.states import PlaceKind, Role

from .labels import COUNT_REASONS

LARGEST_COUNT = 1_000_000


class KeyedForm(forms.Form):
    """A form that makes something: its ``key`` lets a repeated sending show the first result."""

    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].initial = uuid.uuid4


class MoneyField(forms.CharField):
    """An amount as typed ("1,299.5"), as minor units of the currency."""

    def __init__(self, *, currency: str, **options: Any) -> None:
        self.currency = currency
        super().__init__(max_length=20, **options)
        self.widget.attrs |= {"inputmode": "decimal", "autocomplete": "off"}

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return parse_minor(text, self.currency)
        except ValueError:
            raise forms.ValidationError(gettext("This is not an amount of money, such as 399 or 399.50.")) from None


class RegionFields(forms.Form):
    """Province, then district. The page's script fills the second list; without one, sending the form once does."""

    province = forms.ChoiceField(label=gettext_lazy("Province"))
    region_code = forms.CharField(label=gettext_lazy("District or county"), max_length=6, widget=forms.Select)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        english = (get_language() or "").startswith("en")
        self.fields["province"].choices = [  # type: ignore[attr-defined]
            ("", gettext("Choose")),
            *((one.code, f"{one.name_en} {one.name}" if english else one.name) for one in provinces()),
        ]
        chosen = str(self["province"].value() or "")
        self.fields["region_code"].widget.choices = [("", gettext("Choose")), *region_choices(chosen)]

    def clean_region_code(self) -> str:
        code: str = self.cleaned_data["region_code"]
        if find_region(code) is None:
            raise forms.ValidationError(gettext("Please choose a district from the list."))
        return code


def region_choices(province_code: str) -> list[Any]:
    """Options of a province's districts, under the names of their prefectures."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for region in regions_in(province_code):
        groups.setdefault(region.group, []).append((region.code, region.name))
    return [option for group, options in groups.items() for option in ([(group, options)] if group else options)]


class OpenShopForm(KeyedForm, RegionFields):
    """All that a shop needs to exist."""

    name = NameField(label=gettext_lazy("Name of the shop"), longest=60)
    name_en = NameField(
        label=gettext_lazy("Name in English"),
        longest=60,
        required=False,
        help_text=gettext_lazy("Becomes the address of your shop."),
    )
    field_order = ("key", "name", "name_en", "province", "region_code")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in INSIDE_KINDS:
            words = str(PLACE_KIND_NAMES[kind])
            self.fields[f"has_{kind}"] = forms.BooleanField(
                label=words, required=False, initial=kind is PlaceKind.WAREHOUSE
            )
            self.fields[f"name_{kind}"] = NameField(
                label=gettext("Name of this place"), longest=60, required=False, initial=words
            )

    @property
    def place_fields(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """(whether there is one, its name) for each kind."""
        return [(self[f"has_{kind}"], self[f"name_{kind}"]) for kind in INSIDE_KINDS]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not any(cleaned.get(f"has_{kind}") for kind in INSIDE_KINDS):
            self.add_error(f"has_{PlaceKind.WAREHOUSE}", gettext("Choose at least one place where your goods are."))
        return cleaned

    def places(self) -> dict[PlaceKind, str]:
        """The chosen places and their names."""
        return {
            kind: self.cleaned_data[f"name_{kind}"] or str(PLACE_KIND_NAMES[kind])
            for kind in INSIDE_KINDS
            if self.cleaned_data[f"has_{kind}"]
        }


class ShopForm(RegionFields):
    """How a shop presents itself."""

    name = NameField(label=gettext_lazy("Name of the shop"), longest=60)
    name_en = NameField(label=gettext_lazy("Name in English"), longest=60, required=False)
    about = forms.CharField(
        label=gettext_lazy("About the shop"), required=False, max_length=2000, widget=forms.Textarea
    )
    contact = forms.CharField(
        label=gettext_lazy("How buyers reach you"),
        required=False,
        max_length=LONGEST_CONTACT,
        help_text=gettext_lazy(
            "A phone number, an e-mail or an account: shown on your shop's page and on every order."
        ),
    )
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("Every date in the workbench and the beginning of your shows go by it."),
    )
    field_order = ("name", "name_en", "about", "contact", "province", "region_code", "time_zone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].choices = zone_choices()  # type: ignore[attr-defined]

    @classmethod
    def of(cls, shop: Shop) -> ShopForm:
        return cls(
            initial={
                "name": shop.name,
                "name_en": shop.name_en,
                "about": shop.about,
                "contact": shop.contact,
                "time_zone": shop.time_zone,
                "province": shop.region_code[:2],
                "region_code": shop.region_code,
            }
        )


def zone_choices() -> list[Any]:
    """Usual time zones by the names of their cities, then all by the names that computers give them."""
    usual = [(name, f"{city} ({_offset(name)})") for name, city in USUAL_ZONES.items()]
    others: dict[str, list[tuple[str, str]]] = {}
    for name in time_zones():
        area, _, city = name.partition("/")
        others.setdefault(area, []).append((name, f"{city.replace('_', ' ')} ({_offset(name)})"))
    # The chosen one is found in the first group that has it.
    rest = [(area, [one for one in zones if one[0] not in USUAL_ZONES]) for area, zones in others.items()]
    return [(gettext("Usual"), usual), *rest]


def _offset(name: str) -> str:
    """Of today: "UTC+08:00"."""
    minutes = round((now().astimezone(ZoneInfo(name)).utcoffset() or timedelta()).total_seconds() / 60)
    return f"UTC{'−' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


class LogoForm(forms.Form):
    """The shop's mark."""

    logo = forms.FileField(
        label=gettext_lazy("Logo"),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
        help_text=gettext_lazy("Square is best. JPEG, PNG or WebP, up to 10 MB."),
    )


class CurrencyForm(forms.Form):
    """In which currency prices are written."""

    currency = forms.ChoiceField(label=gettext_lazy("Currency"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["currency"].choices = [  # type: ignore[attr-defined]
            (code, f"{CURRENCY_NAMES[code]} {SIGNS[code]}") for code in MINOR_DIGITS
        ]


class PlaceForm(KeyedForm):
    """A further place."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"))
    name = NameField(label=gettext_lazy("Name"), longest=60)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(str(kind), PLACE_KIND_NAMES[kind]) for kind in INSIDE_KINDS]  # type: ignore[attr-defined]


class PlaceChangeForm(forms.Form):
    """Name of a place, and whether web and show sell from it."""

    name = NameField(label=gettext_lazy("Name"), longest=60)
    sells_online = forms.BooleanField(label=gettext_lazy("Web and show sell from here"), required=False)


class StyleForm(KeyedForm):
    """How a style is called and described."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    article = forms.CharField(
        label=gettext_lazy("Article number"),
        max_length=30,
        help_text=gettext_lazy("Your own number, such as SR-2401. SKUs begin with it."),
    )
    name_en = forms.CharField(label=gettext_lazy("Name in English"), max_length=80, required=False)
    description = forms.CharField(
        label=gettext_lazy("Description"), required=False, max_length=4000, widget=forms.Textarea
    )
    description_en = forms.CharField(
        label=gettext_lazy("Description in English"), required=False, max_length=4000, widget=forms.Textarea
    )

    @classmethod
    def of(cls, style: Style) -> StyleForm:
        return cls(
            initial={
                name: getattr(style, name) for name in ("name", "article", "name_en", "description", "description_en")
            }
        )

    def words(self) -> StyleWords:
        data = self.cleaned_data
        return StyleWords(data["article"], data["name"], data["name_en"], data["description"], data["description_en"])


class SeveralFilesInput(forms.ClearableFileInput):
    """A file input that takes several."""

    allow_multiple_selected = True


class SeveralFilesField(forms.FileField):
    """Up to ``most`` files of a bounded size; what is in them is the catalog's business."""

    def __init__(self, *, most: int, most_bytes: int, **options: Any) -> None:
        self.most = most
        self.most_bytes = most_bytes
        super().__init__(widget=SeveralFilesInput(attrs={"accept": "image/jpeg,image/png,image/webp"}), **options)

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[bytes]]:
        files = data if isinstance(data, list | tuple) and data else [data or None]
        if len(files) > self.most:
            raise forms.ValidationError(gettext("At most %(most)s files at once.") % {"most": self.most})
        cleaned = [super(SeveralFilesField, self).clean(one, initial) for one in files]
        for one in cleaned:
            if one and one.size > self.most_bytes:
                raise forms.ValidationError(
                    gettext("“%(name)s” is larger than %(megabytes)s MB.")
                    % {"name": one.name, "megabytes": self.most_bytes // 1024**2}
                )
        return cleaned


class PicturesForm(forms.Form):
    """New pictures of a style."""

    pictures = SeveralFilesField(label=gettext_lazy("Pictures"), most=10, most_bytes=10 * 1024**2)


class PictureForm(forms.Form):
    """What a picture shows."""

    alt = forms.CharField(
        label=gettext_lazy("What it shows"),
        max_length=120,
        required=False,
        help_text=gettext_lazy("Read aloud to people who do not see it."),
    )
    colour = forms.TypedChoiceField(label=gettext_lazy("Colour"), required=False, coerce=int, empty_value=None)

    def __init__(self, *args: Any, colours: Sequence[Colour], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["colour"].choices = [  # type: ignore[attr-defined]
            ("", gettext("All colours")),
            *((str(colour.pk), name_of(colour)) for colour in colours),
        ]


class LabelForm(forms.Form):
    """The fibre label without its composition, which is a list of its own."""

    safety_class = forms.ChoiceField(
        label=gettext_lazy("Safety class (GB 18401)"), required=False, widget=forms.RadioSelect
    )
    standard = forms.CharField(
        label=gettext_lazy("Product standard"),
        max_length=40,
        required=False,
        help_text=gettext_lazy("Such as GB/T 18132 for silk garments."),
    )
    weight_note = forms.CharField(
        label=gettext_lazy("Weight of the fabric"),
        max_length=40,
        required=False,
        help_text=gettext_lazy("Such as 19 momme."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["safety_class"].choices = [  # type: ignore[attr-defined]
            ("", gettext("Not stated")),
            *((str(one), SAFETY_NAMES[one]) for one in SafetyClass),
        ]
        for kind in CareKind:
            self.fields[f"care_{kind}"] = forms.ChoiceField(
                required=False,
                choices=[("", ""), *((one.name, CARE_NAMES[one.name]) for one in CARE_SYMBOLS if one.kind is kind)],
            )

    def care(self) -> list[str]:
        return [name for kind in CareKind if (name := self.cleaned_data[f"care_{kind}"])]


class CountForm(KeyedForm):
    """Pieces of a variant at a place: counted (and why the number differs), or newly arrived."""

    counted = forms.IntegerField(label=gettext_lazy("Counted"), min_value=0, max_value=LARGEST_COUNT, required=False)
    reason = forms.ChoiceField(
        label=gettext_lazy("Why it differs"),
        choices=[(name, words) for name, words in COUNT_REASONS.items()],
        required=False,
    )
    arrived = forms.IntegerField(
        label=gettext_lazy("Pieces that arrived"), min_value=1, max_value=LARGEST_COUNT, required=False
    )

    def clean_reason(self) -> str:
        return self.cleaned_data["reason"] or next(iter(COUNT_REASONS))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and (cleaned["counted"] is None) == (cleaned["arrived"] is None):
            raise forms.ValidationError(gettext("Enter either how many you counted or how many arrived."))
        return cleaned


class MoveForm(KeyedForm):
    """From which place to which. The numbers stand in a table of their own."""

    start = forms.TypedChoiceField(label=gettext_lazy("From"), coerce=int)
    end = forms.TypedChoiceField(label=gettext_lazy("To"), coerce=int)

    def __init__(self, *args: Any, places: Sequence[Place], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = {place.pk: place for place in places}
        for name in ("start", "end"):
            self.fields[name].choices = place_choices(places)  # type: ignore[attr-defined]
            # Another place shows its own pieces: the page asks for itself.
            self.fields[name].widget.attrs["hx-post"] = ""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and cleaned["start"] == cleaned["end"]:
            self.add_error("end", gettext("Choose another place than the one the pieces come from."))
        return cleaned

    def chosen(self, start: Place, end: Place) -> tuple[Place, Place]:
        """The two places as far as they were named, else the given ones."""
        named = [self.places.get(_whole(self.data.get(name, ""))) for name in ("start", "end")]
        return named[0] or start, named[1] or end

    def apart(self, start: Place, end: Place, *, keeps: str) -> tuple[Place, Place]:
        """One place twice: the one of field ``keeps`` stays, the other gives way."""
        if start != end:
            return start, end
        other = next(place for place in self.places.values() if place != start)
        return (other, end) if keeps == "end" else (start, other)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


class InvitationForm(KeyedForm):
    """Whom to invite, and as what."""

    contact = NameField(
        label=gettext_lazy("For whom"),
        longest=254,
        help_text=gettext_lazy("Name, e-mail or phone: only so that you know later. You send the link yourself."),
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"), widget=forms.RadioSelect, initial=str(Role.HOST))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = role_choices()  # type: ignore[attr-defined]


class RoleForm(forms.Form):
    """Another role for a member of staff."""

    role = forms.ChoiceField(label=gettext_lazy("Role"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = role_choices()  # type: ignore[attr-defined]


def role_choices() -> list[tuple[str, Any]]:
    """[(role, its name)]."""
    return [(str(role), ROLE_NAMES[role]) for role in Role]


class ShowForm(KeyedForm):
    """When and what a show is."""

    title = forms.CharField(label=gettext_lazy("Title"), max_length=80)
    planned_at = forms.CharField(
        label=gettext_lazy("Begins"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )
    cover = forms.FileField(
        label=gettext_lazy("Cover picture"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
        help_text=gettext_lazy("Upright is best: most people watch on a phone."),
    )
    styles = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, shop: Shop, hosts: Sequence[Person] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = ZoneInfo(shop.time_zone)
        if len(hosts) > 1:
            self.fields["host"] = forms.ChoiceField(
                label=gettext("Host"), choices=[(person.code, str(person)) for person in hosts]
            )
            self.order_fields(["key", "title", "host", "planned_at", "cover"])

    def clean_planned_at(self) -> datetime | None:
        text: str = self.cleaned_data["planned_at"]
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise forms.ValidationError(gettext("Please choose a day and a time.")) from None
        return moment if moment.tzinfo else moment.replace(tzinfo=self.zone)

    def clean_styles(self) -> list[int]:
        words = self.cleaned_data["styles"].replace(",", " ").split()
        if len(words) > 200 or not all(word.isascii() and word.isdecimal() and len(word) < 19 for word in words):
            raise forms.ValidationError(gettext("The running order cannot be read. Please reload the page."))
        return list(dict.fromkeys(int(word) for word in words))


class DealForm(KeyedForm):
    """A deal made ready before the show."""

    style = forms.TypedChoiceField(label=gettext_lazy("Style"), coerce=int)
    minutes = forms.IntegerField(label=gettext_lazy("Minutes"), min_value=1, max_value=240, initial=5)
    cap = forms.IntegerField(
        label=gettext_lazy("Pieces at this price"), min_value=1, max_value=LARGEST_COUNT, required=False
    )
    per_person = forms.IntegerField(
        label=gettext_lazy("Pieces for each person"), min_value=1, max_value=10_000, required=False
    )
    field_order = ("key", "style", "price", "cap", "per_person", "minutes")

    def __init__(self, *args: Any, styles: Mapping[int, str], currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["style"].choices = [(str(number), name) for number, name in styles.items()]  # type: ignore[attr-defined]
        self.fields["price"] = MoneyField(label=gettext("Price in the show"), currency=currency)
        self.order_fields(self.field_order)


class RefundForm(forms.Form):
    """Why the money of an order goes back, and where its pieces are."""

    note = forms.CharField(
        label=gettext_lazy("Reason"), max_length=200, help_text=gettext_lazy("The buyer reads it on the order's page.")
    )
    back_to_stock = forms.BooleanField(
        label=gettext_lazy("The pieces are here and go back on sale"),
        help_text=gettext_lazy("Leave it out if the buyer has them or keeps them."),
        required=False,
        initial=True,
    )


def place_choices(places: Sequence[Place]) -> list[tuple[str, str]]:
    """[(id, name)]."""
    return [(str(place.pk), place.name) for place in places]
