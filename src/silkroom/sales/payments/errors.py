"""What payments refuse."""

from __future__ import annotations

from silkroom.kit.errors import Refusal


class PaymentNotSetUp(Refusal):
    """This installation has no provider at all."""

    code = "payment_not_set_up"
    status = 503
    text = "Paying is not set up here yet. Please ask the shop."


class NothingToRefund(Refusal):
    """The order is paid, but by no payment that is known here."""

    code = "nothing_to_refund"
    status = 409
    text = "No payment of this order is known here, so nothing can be sent back."


class ProviderUnknown(Refusal):
    """No such way to pay is offered here. data: provider."""

    code = "provider_unknown"
    status = 404
    text = "This way to pay is not offered here."


class ProviderUnavailable(Refusal):
    """The provider does not answer. data: provider."""

    code = "provider_unavailable"
    status = 503
    text = "The payment provider does not answer. Please try again in a moment; your pieces are still held."


class HoldOver(Refusal):
    """The time to pay is over; the order lapses any moment."""

    code = "hold_over"
    status = 409
    text = "The time to pay for this order is over."


class NoticeForged(Refusal):
    """The signature does not fit the body: not from the provider."""

    code = "notice_forged"
    status = 403
    text = "This notice is not signed by the provider."


class NoticeStale(Refusal):
    """Rightly signed, but too long ago (or in the future): somebody may have kept it. data: most_seconds."""

    code = "notice_stale"
    status = 403
    text = "This notice is older than %(most_seconds)s seconds."


class NoticeReplayed(Refusal):
    """The very same message was received before; a provider that repeats itself signs anew."""

    code = "notice_replayed"
    status = 409
    text = "This notice was received before."


class NoticeMalformed(Refusal):
    """Rightly signed, but not of the agreed form."""

    code = "notice_malformed"
    text = "This notice cannot be read."


class NoticeUnknown(Refusal):
    """About a payment that does not exist here. data: reference."""

    code = "notice_unknown"
    status = 404
    text = "There is no such payment."


class NoticeAmountDiffers(Refusal):
    """Another amount or currency than the payment's. data: reference."""

    code = "notice_amount_differs"
    status = 409
    text = "The amount in this notice is not that of the payment."


class ChargeOver(Refusal):
    """Sandbox: the charge was paid, closed, or its time is over. data: state."""

    code = "charge_over"
    status = 409
    text = "This payment is over."
