"""How buyers reach a shop; currency and time zone are checked on the admin pages too."""

from __future__ import annotations

from django.db import migrations, models

import silkroom.shops.models


class Migration(migrations.Migration):
    dependencies = [("shops", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="shop", name="contact", field=models.CharField(blank=True, default="", max_length=120)
        ),
        migrations.AlterField(
            model_name="shop",
            name="currency",
            field=models.CharField(default="CNY", max_length=3, validators=[silkroom.shops.models.check_currency]),
        ),
        migrations.AlterField(
            model_name="shop",
            name="time_zone",
            field=models.CharField(
                default="Asia/Shanghai", max_length=40, validators=[silkroom.shops.models.check_time_zone]
            ),
        ),
    ]
