"""An order that cannot lapse waits longer and longer, out of the way of others."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sales", "0003_held_of_person")]
    operations = [
        migrations.AddField(
            model_name="order",
            name="lapse_again_at",
            field=models.DateTimeField(
                blank=True,
                help_text="it could not lapse, for a reason that the log tells; not tried before then",
                null=True,
            ),
        ),
    ]
