"""Words for people of the catalog's fixed lists: states, care symbols, what a style still lacks."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .rules import CareKind, Missing
from .states import SafetyClass, StyleState

STATE_NAMES: dict[StyleState, Promise] = {
    StyleState.DRAFT: _("Draft"),
    StyleState.PUBLISHED: _("On sale"),
    StyleState.WITHDRAWN: _("Withdrawn"),
}

SAFETY_NAMES: dict[SafetyClass, Promise] = {
    SafetyClass.A: _("A: for babies"),
    SafetyClass.B: _("B: worn next to the skin"),
    SafetyClass.C: _("C: not worn next to the skin"),
}

MISSING_NAMES: dict[Missing, Promise] = {
    Missing.VARIANT: _("Enter colours, sizes and a price"),
    Missing.PICTURE: _("Add a picture"),
    Missing.STOCK: _("Enter how many pieces you have"),
    Missing.LABEL: _("Fill in the fibre label"),
    Missing.SIZE_CHART: _("Fill in the size chart"),
    Missing.ENGLISH: _("Add an English name"),
}

CARE_KIND_NAMES: dict[CareKind, Promise] = {
    CareKind.WASH: _("Washing"),
    CareKind.BLEACH: _("Bleaching"),
    CareKind.TUMBLE: _("Tumble drying"),
    CareKind.DRY: _("Natural drying"),
    CareKind.IRON: _("Ironing"),
    CareKind.CLEAN: _("Dry cleaning"),
    CareKind.WETCLEAN: _("Wet cleaning"),
}

CARE_NAMES: dict[str, Promise] = {
    "wash-95": _("Wash at 95 °C at most"),
    "wash-70": _("Wash at 70 °C at most"),
    "wash-60": _("Wash at 60 °C at most"),
    "wash-60-mild": _("Wash at 60 °C at most, mild process"),
    "wash-50": _("Wash at 50 °C at most"),
    "wash-50-mild": _("Wash at 50 °C at most, mild process"),
    "wash-40": _("Wash at 40 °C at most"),
    "wash-40-mild": _("Wash at 40 °C at most, mild process"),
    "wash-40-very-mild": _("Wash at 40 °C at most, very mild process"),
    "wash-30": _("Wash at 30 °C at most"),
    "wash-30-mild": _("Wash at 30 °C at most, mild process"),
    "wash-30-very-mild": _("Wash at 30 °C at most, very mild process"),
    "wash-hand": _("Wash by hand, 40 °C at most"),
    "wash-no": _("Do not wash"),
    "bleach": _("Any bleach allowed"),
    "bleach-oxygen": _("Only oxygen bleach"),
    "bleach-no": _("Do not bleach"),
    "tumble-80": _("Tumble dry, normal temperature"),
    "tumble-60": _("Tumble dry, low temperature"),
    "tumble-no": _("Do not tumble dry"),
    "dry-line": _("Line dry"),
    "dry-drip": _("Drip line dry"),
    "dry-flat": _("Dry flat"),
    "dry-flat-drip": _("Drip dry flat"),
    "dry-line-shade": _("Line dry in the shade"),
    "dry-drip-shade": _("Drip line dry in the shade"),
    "dry-flat-shade": _("Dry flat in the shade"),
    "dry-flat-drip-shade": _("Drip dry flat in the shade"),
    "iron-200": _("Iron at 200 °C at most"),
    "iron-150": _("Iron at 150 °C at most"),
    "iron-110": _("Iron at 110 °C at most, without steam"),
    "iron-no": _("Do not iron"),
    "clean-p": _("Professional dry cleaning (P), normal process"),
    "clean-p-mild": _("Professional dry cleaning (P), mild process"),
    "clean-f": _("Professional dry cleaning (F), normal process"),
    "clean-f-mild": _("Professional dry cleaning (F), mild process"),
    "clean-no": _("Do not dry clean"),
    "wetclean": _("Professional wet cleaning, normal process"),
    "wetclean-mild": _("Professional wet cleaning, mild process"),
    "wetclean-very-mild": _("Professional wet cleaning, very mild process"),
    "wetclean-no": _("No professional wet cleaning"),
}
