"""Styles: the list, and one page for each step from a name to a garment on sale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.forms import BoundField
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from silkroom.accounts.entrance import person_of, refuse_flood_of_pictures
from silkroom.catalog.labels import CARE_KIND_NAMES, CARE_NAMES, MISSING_NAMES, STATE_NAMES
from silkroom.catalog.models import Colour, Picture, Style
from silkroom.catalog.queries import (
    cards_of_shop,
    completeness_of,
    counts_by_state,
    find_colour_of,
    get_picture_of,
    get_style_for,
    style_pictures,
    variant_facts,
)
from silkroom.catalog.rules import CARE_SYMBOLS, CareKind, Fibre, Missing, Turn
from silkroom.catalog.services import (
    MeasureRow,
    add_picture,
    change_style,
    create_style,
    describe_picture,
    enter_grid,
    enter_label,
    enter_size_chart,
    publish_style,
    remove_picture,
    turn_picture,
    withdraw_style,
)
from silkroom.catalog.states import StyleState
from silkroom.kit.errors import Refusal
from silkroom.shops.queries import Desk, inside_places
from silkroom.shops.rules import Task

from ..charts import ChartForm, FibreForm, chart_of, fibres_of, read_chart, read_fibres
from ..forms import LabelForm, PictureForm, PicturesForm, StyleForm
from ..grid import grid_of, read_grid
from ..pages import asks_for_part, attempt, attempt_once, shop_page, show_page, show_part
from ..undo import Undo, offer_undo, show_offer

STEP_OF_MISSING = {
    Missing.VARIANT: "workbench:style-grid",
    Missing.PICTURE: "workbench:style-pictures",
    Missing.STOCK: "workbench:stock",
    Missing.LABEL: "workbench:style-label",
    Missing.SIZE_CHART: "workbench:style-sizes",
    Missing.ENGLISH: "workbench:style",
}


@require_GET
@shop_page(Task.STYLES)
def styles(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The list; it filters while one types (HTMX asks for the rows alone)."""
    words = request.GET.get("q", "")[:60]
    state = request.GET.get("state", "")
    if state not in set(StyleState):
        state = ""
    context = {
        "cards": cards_of_shop(desk.shop, words=words, state=state),
        "words": words,
        "state": state,
        "states": [(str(one), STATE_NAMES[one], counts) for one, counts in _counts(desk)],
    }
    if asks_for_part(request):
        return show_part(request, desk, "_styles.html", context)
    return show_page(request, desk, "styles.html", context, part="styles")


def _counts(desk: Desk) -> list[tuple[StyleState, int]]:
    counts = counts_by_state(desk.shop)
    return [(state, counts.get(state, 0)) for state in StyleState]


@require_http_methods(["GET", "POST"])
@shop_page(Task.STYLES)
def style_new(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Step one: name and article."""
    form = StyleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        code = attempt_once(
            request,
            form,
            "create style",
            lambda: create_style(shop=desk.shop, words=form.words()).code,
            article_taken="article",
        )
        if code is not None:
            return redirect("workbench:style-grid", desk.shop.slug, code)
    return show_page(
        request, desk, "style_new.html", {"form": form}, part="styles", status=422 if form.is_bound else 200
    )


@dataclass(frozen=True)
class Check:
    """A line of what a style has or lacks."""

    words: str
    is_done: bool
    is_needed: bool
    url_name: str


def _frame(style: Style, tab: str) -> dict[str, object]:
    """What every page of a style shows above its own content."""
    completeness = completeness_of(style)
    missing = completeness.missing
    return {
        "style": style,
        "tab": tab,
        "state_name": STATE_NAMES[StyleState(style.state)],
        "obstacles": [MISSING_NAMES[one] for one in completeness.obstacles],
        "checks": [
            Check(str(MISSING_NAMES[one]), one not in missing, one in completeness.obstacles, STEP_OF_MISSING[one])
            for one in Missing
        ],
        "is_shown": style.state == StyleState.PUBLISHED,
    }


@require_http_methods(["GET", "POST"])
@shop_page(Task.STYLES)
def style(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """What the style lacks, its words, and the key that shows it to buyers."""
    found = get_style_for(desk.shop, code)
    form = StyleForm(request.POST) if request.method == "POST" else StyleForm.of(found)
    if request.method == "POST" and form.is_valid():
        changed = attempt(form, lambda: change_style(style=found, words=form.words()), article_taken="article")
        if changed:
            messages.success(request, gettext("Saved."))
            return redirect("workbench:style", desk.shop.slug, code)
        found.refresh_from_db()
    context = {**_frame(found, "words"), "form": form}
    return show_page(request, desk, "style.html", context, part="styles", status=422 if form.is_bound else 200)


@require_POST
@shop_page(Task.STYLES)
def publish(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """Show the style to buyers; if it cannot be shown, say what is missing."""
    found = get_style_for(desk.shop, code)
    try:
        with transaction.atomic():
            publish_style(style=found)
    except Refusal as refusal:
        missing = [str(MISSING_NAMES[Missing(one)]) for one in refusal.data.get("missing", [])]
        messages.error(request, " ".join([refusal.sentence(gettext), *(f"{words}." for words in missing)]))
    else:
        messages.success(request, gettext("“%(style)s” is on sale.") % {"style": found.name})
    return redirect("workbench:style", desk.shop.slug, code)


@require_POST
@shop_page(Task.STYLES)
def withdraw(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """Take the style off the pages; the same page offers to show it again."""
    found = get_style_for(desk.shop, code)
    with transaction.atomic():
        withdraw_style(style=found)
    sentence = gettext("“%(style)s” is no longer shown.") % {"style": found.name}
    page = reverse("workbench:style", args=[desk.shop.slug, code])
    offer_undo(request, desk.shop, Undo.WITHDRAWN_STYLE, sentence, page, style=code)
    return redirect(page)


@require_http_methods(["GET", "POST"])
@shop_page(Task.STYLES)
def grid(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """Step two: colours, sizes, prices and opening stock in one table."""
    found = get_style_for(desk.shop, code)
    places = list(inside_places(desk.shop))
    facts = variant_facts(found)
    is_new = not facts.variants
    if request.method == "GET":
        form = grid_of(found, places, facts)
    else:
        form = read_grid(request.POST, found, places, facts)
        if request.POST.get("add") in {"colour", "size"}:
            form.add(request.POST["add"])
        elif (entered := form.to_grid()) is not None:
            try:
                with transaction.atomic():
                    enter_grid(style=found, grid=entered, person=person_of(request))
            except Refusal as refusal:
                form.refuse(refusal)
            else:
                messages.success(request, gettext("Saved."))
                step = "workbench:style-pictures" if is_new else "workbench:style-grid"
                return redirect(step, desk.shop.slug, code)
    status = 200 if request.method == "GET" or "add" in request.POST else 422
    context = {**_frame(found, "grid"), "grid": form, "is_new": is_new}
    return show_page(request, desk, "grid.html", context, part="styles", status=status)


@require_http_methods(["GET", "POST"])
@shop_page(Task.STYLES)
def pictures(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """Step three: pictures. Several at once; each is refused or taken by itself."""
    found = get_style_for(desk.shop, code)
    form = PicturesForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        form = PicturesForm(request.POST, request.FILES)
        if form.is_valid():
            errors = _take_pictures(request, found, form.cleaned_data["pictures"])
            for sentence in errors:
                form.add_error("pictures", sentence)
            if not errors and not asks_for_part(request):
                return redirect("workbench:style-pictures", desk.shop.slug, code)
    return _pictures(request, desk, found, form)


def _take_pictures(request: HttpRequest, style: Style, files: Sequence[UploadedFile[bytes]]) -> list[str]:
    errors: list[str] = []
    for file in files:
        try:
            refuse_flood_of_pictures(request)
            add_picture(style=style, data=file.read(), alt="")
        except Refusal as refusal:
            errors.append(f"{file.name}: {refusal.sentence(gettext)}")
    return errors


def _picture_form(picture: Picture, colours: Sequence[Colour]) -> PictureForm:
    initial = {"alt": picture.alt, "colour": picture.colour_id}
    return PictureForm(colours=colours, prefix=f"p{picture.pk}", initial=initial)


def _pictures(request: HttpRequest, desk: Desk, style: Style, form: PicturesForm) -> HttpResponse:
    colours = variant_facts(style).colours
    shown = [(picture, _picture_form(picture, colours)) for picture in style_pictures(style)]
    context = {**_frame(style, "pictures"), "form": form, "pictures": shown}
    status = 422 if form.errors else 200
    if asks_for_part(request):
        offer = show_offer(request, desk.shop)
        return show_part(request, desk, "_pictures.html", {**context, "offer": offer, "is_part": True})
    return show_page(request, desk, "pictures.html", context, part="styles", status=status)


@require_POST
@shop_page(Task.STYLES)
def picture_change(request: HttpRequest, desk: Desk, code: str, picture_id: int) -> HttpResponse:
    """Words and colour of a picture."""
    found = get_style_for(desk.shop, code)
    picture = get_picture_of(found, picture_id)
    colours = variant_facts(found).colours
    form = PictureForm(request.POST, colours=colours, prefix=f"p{picture.pk}")
    if form.is_valid():
        data = form.cleaned_data
        attempt(
            form,
            lambda: describe_picture(
                picture=picture, alt=data["alt"], colour=find_colour_of(found, data["colour"] or None)
            ),
            style_words_unusable="alt",
        )
    for errors in form.errors.values():
        messages.error(request, " ".join(str(one) for one in errors))
    return _after_picture(request, desk, found)


@require_POST
@shop_page(Task.STYLES)
def picture_remove(request: HttpRequest, desk: Desk, code: str, picture_id: int) -> HttpResponse:
    """Take a picture away; it can be brought back."""
    found = get_style_for(desk.shop, code)
    picture = get_picture_of(found, picture_id)
    with transaction.atomic():
        removed = remove_picture(picture=picture)
    page = reverse("workbench:style-pictures", args=[desk.shop.slug, code])
    sentence = gettext("The picture is removed.")
    offer_undo(request, desk.shop, Undo.REMOVED_PICTURE, sentence, page, style=code, picture=asdict(removed))
    return _after_picture(request, desk, found)


@require_POST
@shop_page(Task.STYLES)
def picture_move(request: HttpRequest, desk: Desk, code: str, picture_id: int) -> HttpResponse:
    """One place towards the front or the end, or to the very front as the cover (``to``: a `Turn`)."""
    found = get_style_for(desk.shop, code)
    picture = get_picture_of(found, picture_id)
    to = request.POST.get("to", "")
    if to in set(Turn):
        with transaction.atomic():
            turn_picture(picture=picture, turn=Turn(to))
    return _after_picture(request, desk, found)


def _after_picture(request: HttpRequest, desk: Desk, style: Style) -> HttpResponse:
    if asks_for_part(request):
        return _pictures(request, desk, style, PicturesForm())
    return redirect("workbench:style-pictures", desk.shop.slug, style.code)


@require_http_methods(["GET", "POST"])
@shop_page(Task.STYLES)
def size_chart(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """Measures of the finished garment by size, in centimetres."""
    found = get_style_for(desk.shop, code)
    sizes = list(variant_facts(found).sizes)
    form: ChartForm = chart_of(found, sizes)
    if request.method == "POST":
        form = read_chart(request.POST, sizes)
        if "add" in request.POST:
            form.add()
        elif form.is_valid:
            rows = [MeasureRow(line.name, line.name_en, line.millimetres) for line in form.filled]
            try:
                with transaction.atomic():
                    enter_size_chart(style=found, rows=rows)
            except Refusal as refusal:
                form.errors.append(refusal.sentence(gettext))
            else:
                messages.success(request, gettext("Saved."))
                return redirect("workbench:style-sizes", desk.shop.slug, code)
    context = {**_frame(found, "sizes"), "chart": form, "sizes": sizes}
    return show_page(request, desk, "size_chart.html", context, part="styles", status=_status(request, form.is_valid))


@require_http_methods(["GET", "POST"])
@shop_page(Task.STYLES)
def label(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """The fibre label: composition, class, standard, care symbols."""
    found = get_style_for(desk.shop, code)
    if request.method == "POST":
        form, fibres = LabelForm(request.POST), read_fibres(request.POST)
        if "add" in request.POST:
            fibres.add()
        elif form.is_valid() and fibres.is_valid:
            saved = _save_label(found, form, fibres)
            if saved:
                messages.success(request, gettext("Saved."))
                return redirect("workbench:style-label", desk.shop.slug, code)
    else:
        form, fibres = _label_of(found), fibres_of(found)
    context = {**_frame(found, "label"), "form": form, "fibres": fibres, "care": _care_choices(form)}
    is_valid = fibres.is_valid and not form.errors
    return show_page(request, desk, "label.html", context, part="styles", status=_status(request, is_valid))


@dataclass(frozen=True)
class CareChoice:
    """The symbols of one kind, to choose at most one."""

    kind: CareKind
    words: object
    field: BoundField
    symbols: Sequence[tuple[str, object]]


def _care_choices(form: LabelForm) -> list[CareChoice]:
    return [
        CareChoice(
            kind,
            CARE_KIND_NAMES[kind],
            form[f"care_{kind}"],
            [(one.name, CARE_NAMES[one.name]) for one in CARE_SYMBOLS if one.kind is kind],
        )
        for kind in CareKind
    ]


def _label_of(style: Style) -> LabelForm:
    kinds = {symbol.name: symbol.kind for symbol in CARE_SYMBOLS}
    care = {f"care_{kinds[name]}": name for name in style.care if name in kinds}
    return LabelForm(
        initial={
            "safety_class": style.safety_class,
            "standard": style.standard,
            "weight_note": style.weight_note,
            **care,
        }
    )


def _save_label(style: Style, form: LabelForm, fibres: FibreForm) -> bool:
    data = form.cleaned_data
    try:
        with transaction.atomic():
            enter_label(
                style=style,
                composition=[Fibre(row.part, row.fibre, row.share) for row in fibres.filled],
                safety_class=data["safety_class"],
                standard=data["standard"],
                care=form.care(),
                weight_note=data["weight_note"],
            )
    except Refusal as refusal:
        fibres.errors.append(refusal.sentence(gettext))
        return False
    return True


def _status(request: HttpRequest, is_valid: bool) -> int:
    asked_for_more = isinstance(request.POST, QueryDict) and "add" in request.POST
    return 200 if request.method == "GET" or is_valid or asked_for_more else 422
