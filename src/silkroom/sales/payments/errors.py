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


class ProviderRefused(ProviderUnavailable):
    """The provider answers, and will not: wrong keys, a limit, no money to send back. data: provider, reason (the
    provider's own code; it never holds a secret)."""

    code = "provider_refused"
    status = 502
    text = "The payment provider refuses: %(reason)s. Please choose another way to pay, or ask the shop."


class CredentialsUnusable(Refusal):
    """Something typed into the settings of payments cannot be what it should be. data: field."""

    code = "credentials_unusable"
    status = 400
    text = "This cannot be used. Please copy it again from the provider's page."


class MerchantFixed(Refusal):
    """Another account of the same provider is in use."""

    code = "merchant_fixed"
    status = 409
    text = "Another account is in use. Turn this way to pay off first, then enter the new one."


class CredentialsUnreadable(Refusal):
    """The installation's secret key has changed since they were entered. data: provider."""

    code = "credentials_unreadable"
    status = 503
    text = "The keys of this way to pay cannot be read any more. The shop's owner has to enter them anew."


class CurrencyNotTaken(Refusal):
    """The provider takes other currencies. data: provider, currency."""

    code = "currency_not_taken"
    status = 409
    text = "This way to pay does not take %(currency)s."


class StatementNotReady(Refusal):
    """The provider has not written the statement of that day yet. data: provider."""

    code = "statement_not_ready"
    status = 409
    text = "The provider has no statement of this day yet."


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


class NoticeMerchantDiffers(Refusal):
    """Rightly signed, but about another merchant's money. data: reference."""

    code = "notice_merchant_differs"
    status = 409
    text = "This notice is about another merchant."


class ChargeOver(Refusal):
    """Sandbox: the charge was paid, closed, or its time is over. data: state."""

    code = "charge_over"
    status = 409
    text = "This payment is over."
