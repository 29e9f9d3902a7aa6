"""What deals refuse."""

from __future__ import annotations

from silkroom.kit.errors import Refusal


class DealRunning(Refusal):
    """The style has a deal on air or about to be. data: deal."""

    code = "deal_running"
    status = 409
    text = "This garment already has a deal on air. Withdraw it first."


class TooManyDeals(Refusal):
    """More prepared deals than a show can use."""

    code = "too_many_deals"
    status = 409
    text = "A show takes up to %(most)s prepared deals. Please delete one first."


class NotInTheShow(Refusal):
    """The style is not in the running order."""

    code = "not_in_the_show"
    status = 409
    text = "This garment is not in the running order of this show."
