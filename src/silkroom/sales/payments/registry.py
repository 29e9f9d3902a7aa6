"""Which ways to pay there are, and which of them a shop offers. A further provider is added here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.conf import settings

from silkroom.kit.money import MINOR_DIGITS
from silkroom.shops.models import Shop

from . import sandbox
from .credentials import unseal
from .errors import CurrencyNotTaken, PaymentNotSetUp, ProviderUnknown
from .models import MerchantAccount, Payment
from .provider import CHINA, Field, Provider
from .providers import alipay, bank, stripe_checkout, wechat


def _alipay(account: MerchantAccount, keys: Mapping[str, str]) -> Provider:
    return alipay.Alipay(
        account_id=account.pk,
        app_id=account.merchant,
        seller_id=account.details.get("seller_id", ""),
        private_key=keys["private_key"],
        alipay_public_key=keys["alipay_public_key"],
        base_url=account.base_url,
    )


def _wechat(account: MerchantAccount, keys: Mapping[str, str]) -> Provider:
    return wechat.WeChat(
        account_id=account.pk,
        mchid=account.merchant,
        appid=account.details["appid"],
        cert_serial_no=account.details["cert_serial_no"],
        public_key_id=account.details["public_key_id"],
        private_key=keys["private_key"],
        public_key=keys["public_key"],
        apiv3_key=keys["apiv3_key"],
        base_url=account.base_url,
    )


def _stripe(account: MerchantAccount, keys: Mapping[str, str]) -> Provider:
    return stripe_checkout.StripeCheckout(
        account_id=account.pk,
        account=account.merchant,
        secret_key=keys["secret_key"],
        webhook_secret=keys["webhook_secret"],
        base_url=account.base_url,
    )


def _bank(account: MerchantAccount, keys: Mapping[str, str]) -> Provider:
    return bank.BankTransfer(account_id=account.pk, days=int(account.details["days"]))


@dataclass(frozen=True)
class Kind:
    """A provider that shops have accounts at. ``makes`` an adapter of an account and its opened keys.

    ``zone``: where its days end; empty: it has no statement to compare. ``needs_address``: the owner enters the address
    of notices at the provider; others are told it with each charge.
    """

    name: str
    makes: Callable[[MerchantAccount, Mapping[str, str]], Provider]
    currencies: frozenset[str]
    fields: tuple[Field, ...]
    zone: str = ""
    needs_address: bool = False


KINDS = {
    one.name: one
    for one in (
        Kind(alipay.NAME, _alipay, frozenset({alipay.CURRENCY}), alipay.FIELDS, CHINA),
        Kind(wechat.NAME, _wechat, frozenset({wechat.CURRENCY}), wechat.FIELDS, CHINA),
        Kind(stripe_checkout.NAME, _stripe, frozenset(MINOR_DIGITS), stripe_checkout.FIELDS, "UTC", needs_address=True),
        Kind(bank.NAME, _bank, frozenset(MINOR_DIGITS), bank.FIELDS),
    )
}
"""In the order in which buyers see them."""


@dataclass(frozen=True)
class Way:
    """A way to pay that a shop offers. ``account`` None: the sandbox."""

    name: str
    account: MerchantAccount | None


def has_sandbox() -> bool:
    """Whether this installation lets anybody practise."""
    return bool(settings.ENVIRONMENT.sandbox_payments)


def offered_ways(*, shop: Shop, currency: str) -> list[Way]:
    """What a buyer of this shop may choose from, the usual one first. One query."""
    found = {
        one.provider: one
        for one in MerchantAccount.objects.filter(
            shop=shop, retired_at__isnull=True, checked_at__isnull=False, problem=""
        )
    }
    ways = [Way(sandbox.NAME, None)] if has_sandbox() else []
    return ways + [
        Way(kind.name, found[kind.name])
        for kind in KINDS.values()
        if kind.name in found and currency in kind.currencies
    ]


def choose_provider(*, shop: Shop, currency: str, name: str = "") -> Provider:
    """The one that the buyer chose, or the usual one.

    Raises PaymentNotSetUp, ProviderUnknown, CurrencyNotTaken, CredentialsUnreadable.
    """
    ways = offered_ways(shop=shop, currency=currency)
    if not ways:
        raise PaymentNotSetUp
    for way in ways:
        if way.name == name or not name:
            return get_provider(way.name) if way.account is None else provider_of_account(way.account)
    if name in KINDS and currency not in KINDS[name].currencies:
        raise CurrencyNotTaken(provider=name, currency=currency)
    raise ProviderUnknown(provider=name)


def get_provider(name: str) -> Provider:
    """A provider of this house, without an account: the sandbox. Raises ProviderUnknown."""
    if name == sandbox.NAME and has_sandbox():
        return sandbox.SandboxProvider()
    raise ProviderUnknown(provider=name)


def provider_of_account(account: MerchantAccount) -> Provider:
    """Raises CredentialsUnreadable."""
    keys = unseal(account.sealed, provider=account.provider) if account.sealed else {}
    return KINDS[account.provider].makes(account, keys)


def provider_of_payment(payment: Payment) -> Provider:
    """Where a payment was made, also if the shop offers it no more. Raises ProviderUnknown, CredentialsUnreadable."""
    return get_provider(payment.provider) if payment.account is None else provider_of_account(payment.account)


def provider_of_notice(name: str, code: str) -> Provider:
    """Whom a notice's address belongs to. Raises ProviderUnknown, CredentialsUnreadable."""
    if not code:
        return get_provider(name)
    account = MerchantAccount.objects.filter(provider=name, code=code).first()
    if account is None:
        raise ProviderUnknown(provider=name)
    return provider_of_account(account)
