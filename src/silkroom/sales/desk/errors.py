"""What the order desk refuses. A refused request has changed nothing."""

from __future__ import annotations

from silkroom.kit.errors import Refusal


class SoldOut(Refusal):
    """Not so many pieces are free to sell in one place. data: variant, left."""

    code = "sold_out"
    status = 409
    text = "There are not enough pieces left: %(left)s."


class OfferUnknown(Refusal):
    """No such offer for this garment, shop and channel. data: offer."""

    code = "offer_unknown"
    status = 404
    text = "This offer does not hold for this garment here."


class OfferNotStarted(Refusal):
    """data: offer, starts_at_ms."""

    code = "offer_not_started"
    status = 409
    text = "This offer has not begun yet."


class OfferEnded(Refusal):
    """Its time is over or it was withdrawn. data: offer."""

    code = "offer_ended"
    status = 409
    text = "This offer is over."


class OfferCapReached(Refusal):
    """data: offer, left."""

    code = "offer_cap_reached"
    status = 409
    text = "There are not enough pieces left at this price: %(left)s."


class PersonLimitReached(Refusal):
    """data: offer, limit, left."""

    code = "person_limit_reached"
    status = 409
    text = "Each person may take %(limit)s at this price; you may take %(left)s more."


class TooManyUnpaid(Refusal):
    """The buyer has as many unpaid orders in this shop as one person may have at a time. data: most."""

    code = "too_many_unpaid"
    status = 409
    text = "You have %(most)s unpaid orders in this shop. Please pay or cancel one of them first."


class VariantUnknown(Refusal):
    """Not sold, not published, or of another shop. data: variant."""

    code = "variant_unknown"
    status = 404
    text = "This garment is not on sale here."


class PriceChanged(Refusal):
    """The buyer saw a lower price, or one in another currency. data: variant, price_minor, currency: the true ones."""

    code = "price_changed"
    status = 409
    text = "The price has changed. Please look at it again before you buy."


class QuantityOutOfBounds(Refusal):
    """data: most."""

    code = "quantity_out_of_bounds"
    status = 400
    text = "Please choose from 1 to %(most)s pieces."


class TooManyLines(Refusal):
    """data: most."""

    code = "too_many_lines"
    status = 400
    text = "An order has from 1 to %(most)s garments. Please split it."


class ChannelUnusable(Refusal):
    """Empty, too long, or not plain text."""

    code = "channel_unusable"
    status = 400
    text = "This order does not say where it comes from."


class KeyReused(Refusal):
    """The idempotency key belongs to an order of other lines. data: number."""

    code = "key_reused"
    status = 409
    text = "This request was already used for order %(number)s."


class BuyerUnknown(Refusal):
    """The person or the shop does not exist any more."""

    code = "buyer_unknown"
    status = 403
    text = "Your account cannot place orders here."


class TooBusy(Refusal):
    """More requests wait than can be served in time."""

    code = "too_busy"
    status = 503
    text = "Very many people are buying right now. Please try again in a moment."


class DeskUnavailable(Refusal):
    """The database cannot be reached. Sending again with the same key is safe: an order that was made is found."""

    code = "desk_unavailable"
    status = 503
    text = "Orders cannot be taken right now. Please try again: nothing is ordered twice."


class OrderFailed(Refusal):
    """A bug, not the trade: the log has the reason."""

    code = "order_failed"
    status = 500
    text = "The order could not be placed. Nothing was ordered."
