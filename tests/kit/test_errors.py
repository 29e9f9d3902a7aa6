"""A refusal's sentence: filled in, translated, its field called as the page calls it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest

from silkroom.catalog.errors import WordsUnusable
from silkroom.config.messages import sentences_of_pages
from silkroom.kit.errors import Refusal
from silkroom.sales.offers.errors import OfferTermsUnusable

GERMAN = {"The field %(field)s: at most %(most)s.": "Das Feld %(field)s: höchstens %(most)s.", "Price": "Preis"}


class TooDear(Refusal):
    code = "too_dear"
    text = "The field %(field)s: at most %(most)s."
    field_names: ClassVar[Mapping[str, str]] = {"price_minor": "Price"}


def german(text: str) -> str:
    return GERMAN.get(text, text)


def test_the_sentence_names_the_field_in_the_language_of_the_person() -> None:
    refusal = TooDear(field="price_minor", most=9)
    assert refusal.sentence() == "The field Price: at most 9."
    assert refusal.sentence(german) == "Das Feld Preis: höchstens 9."


def test_programs_keep_the_code_of_the_field() -> None:
    answer = TooDear(field="price_minor", most=9).as_json(german)
    assert answer["data"] == {"field": "price_minor", "most": 9}
    assert answer["text"] == "Das Feld Preis: höchstens 9."


def test_a_field_without_a_name_goes_by_its_code() -> None:
    assert TooDear(field="lines[0]", most=9).sentence(german) == "Das Feld lines[0]: höchstens 9."


@pytest.mark.parametrize("kind", [WordsUnusable, OfferTermsUnusable])
def test_names_of_fields_are_extracted_for_translation(kind: type[Refusal]) -> None:
    assert kind.field_names
    assert {(name, None) for name in kind.field_names.values()} <= sentences_of_pages()
