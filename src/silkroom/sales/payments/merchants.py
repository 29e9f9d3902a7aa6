"""Writes of merchant accounts: entered, checked, turned off. Keys go in and never come out."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.crypto import salted_hmac

from silkroom.accounts.models import Person
from silkroom.journal.services import append_entry
from silkroom.kit.clock import now
from silkroom.shops.models import Shop

from .credentials import seal, unseal
from .errors import CredentialsUnreadable, CredentialsUnusable, MerchantFixed, ProviderRefused, ProviderUnknown
from .models import MerchantAccount
from .registry import KINDS, Kind, provider_of_account

CODE_LENGTH = 40


def account_in_use(*, shop: Shop, provider: str) -> MerchantAccount | None:
    """What buyers of the shop pay to."""
    return MerchantAccount.objects.filter(shop=shop, provider=provider, retired_at__isnull=True).first()


def address_code(*, shop: Shop, provider: str) -> str:
    """The code in the address of notices: of the account in use, or of the one that comes next.

    Unguessable and known beforehand, since some providers give a key only once they know the address.
    """
    account = account_in_use(shop=shop, provider=provider)
    if account is not None:
        return account.code
    number = MerchantAccount.objects.filter(shop=shop, provider=provider).count()
    name = f"{shop.pk} {provider} {number}"
    return salted_hmac("silkroom.payments.notices", name, algorithm="sha256").hexdigest()[:CODE_LENGTH]


def save_account(*, shop: Shop, by: Person, provider: str, values: Mapping[str, str]) -> MerchantAccount:
    """The owner enters an account, or changes it; an empty key stays as it is. Buyers are offered it after a check.

    Raises ProviderUnknown, CredentialsUnusable, MerchantFixed.
    """
    kind = KINDS.get(provider)
    if kind is None:
        raise ProviderUnknown(provider=provider)
    Shop.objects.select_for_update(no_key=True).get(pk=shop.pk)
    account = account_in_use(shop=shop, provider=provider)
    keys = _kept_keys(account) | {one.name: values[one.name] for one in kind.fields if one.is_key and values[one.name]}
    details = {one.name: values[one.name] for one in kind.fields if not one.is_key}
    for field in kind.fields:
        if not field.fits((keys if field.is_key else details).get(field.name, "")):
            raise CredentialsUnusable(field=field.name)
    merchant = details[_merchant_field(kind)]
    if account is None:
        account = MerchantAccount(shop=shop, provider=provider, code=address_code(shop=shop, provider=provider))
    elif account.merchant != merchant:
        raise MerchantFixed
    account.merchant, account.details, account.sealed = merchant, details, seal(keys) if keys else ""
    account.changed_at, account.checked_at, account.problem = now(), None, ""
    account.save()
    append_entry(
        kind="payments.account_saved",
        shop_id=shop.pk,
        data={"provider": provider, "merchant": merchant, "by": by.code},
    )
    return account


def _kept_keys(account: MerchantAccount | None) -> dict[str, str]:
    if account is None or not account.sealed:
        return {}
    try:
        return unseal(account.sealed, provider=account.provider)
    except CredentialsUnreadable:
        return {}


def _merchant_field(kind: Kind) -> str:
    return next(one.name for one in kind.fields if one.is_merchant)


def check_account(*, account: MerchantAccount) -> bool:
    """Ask the provider; from now on buyers are offered it, or not. Call outside of a transaction.

    Raises ProviderUnavailable when it does not answer; nothing has changed then.
    """
    try:
        provider_of_account(account).check()
        problem = ""
    except ProviderRefused as refusal:
        problem = str(refusal.data["reason"])[:120]
    except CredentialsUnreadable as refusal:
        problem = refusal.code
    MerchantAccount.objects.filter(pk=account.pk).update(problem=problem, checked_at=now())
    return not problem


def retire_account(*, shop: Shop, by: Person, provider: str) -> None:
    """Buyers are offered it no more; what was paid there can still be sent back. Nothing in use: nothing happens."""
    account = account_in_use(shop=shop, provider=provider)
    if account is None:
        return
    account.retired_at = now()
    account.save(update_fields=["retired_at"])
    append_entry(
        kind="payments.account_retired",
        shop_id=shop.pk,
        data={"provider": provider, "merchant": account.merchant, "by": by.code},
    )
