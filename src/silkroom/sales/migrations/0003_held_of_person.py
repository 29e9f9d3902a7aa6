"""The desk counts the unpaid orders of each buyer."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sales", "0002_nothing_vanishes")]
    operations = [
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at", None), ("state", "held")),
                    models.Q(models.Q(("state", "held"), _negated=True), ("ended_at__isnull", False)),
                    _connector="OR",
                ),
                name="order_is_held_until_it_ends",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(("ended_at", None)), fields=["shop", "person"], name="order_held_of_person"
            ),
        ),
    ]
