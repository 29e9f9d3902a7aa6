"""Payments, the notices that providers send, refunds; and the sandbox provider's own book."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from silkroom.kit.choices import choices_of
from silkroom.sales.orders.models import Order
from silkroom.shops.models import Shop

from .states import ChargeState, DifferenceKind, LineKind, PaymentState


class MerchantAccount(models.Model):
    """A shop's account at a provider. Another merchant is another row, so that old payments can still be sent back.

    ``details`` are shown to the owner (a merchant's number), ``sealed`` are keys and are shown to nobody.
    """

    shop = models.ForeignKey(Shop, on_delete=models.PROTECT, related_name="merchant_accounts")
    provider = models.CharField(max_length=20)
    code = models.CharField(max_length=40, unique=True, editable=False, help_text="in the address of its notices")
    merchant = models.CharField(max_length=80, blank=True, help_text="whose account it is, as the provider calls them")
    details = models.JSONField(default=dict)
    sealed = models.TextField(blank=True, editable=False)
    base_url = models.URLField(
        blank=True, help_text="where the provider answers, if not at its usual address: its own test environment"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    changed_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=120, blank=True, help_text="what the last check said; empty: all is well")
    retired_at = models.DateTimeField(null=True, blank=True, help_text="buyers are not offered it since then")

    class Meta:
        verbose_name = _("merchant account")
        verbose_name_plural = _("merchant accounts")
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "provider"], name="one_account_in_use", condition=Q(retired_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.merchant}"


class Payment(models.Model):
    """A try to pay an order at a provider. ``reference`` is silkroom's name for it, ``provider_id`` the provider's own.

    ``page_url`` and ``code``: what the buyer was sent to, or shown; the same again while it is under way.
    """

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="payments")
    provider = models.CharField(max_length=20)
    account = models.ForeignKey(
        MerchantAccount, null=True, blank=True, on_delete=models.PROTECT, related_name="payments"
    )
    reference = models.CharField(max_length=80)
    provider_id = models.CharField(max_length=120, blank=True, default="")
    page_url = models.TextField(blank=True, default="")
    code = models.TextField(blank=True, default="")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, choices=choices_of(PaymentState), default=PaymentState.UNDER_WAY)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(help_text="the provider takes no money after this")
    paid_at = models.DateTimeField(null=True, blank=True, help_text="when silkroom learned that the money has come")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints = [
            models.UniqueConstraint(fields=["provider", "reference"], name="payment_reference_is_unique"),
            models.UniqueConstraint(fields=["order"], name="one_payment_under_way", condition=Q(state="under_way")),
            models.CheckConstraint(name="payment_is_positive", condition=Q(amount_minor__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.reference}"


class Notice(models.Model):
    """What a provider told us, once: the same notice twice changes nothing."""

    provider = models.CharField(max_length=20)
    notice = models.CharField(max_length=80, help_text="the provider's id of the notice")
    payment = models.ForeignKey(Payment, null=True, on_delete=models.PROTECT, related_name="notices")
    body = models.TextField()
    received_at = models.DateTimeField(db_default=Now(), editable=False)
    times = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("payment notice")
        verbose_name_plural = _("payment notices")
        constraints = [models.UniqueConstraint(fields=["provider", "notice"], name="notice_is_counted_once")]

    def __str__(self) -> str:
        return f"{self.provider} {self.notice}"


class NoticeNonce(models.Model):
    """A one-time number of a signed notice: a second message with it is a copy, whoever sent it."""

    provider = models.CharField(max_length=20)
    nonce = models.CharField(max_length=80)
    seen_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("number of a notice")
        verbose_name_plural = _("numbers of notices")
        constraints = [models.UniqueConstraint(fields=["provider", "nonce"], name="nonce_is_used_once")]

    def __str__(self) -> str:
        return f"{self.provider} {self.nonce}"


class Refund(models.Model):
    """Money that goes back."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    key = models.CharField(max_length=80, unique=True)
    amount_minor = models.BigIntegerField()
    reason = models.CharField(max_length=40)
    note = models.CharField(max_length=200, blank=True, help_text="the shop's reason; the buyer reads it")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="who sent it back; nobody when silkroom did",
    )
    is_done = models.BooleanField(default=False)
    failures = models.PositiveIntegerField(default=0, help_text="tries that the provider did not take")
    given_up_at = models.DateTimeField(
        null=True, blank=True, help_text="not tried any more by itself: somebody has to look"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        constraints = [models.CheckConstraint(name="refund_is_positive", condition=Q(amount_minor__gt=0))]

    def __str__(self) -> str:
        return self.key


class Statement(models.Model):
    """A day of a provider's own book, fetched and compared with silkroom's."""

    account = models.ForeignKey(MerchantAccount, on_delete=models.PROTECT, related_name="statements")
    day = models.DateField()
    fetched_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=120, blank=True, help_text="why it could not be fetched")

    class Meta:
        verbose_name = _("provider's statement")
        verbose_name_plural = _("providers' statements")
        constraints = [models.UniqueConstraint(fields=["account", "day"], name="one_statement_a_day")]

    def __str__(self) -> str:
        return f"{self.account} {self.day}"


class StatementEntry(models.Model):
    """A movement of money as the provider booked it."""

    statement = models.ForeignKey(Statement, on_delete=models.CASCADE, related_name="entries")
    kind = models.CharField(max_length=10, choices=choices_of(LineKind))
    reference = models.CharField(max_length=80, db_index=True)
    key = models.CharField(max_length=80, blank=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    provider_id = models.CharField(max_length=120, blank=True)

    class Meta:
        verbose_name = _("line of a provider's statement")
        verbose_name_plural = _("lines of providers' statements")

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"


class Difference(models.Model):
    """Where a statement and silkroom's book do not agree, until somebody of the shop has looked."""

    statement = models.ForeignKey(Statement, on_delete=models.CASCADE, related_name="differences")
    kind = models.CharField(max_length=24, choices=choices_of(DifferenceKind))
    reference = models.CharField(max_length=80)
    key = models.CharField(max_length=80, blank=True)
    payment = models.ForeignKey(Payment, null=True, blank=True, on_delete=models.PROTECT, related_name="differences")
    ours_minor = models.BigIntegerField(null=True, blank=True)
    theirs_minor = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = _("difference to a statement")
        verbose_name_plural = _("differences to statements")
        constraints = [
            models.UniqueConstraint(fields=["statement", "kind", "reference", "key"], name="difference_is_told_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"


class SandboxCharge(models.Model):
    """The sandbox provider's book: what a real provider would keep on its side."""

    reference = models.CharField(max_length=80, unique=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    subject = models.CharField(max_length=120)
    state = models.CharField(max_length=10, choices=choices_of(ChargeState), default=ChargeState.WAITING)
    refunded_minor = models.BigIntegerField(default=0)
    refund_keys = models.JSONField(default=list, help_text="keys of the refunds made, so that none is made twice")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    notices_sent = models.PositiveIntegerField(default=0)
    notice_accepted = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("practice payment")
        verbose_name_plural = _("practice payments")

    def __str__(self) -> str:
        return self.reference
