"""Pure decisions about names, phones and e-mails. No Django."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers

from .errors import EmailUnusable, NameUnusable, PhoneUnusable

LONGEST_NAME = 40
LONGEST_GUEST_NAME = 20
"""A guest's name stands in the comments of a phone screen."""

HOME_REGION = "CN"
"""Numbers without a country code are read as numbers of this country (ISO 3166)."""

MOST_ADDRESSES = 20

_EMAIL = re.compile(r"[^@\s<>,;:\"\\()\[\]]{1,64}@(?:[^@\s.<>,;:\"\\()\[\]]{1,63}\.)+[^@\s.<>,;:\"\\()\[\]]{2,63}")

_KEPT_OF_CF = {"\u200d"}
"""The zero-width joiner holds emoji families together; all other format signs (direction marks, soft hyphens) can fake
another person's name and are dropped."""

_MOST_MARKS = 2
"""Combining marks kept after one letter: enough for Vietnamese, too few to climb over the neighbouring lines."""


def clean_name(text: str, *, longest: int = LONGEST_NAME) -> str:
    """``text`` as a name to show: composed, without unseen signs, single spaces. Raises NameUnusable."""
    composed = unicodedata.normalize("NFC", text)
    kept: list[str] = []
    marks = 0
    for sign in composed:
        category = unicodedata.category(sign)
        if category in {"Cc", "Zl", "Zp", "Zs"}:
            sign = " "
        elif category in {"Cs", "Co", "Cn"} or (category == "Cf" and sign not in _KEPT_OF_CF):
            continue
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if marks <= _MOST_MARKS:
            kept.append(sign)
    name = " ".join("".join(kept).split()).strip("\u200d ")
    seen = any(unicodedata.category(sign)[0] in "LNS" for sign in name)
    if not seen or len(name) > longest:
        raise NameUnusable(longest=longest)
    return name


def normalise_phone(text: str, *, region: str = HOME_REGION) -> str:
    """E.164 ("+8613800138000") of what a person typed. Raises PhoneUnusable."""
    if len(text) > 40:
        raise PhoneUnusable
    try:
        number = phonenumbers.parse(unicodedata.normalize("NFKC", text), region)
    except phonenumbers.NumberParseException:
        raise PhoneUnusable from None
    if number.extension or not phonenumbers.is_valid_number(number):
        raise PhoneUnusable
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normalise_email(text: str) -> str:
    """The address in small letters, without spaces around. Raises EmailUnusable."""
    address = unicodedata.normalize("NFKC", text).strip().lower()
    if len(address) > 254 or not _EMAIL.fullmatch(address):
        raise EmailUnusable
    return address


def show_phone(phone: str) -> str:
    """A number as people write it: numbers at home without the country code."""
    try:
        number = phonenumbers.parse(phone, HOME_REGION)
    except phonenumbers.NumberParseException:
        return phone
    at_home = phonenumbers.region_code_for_number(number) == HOME_REGION
    style = phonenumbers.PhoneNumberFormat.NATIONAL if at_home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, style)


def hide_phone(phone: str) -> str:
    """Enough to recognise one's own number, too little to call it, however short it is: "+86…00"."""
    try:
        country = f"+{phonenumbers.parse(phone).country_code}"
    except phonenumbers.NumberParseException:
        return "…"
    return f"{country}…{phone[-2:]}"
