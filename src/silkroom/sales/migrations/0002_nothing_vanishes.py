"""What orders name cannot vanish: the half of a foreign key that guards deletion, by triggers.

The other half, that a new row names only what exists, is kept by the order desk's locks (docs/decisions/0010).
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION sales_refuse_deletion() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_named boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE %I = $1)', TG_ARGV[0], TG_ARGV[1]) INTO is_named USING OLD.id;
    IF is_named THEN
        RAISE EXCEPTION '% % is named by %', TG_TABLE_NAME, OLD.id, TG_ARGV[0] USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER sales_variant_is_named BEFORE DELETE ON catalog_variant
    FOR EACH ROW EXECUTE FUNCTION sales_refuse_deletion('sales_orderline', 'variant_id');
CREATE TRIGGER sales_offer_is_named BEFORE DELETE ON sales_offer
    FOR EACH ROW EXECUTE FUNCTION sales_refuse_deletion('sales_orderline', 'offer_id');
CREATE TRIGGER sales_order_is_named BEFORE DELETE ON sales_order
    FOR EACH ROW EXECUTE FUNCTION sales_refuse_deletion('sales_orderline', 'order_id');
CREATE TRIGGER sales_person_is_named BEFORE DELETE ON accounts_person
    FOR EACH ROW EXECUTE FUNCTION sales_refuse_deletion('sales_order', 'person_id');
CREATE TRIGGER sales_shop_is_named BEFORE DELETE ON shops_shop
    FOR EACH ROW EXECUTE FUNCTION sales_refuse_deletion('sales_order', 'shop_id');
"""

BACKWARD = """
DROP TRIGGER sales_shop_is_named ON shops_shop;
DROP TRIGGER sales_person_is_named ON accounts_person;
DROP TRIGGER sales_order_is_named ON sales_order;
DROP TRIGGER sales_offer_is_named ON sales_offer;
DROP TRIGGER sales_variant_is_named ON catalog_variant;
DROP FUNCTION sales_refuse_deletion();
"""


class Migration(migrations.Migration):
    dependencies = [("sales", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
