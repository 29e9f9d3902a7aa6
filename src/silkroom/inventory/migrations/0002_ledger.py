"""The ledger's own law, in the database: movements are append-only, and move balances and sellable rows with them."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION inventory_apply_movements() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    leg record;
BEGIN
    -- Rows are touched in sorted order, as everywhere, so that two writers never wait for each other in a circle.
    -- First the row, then its change: a CHECK looks at the row to be inserted before ON CONFLICT is considered.
    FOR leg IN
        SELECT item_id, place_id, lot_id, sum(quantity)::bigint AS quantity
        FROM (
            SELECT item_id, to_place_id AS place_id, lot_id, quantity FROM moved
            UNION ALL
            SELECT item_id, from_place_id, lot_id, -quantity FROM moved
        ) AS legs
        JOIN shops_place AS p ON p.id = place_id AND NOT p.is_outside
        GROUP BY item_id, place_id, lot_id
        ORDER BY item_id, place_id, lot_id NULLS FIRST
    LOOP
        INSERT INTO inventory_sellable (item_id, place_id, on_hand, held, leased)
            VALUES (leg.item_id, leg.place_id, 0, 0, 0) ON CONFLICT (item_id, place_id) DO NOTHING;
        UPDATE inventory_sellable SET on_hand = on_hand + leg.quantity
            WHERE item_id = leg.item_id AND place_id = leg.place_id;
        INSERT INTO inventory_balance (item_id, place_id, lot_id, quantity)
            VALUES (leg.item_id, leg.place_id, leg.lot_id, 0) ON CONFLICT (item_id, place_id, lot_id) DO NOTHING;
        UPDATE inventory_balance SET quantity = quantity + leg.quantity
            WHERE item_id = leg.item_id AND place_id = leg.place_id AND lot_id IS NOT DISTINCT FROM leg.lot_id;
    END LOOP;
    RETURN NULL;
END $$;

CREATE TRIGGER inventory_movement_applied AFTER INSERT ON inventory_movement
    REFERENCING NEW TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION inventory_apply_movements();

CREATE FUNCTION inventory_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a movement is never changed: write a correcting one instead' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER inventory_movement_is_append_only BEFORE UPDATE OR DELETE ON inventory_movement
    FOR EACH ROW EXECUTE FUNCTION inventory_refuse_change();
"""

BACKWARD = """
DROP TRIGGER inventory_movement_is_append_only ON inventory_movement;
DROP TRIGGER inventory_movement_applied ON inventory_movement;
DROP FUNCTION inventory_refuse_change();
DROP FUNCTION inventory_apply_movements();
"""


class Migration(migrations.Migration):
    dependencies = [("inventory", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
