"""A hold is ended, never deleted; and the hot rows have room on their pages for the versions that a sale makes."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION inventory_refuse_deletion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% rows are never deleted', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER inventory_hold_stays BEFORE DELETE ON inventory_hold
    FOR EACH ROW EXECUTE FUNCTION inventory_refuse_deletion();
CREATE TRIGGER inventory_sellable_stays BEFORE DELETE ON inventory_sellable
    FOR EACH ROW EXECUTE FUNCTION inventory_refuse_deletion();
ALTER TABLE inventory_sellable SET (fillfactor = 30);
"""

BACKWARD = """
ALTER TABLE inventory_sellable RESET (fillfactor);
DROP TRIGGER inventory_sellable_stays ON inventory_sellable;
DROP TRIGGER inventory_hold_stays ON inventory_hold;
DROP FUNCTION inventory_refuse_deletion();
"""


class Migration(migrations.Migration):
    dependencies = [("inventory", "0002_ledger")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
