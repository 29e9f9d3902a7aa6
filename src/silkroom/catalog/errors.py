"""What the catalog refuses. Errors of a grid carry ``cell``: the index of the cell that was sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from silkroom.kit.errors import Refusal


class WordsUnusable(Refusal):
    """A name, article, label or code is empty, too long or has characters that it may not have. ``field`` names it."""

    code = "style_words_unusable"
    text = "“%(field)s” cannot be used like this. Please check it."
    field_names: ClassVar[Mapping[str, str]] = {
        "article": "Article number",
        "name": "Name",
        "description": "Description",
        "sku": "SKU",
        "colour": "Colour",
        "colour_en": "Colour in English",
        "swatch": "How it looks",
        "size": "Size",
        "size_code": "Size code",
        "size_chart": "Size chart",
        "measure": "Measure",
        "composition": "Composition",
        "part": "Part",
        "fibre": "Fibre",
        "standard": "Product standard",
        "weight_note": "Weight of the fabric",
        "alt": "What it shows",
    }


class ArticleTaken(Refusal):
    """A shop's article numbers are its own, each once."""

    code = "article_taken"
    status = 409
    text = "There is already a style with the article number %(article)s."


class TooManyStyles(Refusal):
    """A shop has a bounded number of styles."""

    code = "too_many_styles"
    status = 409
    text = "This shop has %(most)s styles. That is as many as it may have."


class EanWrong(Refusal):
    """Thirteen digits whose last one follows from the others (GS1)."""

    code = "ean_wrong"
    text = "%(ean)s is not an EAN-13: its check digit does not fit. Please read it again."


class SkuTaken(Refusal):
    """Each SKU once in a shop."""

    code = "sku_taken"
    status = 409
    text = "The SKU %(sku)s is used twice in this shop."


class EanTaken(Refusal):
    """Each EAN once in a shop."""

    code = "ean_taken"
    status = 409
    text = "The EAN %(ean)s is used twice in this shop."


class PriceUnusable(Refusal):
    """More than nothing, at most a bound that catches slips of the keyboard."""

    code = "price_unusable"
    text = "A price must be more than 0 and at most %(most)s."


class GridTooLarge(Refusal):
    """Colours, sizes and variants of a style are bounded."""

    code = "grid_too_large"
    text = "A style has at most %(colours)s colours, %(sizes)s sizes and %(variants)s variants."


class GridEmpty(Refusal):
    """A style is sold in at least one colour and size."""

    code = "grid_empty"
    text = "Enter at least one colour and one size."


class NamedTwice(Refusal):
    """A colour or size appears twice in the grid."""

    code = "named_twice"
    text = "“%(name)s” appears twice. Please give each its own name."


class QuantityUnusable(Refusal):
    """Pieces to receive: a whole number within a bound."""

    code = "pieces_unusable"
    text = "Enter a whole number of pieces from 0 to %(most)s."


class PictureUnusable(Refusal):
    """The file is no picture that can be shown."""

    code = "picture_unusable"
    text = "This file is not a JPEG, PNG or WebP picture that can be read. Please choose another."


class PictureTooLarge(Refusal):
    """Bytes or pixels beyond the bound."""

    code = "picture_too_large"
    status = 413
    text = "This picture is larger than %(megabytes)s MB or %(megapixels)s megapixels. Please make it smaller."


class TooManyPictures(Refusal):
    """A style has a bounded number of pictures."""

    code = "too_many_pictures"
    status = 409
    text = "A style has at most %(most)s pictures. Please remove one first."


class MeasureUnusable(Refusal):
    """A measure in centimetres, at most one digit after the point."""

    code = "measure_unusable"
    text = "“%(typed)s” is not a length in centimetres, such as 58.5."


class CompositionWrong(Refusal):
    """The fibres of a part must add up to 100 percent (GB/T 5296.4)."""

    code = "composition_wrong"
    text = "The fibres of “%(part)s” add up to %(sum)s %%. They must be 100 %%."


class CareWrong(Refusal):
    """Care symbols: each known, at most one of a kind."""

    code = "care_wrong"
    text = "Choose at most one care symbol of each kind."


class NotPublishable(Refusal):
    """Something buyers need is missing. ``missing`` lists codes of `rules.Missing`."""

    code = "not_publishable"
    status = 409
    text = "This style cannot be shown yet: something that buyers need is missing."
