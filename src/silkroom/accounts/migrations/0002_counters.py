"""The table of Django's database cache: counters of sign-in tries, shared by all web processes."""

from django.db import migrations

FORWARD = """
CREATE UNLOGGED TABLE accounts_counters (
    cache_key varchar(255) NOT NULL PRIMARY KEY,
    value text NOT NULL,
    expires timestamp with time zone NOT NULL
);
CREATE INDEX accounts_counters_expires ON accounts_counters (expires);
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, "DROP TABLE accounts_counters")]
