"""What shops refuses."""

from __future__ import annotations

from silkroom.kit.errors import NotFound, Refusal


class RegionUnknown(Refusal):
    """The code is not a county of GB/T 2260 that exists today."""

    code = "region_unknown"
    text = "This region does not exist. Please choose one from the list."


class NameMissing(Refusal):
    """A shop or place needs a name that can be seen."""

    code = "shop_name_unusable"
    text = "This name cannot be used. Please take one of 1 to %(longest)s characters."


class ContactUnusable(Refusal):
    """One short line."""

    code = "shop_contact_unusable"
    text = "This line is too long. Please take at most %(longest)s characters."


class TimeZoneUnknown(Refusal):
    """Not a name of the time zone database."""

    code = "time_zone_unknown"
    text = "This time zone does not exist. Please choose one from the list."


class CurrencyUnknown(Refusal):
    """Not a currency that prices can be written in here."""

    code = "currency_unknown"
    text = "This currency is not known here. Please choose one from the list."


class NoPlace(Refusal):
    """Goods must lie somewhere."""

    code = "no_place"
    text = "Choose at least one place where your goods are."


class PlaceNameTaken(Refusal):
    """Two places of a shop cannot have the same name."""

    code = "place_name_taken"
    status = 409
    text = "Two places have the name “%(name)s”. Please give each its own."


class TooManyShops(Refusal):
    """A person opens a bounded number of shops."""

    code = "too_many_shops"
    status = 409
    text = "You own %(most)s shops. That is as many as one person may open."


class TooManyPlaces(Refusal):
    """A shop has a bounded number of places."""

    code = "too_many_places"
    status = 409
    text = "This shop has %(most)s places. That is as many as it may have."


class LastOwner(Refusal):
    """A shop without an owner could never be changed again."""

    code = "last_owner"
    status = 409
    text = "This is the only owner. Make somebody else an owner first."


class MembersOnly(Refusal):
    """Guests hold no shop and no role."""

    code = "members_only"
    status = 403
    text = "Please open an account with e-mail or phone first."


class AlreadyStaff(Refusal):
    """One role a person in a shop."""

    code = "already_staff"
    status = 409
    text = "You already work in this shop. The invitation stays open for somebody else."


class InvitationOver(NotFound):
    """Used, withdrawn, too old, or never made: all answer alike."""

    code = "invitation_over"
    text = "This invitation has been used, withdrawn or is older than 7 days. Please ask for a new one."


class TooManyInvitations(Refusal):
    """Invitations are limited by number and by hour."""

    code = "too_many_invitations"
    status = 429
    text = "This shop has sent %(most)s invitations lately. Please withdraw some, or try again in an hour."
