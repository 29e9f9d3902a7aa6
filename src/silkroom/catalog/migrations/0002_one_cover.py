"""Pictures count from 0 without a gap: the one at 0 is the cover, and there are never two of it."""

from __future__ import annotations

from django.db import migrations, models

RENUMBER = """
    UPDATE catalog_picture AS picture SET position = counted.position FROM (
        SELECT id, row_number() OVER (PARTITION BY style_id ORDER BY position, id) - 1 AS position
        FROM catalog_picture
    ) AS counted WHERE counted.id = picture.id AND counted.position <> picture.position
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]

    operations = [
        migrations.RunSQL(RENUMBER, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="picture",
            constraint=models.UniqueConstraint(
                deferrable=models.Deferrable.IMMEDIATE, fields=("style", "position"), name="one_picture_a_position"
            ),
        ),
        migrations.AddConstraint(
            model_name="picture",
            constraint=models.CheckConstraint(condition=models.Q(("position__gte", 0)), name="pictures_count_from_0"),
        ),
    ]
