"""The SQL of the order desk, in the order in which a batch sends it. All of it is prepared once a connection.

Lists travel as array literals (``{1,2,3}``) that `number_list` and `text_list` write: psycopg's own array dumpers walk
every element in Python, which measured 30 µs an order, a third of what PostgreSQL needs for all its rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

SESSION = (
    # The tables may be empty when a plan is made and hold a hundred thousand orders ten seconds later: always by index.
    "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c enable_bitmapscan=off "
    "-c plan_cache_mode=force_generic_plan -c jit=off "
    "-c lock_timeout=5s -c statement_timeout=10s -c idle_in_transaction_session_timeout=20s "
    "-c synchronous_commit=on -c default_transaction_isolation=read\\ committed -c client_encoding=UTF8"
)

BEGIN = "BEGIN"
COMMIT = "COMMIT"
ROLLBACK = "ROLLBACK"

LOCK_STOCK = """
    SELECT s.item_id, s.id, s.place_id, s.on_hand - s.held - s.leased, p.priority
    FROM catalog_variant v JOIN inventory_sellable s ON s.item_id = v.item_id JOIN shops_place p ON p.id = s.place_id
    WHERE v.id = ANY($1::bigint[]) AND p.sells_online
    ORDER BY s.item_id, s.place_id FOR NO KEY UPDATE OF s
"""

LOCK_OFFERS = """
    SELECT id, shop_id, style_id, price_minor, piece_cap, person_limit, taken,
           (extract(epoch FROM starts_at) * 1000000)::bigint, (extract(epoch FROM ends_at) * 1000000)::bigint,
           withdrawn_at IS NOT NULL, channel
    FROM sales_offer WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE
"""

READ_USES = """
    SELECT u.offer_id, u.person_id, u.quantity
    FROM unnest($1::bigint[], $2::bigint[]) AS wanted(offer, person)
    JOIN sales_offeruse u ON u.offer_id = wanted.offer AND u.person_id = wanted.person
"""

# What a new order names must still exist when it commits. A foreign key would look for every row of every order, which
# measured 37 of the 75 µs that PostgreSQL spends on one; these locks do the same once for each row of a batch.
LOCK_VARIANTS = """
    SELECT v.id, v.item_id, v.shop_id, v.style_id, shop.currency, v.price_minor, v.sku,
           concat_ws(' · ', style.name, colour.name, size.label), v.is_sold AND style.state = 'published'
    FROM catalog_variant v
    JOIN catalog_style style ON style.id = v.style_id
    JOIN catalog_colour colour ON colour.id = v.colour_id
    JOIN catalog_size size ON size.id = v.size_id
    JOIN shops_shop shop ON shop.id = v.shop_id
    WHERE v.id = ANY($1::bigint[]) ORDER BY v.id FOR KEY SHARE OF v
"""

# Stronger than the garments' locks: whoever orders through two desks at once waits here, so that READ_UNPAID counts all
# there is.
LOCK_BUYERS = """
    SELECT id FROM accounts_person WHERE id = ANY($1::bigint[]) AND is_active ORDER BY id FOR NO KEY UPDATE
"""

# A subquery and no join, which PostgreSQL might begin with the orders while there are few.
READ_UNPAID = """
    WITH counted AS MATERIALIZED (
        SELECT shop, person, (
            SELECT count(*) FROM sales_order o
            WHERE o.shop_id = wanted.shop AND o.person_id = wanted.person AND o.ended_at IS NULL
              AND o.lapse_again_at IS NULL
        ) AS orders
        FROM unnest($1::bigint[], $2::bigint[]) AS wanted(shop, person)
    )
    SELECT shop, person, orders FROM counted WHERE orders > 0
"""

READ_KNOWN = """
    SELECT o.id, o.person_id, o.key, o.number, o.total_minor, o.currency,
           (extract(epoch FROM o.holds_until) * 1000000)::bigint, o.state,
           l.variant_id, l.sku, l.title, l.quantity, l.list_price_minor, l.unit_price_minor, l.offer_id
    FROM unnest($1::bigint[], $2::uuid[]) AS wanted(person, key)
    JOIN sales_order o ON o.person_id = wanted.person AND o.key = wanted.key
    JOIN sales_orderline l ON l.order_id = o.id
    ORDER BY o.id, l.id
"""

# statement_timestamp() and not clock_timestamp(): a volatile function cannot bound an index, and every held order would
# be looked at. It is this statement's own moment, after all locks.
READ_MOMENT = """
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
           EXISTS (
               SELECT FROM sales_order WHERE state = 'held' AND holds_until <= statement_timestamp()
               AND (lapse_again_at IS NULL OR lapse_again_at <= statement_timestamp())
           )
"""

RESERVE_IDS = """
    SELECT array_agg(nextval('sales_order_id_seq')), array_agg(nextval('inventory_hold_id_seq'))
    FROM generate_series(1, $1::int)
"""

HOLD_STOCK = """
    UPDATE inventory_sellable s SET held = s.held + change.pieces
    FROM unnest($1::bigint[], $2::bigint[]) AS change(id, pieces) WHERE s.id = change.id
"""

COUNT_OFFERS = """
    UPDATE sales_offer o SET taken = o.taken + change.pieces
    FROM unnest($1::bigint[], $2::int[]) AS change(id, pieces) WHERE o.id = change.id
"""

COUNT_USES = """
    INSERT INTO sales_offeruse AS u (offer_id, person_id, quantity, person_limit)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::int[], $4::int[])
    ON CONFLICT (offer_id, person_id) DO UPDATE
    SET quantity = u.quantity + excluded.quantity, person_limit = excluded.person_limit
"""

INSERT_ORDERS = """
    INSERT INTO sales_order (id, shop_id, number, person_id, key, channel, state, currency, goods_minor, discount_minor,
        freight_minor, tax_minor, total_minor, placed_at, holds_until, recipient, phone, address)
    SELECT id, shop, number, person, key, channel, 'held', currency, goods, discount, 0, 0, goods - discount,
           $1::timestamptz, $2::timestamptz, '', '', ''
    FROM unnest($3::bigint[], $4::bigint[], $5::text[], $6::bigint[], $7::uuid[], $8::text[], $9::text[], $10::bigint[],
        $11::bigint[]) AS new(id, shop, number, person, key, channel, currency, goods, discount)
"""

INSERT_LINES = """
    WITH new AS (
        SELECT * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::int[], $7::text[],
            $8::bigint[], $9::bigint[], $10::text[], $11::text[], $12::bigint[], $13::bigint[])
        AS new(hold, order_id, item, place, quantity, number, variant, offer, sku, title, list_price, unit_price)
    ), holds AS (
        INSERT INTO inventory_hold (id, item_id, place_id, quantity, source, state, lapses_at)
        SELECT hold, item, place, quantity, 'order:' || number, 'open', $1::timestamptz FROM new
    )
    INSERT INTO sales_orderline (order_id, variant_id, offer_id, hold_id, sku, title, quantity, list_price_minor,
        unit_price_minor)
    SELECT order_id, variant, offer, hold, sku, title, quantity, list_price, unit_price FROM new
"""

INSERT_JOURNAL = """
    INSERT INTO journal_entry (kind, shop, data)
    SELECT 'order.placed', (new.entry -> 'shop')::bigint, new.entry -> 'data'
    FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS new(entry, turn) ORDER BY new.turn
"""

ALL = (
    BEGIN,
    COMMIT,
    ROLLBACK,
    LOCK_STOCK,
    LOCK_OFFERS,
    READ_USES,
    LOCK_VARIANTS,
    LOCK_BUYERS,
    READ_UNPAID,
    READ_KNOWN,
    READ_MOMENT,
    RESERVE_IDS,
    HOLD_STOCK,
    COUNT_OFFERS,
    COUNT_USES,
    INSERT_ORDERS,
    INSERT_LINES,
    INSERT_JOURNAL,
)


def number_list(numbers: Iterable[int | None]) -> str:
    """Array literal of whole numbers; None is NULL."""
    return "{" + ",".join(["NULL" if one is None else str(one) for one in numbers]) + "}"


def plain_list(words: Iterable[str]) -> str:
    """Array literal of words that need no quotes: codes of our own alphabet, hexadecimal numbers."""
    return "{" + ",".join(words) + "}"


def text_list(texts: Sequence[str]) -> str:
    """Array literal of any texts (PostgreSQL takes no NUL)."""
    # The same few titles and channels come again and again: each is escaped once.
    quoted: dict[str, str] = {}
    for one in texts:
        if one not in quoted:
            quoted[one] = '"' + one.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return "{" + ",".join([quoted[one] for one in texts]) + "}"
