"""What the ledger refuses. A refused action has changed nothing."""

from __future__ import annotations

from silkroom.kit.errors import Refusal


class NotEnoughStock(Refusal):
    """Fewer pieces are free at the place than are wanted. data: item, left."""

    code = "not_enough_stock"
    status = 409
    text = "There are not enough pieces here: %(left)s are free."


class CountBelowPromised(Refusal):
    """A count below what has been promised to buyers: their orders must be cancelled first. data: item, promised."""

    code = "count_below_promised"
    status = 409
    text = "%(promised)s pieces are promised to buyers. Cancel orders first, or count again."


class QuantityUnusable(Refusal):
    """Not a whole number above zero, or too large. data: most."""

    code = "quantity_unusable"
    text = "Please give a whole number from 1 to %(most)s."


class PlaceUnusable(Refusal):
    """A place of another shop, or one that goods cannot go to or come from in this way."""

    code = "place_unusable"
    text = "Goods cannot be booked here. Please choose another place."


class ItemUnusable(Refusal):
    """An item or lot that is not of this shop."""

    code = "item_unusable"
    status = 404
    text = "This item does not exist in this shop."


class ItemCodeTaken(Refusal):
    """The shop has another item of this code. data: item_code."""

    code = "item_code_taken"
    status = 409
    text = "The code %(item_code)s is already in use."


class HoldEnded(Refusal):
    """The hold has lapsed, was released or converted before."""

    code = "hold_ended"
    status = 409
    text = "These pieces are not held any more."


class TakenBackAlready(Refusal):
    """What is to be undone has been undone."""

    code = "taken_back_already"
    status = 409
    text = "This has been taken back already."
