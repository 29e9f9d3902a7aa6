"""What is shown: styles in colours and sizes, their pictures, size chart and fibre label."""

from __future__ import annotations

from django.db import models
from django.db.models import Deferrable, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from silkroom.inventory.models import Item
from silkroom.kit.choices import choices_of
from silkroom.kit.ids import make_code
from silkroom.shops.models import Shop

from .rules import rendition_name
from .states import SafetyClass, StyleState


class Style(models.Model):
    """A garment as designed; what is sold is a variant of it. ``name_en`` falls back to ``name``."""

    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="styles")
    code = models.CharField(max_length=10, unique=True, default=make_code, editable=False)
    article = models.CharField(max_length=30, help_text="the brand's own number, start of every SKU")
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80, blank=True)
    description = models.TextField(max_length=4000, blank=True)
    description_en = models.TextField(max_length=4000, blank=True)
    state = models.CharField(max_length=10, choices=choices_of(StyleState), default=StyleState.DRAFT)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    # The fibre label, fields of GB/T 5296.4
    composition = models.JSONField(default=list, help_text='[{"part", "fibre", "percent"}]; each part adds up to 100')
    safety_class = models.CharField(max_length=1, choices=choices_of(SafetyClass), blank=True)
    standard = models.CharField(max_length=40, blank=True, help_text="product standard number, such as GB/T 18132")
    care = models.JSONField(default=list, help_text="care symbol names of ISO 3758, in the order of the label")
    weight_note = models.CharField(max_length=40, blank=True, help_text="such as 19 momme")

    class Meta:
        verbose_name = _("style")
        verbose_name_plural = _("styles")
        constraints = [models.UniqueConstraint(fields=["shop", "article"], name="article_in_shop")]

    def __str__(self) -> str:
        return self.name


class Colour(models.Model):
    """A colour of a style."""

    style = models.ForeignKey(Style, on_delete=models.CASCADE, related_name="colours")
    name = models.CharField(max_length=30)
    name_en = models.CharField(max_length=30, blank=True)
    swatch = models.CharField(max_length=7, default="#cccccc", help_text="#rrggbb")
    position = models.SmallIntegerField(default=0)

    class Meta:
        verbose_name = _("colour")
        verbose_name_plural = _("colours")
        constraints = [
            models.UniqueConstraint(fields=["style", "name"], name="colour_of_style", deferrable=Deferrable.IMMEDIATE)
        ]
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name


class Size(models.Model):
    """A size of a style: label on the page and its GB/T 1335 code (such as 160/84A)."""

    style = models.ForeignKey(Style, on_delete=models.CASCADE, related_name="sizes")
    label = models.CharField(max_length=12)
    code = models.CharField(max_length=12, blank=True)
    position = models.SmallIntegerField(default=0)

    class Meta:
        verbose_name = _("size")
        verbose_name_plural = _("sizes")
        constraints = [
            models.UniqueConstraint(fields=["style", "label"], name="size_of_style", deferrable=Deferrable.IMMEDIATE)
        ]
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.label


class Variant(models.Model):
    """What is sold: a style in one colour and size, with its item in the ledger.

    Uniqueness of SKUs is checked at the end of a statement, so that two variants may swap theirs in one.
    """

    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="variants")
    style = models.ForeignKey(Style, on_delete=models.CASCADE, related_name="variants")
    colour = models.ForeignKey(Colour, on_delete=models.PROTECT, related_name="variants")
    size = models.ForeignKey(Size, on_delete=models.PROTECT, related_name="variants")
    item = models.OneToOneField(Item, on_delete=models.PROTECT, related_name="+")
    sku = models.CharField(max_length=60)
    # Null, not empty: a shop has many variants without an EAN, and the constraint below compares the rest.
    ean = models.CharField("EAN-13", max_length=13, null=True, blank=True)  # noqa: DJ001
    price_minor = models.BigIntegerField()
    is_sold = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("variant")
        verbose_name_plural = _("variants")
        constraints = [
            models.UniqueConstraint(fields=["style", "colour", "size"], name="one_variant"),
            models.UniqueConstraint(fields=["shop", "sku"], name="sku_in_shop", deferrable=Deferrable.IMMEDIATE),
            models.UniqueConstraint(fields=["shop", "ean"], name="ean_in_shop", deferrable=Deferrable.IMMEDIATE),
            models.CheckConstraint(name="price_is_positive", condition=Q(price_minor__gt=0)),
            models.CheckConstraint(
                name="ean_has_13_digits", condition=Q(ean__isnull=True) | Q(ean__regex=r"^[0-9]{13}$")
            ),
        ]

    def __str__(self) -> str:
        return self.sku


class Picture(models.Model):
    """A picture of a style, or of one of its colours. ``file`` is the widest of its renditions (see `pictures`).

    Positions count from 0 without a gap; the picture at 0 is the style's cover, so it has one and never two.
    """

    style = models.ForeignKey(Style, on_delete=models.CASCADE, related_name="pictures")
    colour = models.ForeignKey(Colour, null=True, blank=True, on_delete=models.CASCADE, related_name="pictures")
    # No ImageField: it opens the file to learn its size, which `pictures` has measured already.
    file = models.FileField(upload_to="pictures/")
    width = models.PositiveIntegerField(editable=False, default=0)
    height = models.PositiveIntegerField(editable=False, default=0)
    alt = models.CharField(max_length=120, blank=True)
    position = models.SmallIntegerField(default=0)

    class Meta:
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")
        constraints = [
            # Checked at the end of a statement, so that one can move them all.
            models.UniqueConstraint(
                fields=["style", "position"], name="one_picture_a_position", deferrable=Deferrable.IMMEDIATE
            ),
            models.CheckConstraint(name="pictures_count_from_0", condition=Q(position__gte=0)),
        ]
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.alt or self.file.name or ""

    def _url(self, width: int) -> str:
        return self.file.storage.url(rendition_name(self.file.name or "", width))

    @property
    def small_url(self) -> str:
        """For lists and the tray: 400 pixels wide."""
        return self._url(400)

    @property
    def middle_url(self) -> str:
        """For a product page on a phone: 800 pixels wide."""
        return self._url(800)

    @property
    def large_url(self) -> str:
        """1600 pixels wide, or as wide as the original."""
        return self._url(1600)


class Measure(models.Model):
    """One cell of the size chart: a measure of the finished garment in a size."""

    size = models.ForeignKey(Size, on_delete=models.CASCADE, related_name="measures")
    name = models.CharField(max_length=30)
    name_en = models.CharField(max_length=30, blank=True)
    millimetres = models.PositiveIntegerField()
    position = models.SmallIntegerField(default=0)

    class Meta:
        verbose_name = _("measure")
        verbose_name_plural = _("measures")
        constraints = [models.UniqueConstraint(fields=["size", "name"], name="measure_of_size")]
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return f"{self.name} {self.millimetres} mm"
