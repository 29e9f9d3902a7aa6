"""A refusal's sentence: filled in, translated, its field called as the page calls it."""

from __future__ import annotations

import pytest

from silkroom.catalog.errors import WordsUnusable
from silkroom.config.messages import sentences_of_pages
from silkroom.kit.errors import Malformed, Refusal
from silkroom.sales.offers.errors import OfferTermsUnusable

GERMAN = {OfferTermsUnusable.text: "Bitte „%(field)s“ prüfen.", "Price in the show": "Preis der Sendung"}


def german(text: str) -> str:
    return GERMAN.get(text, text)


def test_the_sentence_names_the_field_in_the_language_of_the_person() -> None:
    refusal = OfferTermsUnusable(field="price_minor")
    assert refusal.sentence() == "Please check the field “Price in the show” of the offer."
    assert refusal.sentence(german) == "Bitte „Preis der Sendung“ prüfen."


def test_programs_keep_the_code_of_the_field() -> None:
    answer = OfferTermsUnusable(field="price_minor").as_json(german)
    assert answer["data"] == {"field": "price_minor"}
    assert answer["text"] == "Bitte „Preis der Sendung“ prüfen."


def test_a_field_without_a_name_goes_by_its_code() -> None:
    assert "“lines[0].quantity”" in Malformed(field="lines[0].quantity").sentence(german)


@pytest.mark.parametrize("kind", [WordsUnusable, OfferTermsUnusable])
def test_names_of_fields_are_extracted_for_translation(kind: type[Refusal]) -> None:
    assert kind.field_names
    assert {(name, None) for name in kind.field_names.values()} <= sentences_of_pages()
