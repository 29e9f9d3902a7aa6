"""Refunds by the shop, and refunds that the provider does not take."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("sales", "0004_lapse_again"),
    ]
    operations = [
        migrations.AddField(
            model_name="refund",
            name="note",
            field=models.CharField(blank=True, help_text="the shop's reason; the buyer reads it", max_length=200),
        ),
        migrations.AddField(
            model_name="refund",
            name="by",
            field=models.ForeignKey(
                blank=True,
                help_text="who sent it back; nobody when silkroom did",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="failures",
            field=models.PositiveIntegerField(default=0, help_text="tries that the provider did not take"),
        ),
        migrations.AddField(
            model_name="refund",
            name="given_up_at",
            field=models.DateTimeField(
                blank=True, help_text="not tried any more by itself: somebody has to look", null=True
            ),
        ),
    ]
