"""Admin pages of the catalog. Words may be corrected here; whatever shows the style hears of it through the journal."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from silkroom.journal.admin import KeptAdmin, LookOnlyAdmin, LookOnlyInline
from silkroom.journal.services import append_entry

from .models import Measure, Picture, Style, Variant


class VariantInline(LookOnlyInline):
    """Colours and sizes as sold."""

    model = Variant
    fields = ("sku", "ean", "colour", "size", "price_minor", "is_sold")


class PictureInline(LookOnlyInline):
    """Pictures."""

    model = Picture
    fields = ("position", "file", "colour", "alt", "width", "height")
    readonly_fields = ("width", "height")


@admin.register(Style)
class StyleAdmin(KeptAdmin):
    """Garments as designed."""

    list_display = ("name", "article", "shop", "state", "created_at")
    list_filter = ("state", "safety_class")
    search_fields = ("name", "name_en", "article", "code", "shop__name")
    list_select_related = ("shop",)
    readonly_fields = ("shop", "code", "state", "composition", "care", "created_at")
    inlines = (VariantInline, PictureInline)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Style, form: ModelForm[Any], change: bool) -> None:
        super().save_model(request, obj, form, change)
        append_entry(kind="style.changed", shop_id=obj.shop_id, data={"style": obj.pk, "code": obj.code})


@admin.register(Variant)
class VariantAdmin(LookOnlyAdmin):
    """What is sold; prices and SKUs are changed in the shop's own table."""

    list_display = ("sku", "ean", "style", "colour", "size", "price_minor", "is_sold", "shop")
    list_filter = ("is_sold",)
    search_fields = ("sku", "ean", "style__name", "style__article")
    list_select_related = ("style", "colour", "size", "shop")


@admin.register(Picture)
class PictureAdmin(LookOnlyAdmin):
    """Pictures and what they show."""

    list_display = ("file", "style", "colour", "alt", "width", "height")
    search_fields = ("alt", "style__name")
    list_select_related = ("style", "colour")


@admin.register(Measure)
class MeasureAdmin(LookOnlyAdmin):
    """Cells of the size charts."""

    list_display = ("name", "name_en", "size", "millimetres")
    search_fields = ("name", "name_en", "size__style__name")
    list_select_related = ("size",)
