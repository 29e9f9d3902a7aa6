"""A shop with an account at a provider, and a buyer with a held order, both at their browsers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.test import Client

from silkroom.accounts.models import Person
from silkroom.inventory.models import Hold
from silkroom.kit.clock import now
from silkroom.sales.desk.door import Desk
from silkroom.sales.orders.models import Order
from silkroom.sales.orders.services import lapse_due_orders
from silkroom.sales.payments.merchants import check_account, save_account
from silkroom.sales.payments.models import MerchantAccount, Notice, Payment
from silkroom.shops.services import add_staff
from silkroom.shops.states import Role
from tests.sales.stocked import ask_for, make_member, make_people, make_shop, stock_row

PHONE = {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Mobile/15E148"}


def browser_of(person: Person) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


class Sale:
    """Two pieces of five at 199.00 and one order; the shop's account is checked."""

    def __init__(self, desk: Desk, provider: str, values: Mapping[str, str], base_url: str = "") -> None:
        self.desk = desk
        self.provider = provider
        self.stocked = make_shop(pieces=5)
        self.owner = make_member("Owner")
        add_staff(shop=self.stocked.shop, person=self.owner, role=Role.OWNER)
        self.account = open_account(self.stocked.shop, self.owner, provider, values, base_url)
        self.buyer = make_people(1)[0]
        self.browser = browser_of(self.buyer)
        self.number = desk.place_blocking(ask_for(self.stocked, self.buyer, 2)).number

    @property
    def order(self) -> Order:
        return Order.objects.get(number=self.number)

    @property
    def payment(self) -> Payment:
        return Payment.objects.filter(order=self.order).latest("id")

    @property
    def states(self) -> tuple[str, list[str]]:
        return self.order.state, [one.state for one in Payment.objects.filter(order=self.order).order_by("id")]

    @property
    def stock(self) -> tuple[int, int]:
        return stock_row(self.stocked)

    def pay(self, **headers: str) -> Any:
        """Press the button; the answer is that of the form."""
        return self.browser.post(f"/orders/{self.number}/pay", {"provider": self.provider}, headers=headers)

    def paying(self) -> str:
        return self.browser.get(f"/orders/{self.number}/paying").content.decode()

    @property
    def notify_path(self) -> str:
        return f"/payments/notify/{self.provider}/{self.account.code}"

    def notify(self, body: bytes, headers: Mapping[str, str], *, content_type: str = "application/json") -> Any:
        return Client().post(self.notify_path, data=body, content_type=content_type, headers=dict(headers))

    def everything(self) -> tuple[object, ...]:
        """What a refused notice must leave as it is."""
        return Notice.objects.count(), self.states, self.stock, self.payment.provider_id

    def time_passes(self) -> None:
        """The time to pay is over, for the order and for the payment under way."""
        past = now() - timedelta(seconds=1)
        Order.objects.filter(number=self.number).update(holds_until=past)
        Payment.objects.filter(order=self.order).update(expires_at=past)
        Hold.objects.update(paying_until=past)

    def lapse(self) -> int:
        with transaction.atomic(), connection.cursor() as cursor:
            return lapse_due_orders(cursor=cursor)


def open_account(
    shop: Any, owner: Person, provider: str, values: Mapping[str, str], base_url: str = ""
) -> MerchantAccount:
    """Entered as on the page; ``base_url``: what only an operator may set."""
    with transaction.atomic():
        account = save_account(shop=shop, by=owner, provider=provider, values=values)
    MerchantAccount.objects.filter(pk=account.pk).update(base_url=base_url)
    account.refresh_from_db()
    assert check_account(account=account)
    return account
