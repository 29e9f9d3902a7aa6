"""Merchant accounts of shops at real providers, and the comparison with their statements."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sales", "0006_orders_by_time"),
        ("shops", "0002_settings"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="payment",
            name="code",
            field=models.TextField(blank=True, default=""),
        ),
        migrations.AddField(
            model_name="payment",
            name="page_url",
            field=models.TextField(blank=True, default=""),
        ),
        migrations.AddField(
            model_name="payment",
            name="paid_at",
            field=models.DateTimeField(
                blank=True, help_text="when silkroom learned that the money has come", null=True
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="provider_id",
            field=models.CharField(blank=True, default="", max_length=120),
        ),
        migrations.CreateModel(
            name="MerchantAccount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=20)),
                (
                    "code",
                    models.CharField(
                        editable=False, help_text="in the address of its notices", max_length=40, unique=True
                    ),
                ),
                (
                    "merchant",
                    models.CharField(
                        blank=True, help_text="whose account it is, as the provider calls them", max_length=80
                    ),
                ),
                ("details", models.JSONField(default=dict)),
                ("sealed", models.TextField(blank=True, editable=False)),
                (
                    "base_url",
                    models.URLField(
                        blank=True,
                        help_text="where the provider answers, if not at its usual address: its own test environment",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("changed_at", models.DateTimeField(blank=True, null=True)),
                ("checked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "problem",
                    models.CharField(
                        blank=True, help_text="what the last check said; empty: all is well", max_length=120
                    ),
                ),
                (
                    "retired_at",
                    models.DateTimeField(blank=True, help_text="buyers are not offered it since then", null=True),
                ),
                (
                    "shop",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="merchant_accounts", to="shops.shop"
                    ),
                ),
            ],
            options={
                "verbose_name": "merchant account",
                "verbose_name_plural": "merchant accounts",
            },
        ),
        migrations.AddField(
            model_name="payment",
            name="account",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payments",
                to="sales.merchantaccount",
            ),
        ),
        migrations.CreateModel(
            name="Statement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("fetched_at", models.DateTimeField(blank=True, null=True)),
                ("problem", models.CharField(blank=True, help_text="why it could not be fetched", max_length=120)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="statements",
                        to="sales.merchantaccount",
                    ),
                ),
            ],
            options={
                "verbose_name": "provider's statement",
                "verbose_name_plural": "providers' statements",
            },
        ),
        migrations.CreateModel(
            name="Difference",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("unknown_here", "unknown here"),
                            ("not_paid_here", "not paid here"),
                            ("amount_differs", "amount differs"),
                            ("missing_there", "missing there"),
                            ("refund_unknown_here", "refund unknown here"),
                            ("refund_amount_differs", "refund amount differs"),
                            ("refund_missing_there", "refund missing there"),
                        ],
                        max_length=24,
                    ),
                ),
                ("reference", models.CharField(max_length=80)),
                ("key", models.CharField(blank=True, max_length=80)),
                ("ours_minor", models.BigIntegerField(blank=True, null=True)),
                ("theirs_minor", models.BigIntegerField(blank=True, null=True)),
                ("currency", models.CharField(max_length=3)),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "payment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="differences",
                        to="sales.payment",
                    ),
                ),
                (
                    "settled_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "statement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="differences", to="sales.statement"
                    ),
                ),
            ],
            options={
                "verbose_name": "difference to a statement",
                "verbose_name_plural": "differences to statements",
            },
        ),
        migrations.CreateModel(
            name="StatementEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("payment", "payment"), ("refund", "refund")], max_length=10)),
                ("reference", models.CharField(db_index=True, max_length=80)),
                ("key", models.CharField(blank=True, max_length=80)),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("provider_id", models.CharField(blank=True, max_length=120)),
                (
                    "statement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="entries", to="sales.statement"
                    ),
                ),
            ],
            options={
                "verbose_name": "line of a provider's statement",
                "verbose_name_plural": "lines of providers' statements",
            },
        ),
        migrations.AddConstraint(
            model_name="merchantaccount",
            constraint=models.UniqueConstraint(
                condition=models.Q(("retired_at__isnull", True)), fields=("shop", "provider"), name="one_account_in_use"
            ),
        ),
        migrations.AddConstraint(
            model_name="statement",
            constraint=models.UniqueConstraint(fields=("account", "day"), name="one_statement_a_day"),
        ),
        migrations.AddConstraint(
            model_name="difference",
            constraint=models.UniqueConstraint(
                fields=("statement", "kind", "reference", "key"), name="difference_is_told_once"
            ),
        ),
    ]
