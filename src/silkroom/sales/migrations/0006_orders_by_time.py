"""The shop's list of orders and the sums of its day are found by time: one index for both."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sales", "0005_refunds")]
    operations = [
        migrations.AddIndex(
            model_name="order",
            index=models.Index(fields=["shop", "placed_at"], name="order_of_shop_by_time"),
        ),
        migrations.RemoveIndex(model_name="order", name="order_of_shop"),
    ]
