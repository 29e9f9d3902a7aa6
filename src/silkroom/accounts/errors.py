"""What accounts refuses."""

from __future__ import annotations

from silkroom.kit.errors import Refusal


class NameUnusable(Refusal):
    """The name is empty, too long or made of signs that cannot be seen."""

    code = "name_unusable"
    text = "This name cannot be used. Please take one of 1 to %(longest)s characters."


class PhoneUnusable(Refusal):
    """Not a phone number that can exist."""

    code = "phone_unusable"
    text = "This is not a phone number that can be reached. Please check it."


class PhonesNotReached(Refusal):
    """No sender of codes is set up."""

    code = "phones_not_reached"
    status = 409
    text = "Codes cannot be sent to phones here yet. Please use an e-mail address."


class EmailUnusable(Refusal):
    """Not an e-mail address."""

    code = "email_unusable"
    text = "This is not an e-mail address. Please check it."


class ContactTaken(Refusal):
    """Somebody else has signed up with this e-mail or phone."""

    code = "contact_taken"
    status = 409
    text = "There is already an account with this e-mail or phone. Please sign in instead."


class TooManyAddresses(Refusal):
    """A person keeps a bounded number of addresses."""

    code = "too_many_addresses"
    status = 409
    text = "You have %(most)s addresses. Please delete one before you add another."


class NameFirst(Refusal):
    """Watching needs no name; speaking and buying do."""

    code = "name_first"
    status = 403
    text = "Please choose a name first."
