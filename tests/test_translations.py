"""Every sentence a person may read has a Chinese twin with the same places to fill in."""

from __future__ import annotations

import re

import pytest

from silkroom.config.messages import Message, read_catalog, sentences_of_pages, sentences_of_scripts

PLACES = re.compile(r"%\([a-z_]+\)[sd]|%[sd]|\{[a-z_]+\}")
DOMAINS = {"django": sentences_of_pages, "djangojs": sentences_of_scripts}


def chinese(domain: str, message: Message) -> str:
    """The translation; "" if there is none."""
    text, context = message
    found = read_catalog("zh_Hans", domain).get(text if isinstance(text, str) else text[0], context)
    string = found.string if found else ""
    return string if isinstance(string, str) else "".join(string)


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_sentence_has_its_chinese(domain: str) -> None:
    sentences = DOMAINS[domain]()
    assert len(sentences) > 20, "the extraction must really see the sources"
    catalog = read_catalog("zh_Hans", domain)
    missing = [
        text
        for text, context in sentences
        if not (found := catalog.get(text if isinstance(text, str) else text[0], context))
        or not found.string
        or (isinstance(found.string, tuple) and not all(found.string))
    ]
    assert missing == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_translations_fill_in_the_same_places(domain: str) -> None:
    wrong = []
    for message in read_catalog("zh_Hans", domain):
        if not message.id:
            continue
        originals = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        wanted = set(PLACES.findall(originals[-1]))
        wrong += [string for string in strings if string and set(PLACES.findall(string)) != wanted]
    assert wrong == []
