"""What the machine can do without us: the same rows, in the same tables, by nothing but PostgreSQL and its drivers.

* group commit: one Python process that makes the rows (numbers and keys are random) and sends them through psycopg's
  pipeline, batches of one size, one durable commit each; it reads nothing, checks nothing and answers nobody;
* single orders: pgbench, each order a transaction of its own on the same hot row.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from silkroom.config.errors import OperationError
from silkroom.config.processes.servers import find_postgres_programs

HOLD = "UPDATE inventory_sellable SET held = held + %s WHERE id = %s AND on_hand - held - leased >= %s"

ORDERS = """
    INSERT INTO sales_order (id, shop_id, number, person_id, key, channel, state, currency, goods_minor, discount_minor,
        freight_minor, tax_minor, total_minor, placed_at, holds_until, recipient, phone, address)
    SELECT id, %s, number, person, key, %s, 'held', 'CNY', 19900, 0, 0, 0, 19900, %s, %s, '', '', ''
    FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::uuid[]) AS new(id, number, person, key)
"""

HOLDS = """
    INSERT INTO inventory_hold (id, item_id, place_id, quantity, source, state, lapses_at)
    SELECT id, %s, %s, 1, 'order:' || number, 'open', %s FROM unnest(%s::bigint[], %s::text[]) AS new(id, number)
"""

LINES = """
    INSERT INTO sales_orderline (order_id, variant_id, hold_id, sku, title, quantity, list_price_minor,
        unit_price_minor)
    SELECT order_id, %s, hold, %s, %s, 1, 19900, 19900 FROM unnest(%s::bigint[], %s::bigint[]) AS new(order_id, hold)
"""

JOURNAL = """
    INSERT INTO journal_entry (kind, shop, data) SELECT 'order.placed', %s, one::jsonb FROM unnest(%s::text[]) AS one
"""

SINGLE = """
\\set person random(1, {people})
BEGIN;
UPDATE inventory_sellable SET held = held + 1 WHERE id = {sellable} AND on_hand - held - leased >= 1;
WITH hold AS (
  INSERT INTO inventory_hold (item_id, place_id, quantity, source, state, lapses_at)
  VALUES ({item}, {place}, 1, 'order:' || gen_random_uuid()::text, 'open', now() + interval '900 s') RETURNING id
), placed AS (
  INSERT INTO sales_order (shop_id, number, person_id, key, channel, state, currency, goods_minor, discount_minor,
    freight_minor, tax_minor, total_minor, placed_at, holds_until, recipient, phone, address)
  VALUES ({shop}, substr(gen_random_uuid()::text, 25, 12), {person} + :person, gen_random_uuid(), E'{channel}', 'held',
    'CNY', 19900, 0, 0, 0, 19900, now(), now() + interval '900 s', '', '', '') RETURNING id
), line AS (
  INSERT INTO sales_orderline (order_id, variant_id, hold_id, sku, title, quantity, list_price_minor, unit_price_minor)
  SELECT placed.id, {variant}, hold.id, '{sku}', '{title}', 1, 19900, 19900 FROM placed, hold
)
INSERT INTO journal_entry (kind, shop, data) SELECT 'order.placed', {shop}, '{news}' FROM placed;
COMMIT;
"""

NEWS = (
    '{"order":100000,"number":"K7ABCDEFGH","person":1000,"channel":"broadcast:K7ABCDEFGH","items":[1],"offers":[],'
    '"pieces":1,"total_minor":19900,"currency":"CNY"}'
)


@dataclass(frozen=True)
class Garment:
    """The hot row, and what an order of it names."""

    shop: int
    variant: int
    item: int
    place: int
    sellable: int
    sku: str
    title: str
    channel: str
    people: list[int]


def group_commit_per_s(url: str, garment: Garment, *, batch: int, seconds: float) -> float:
    """Orders per second of one connection that commits ``batch`` orders at a time."""
    with psycopg.connect(url) as connection:
        connection.prepare_threshold = 0
        # More than can be written in that time; taking ids is no part of what is measured.
        ids = _ids(connection, round(60_000 * seconds))
        started_at = time.perf_counter()
        done = 0
        while time.perf_counter() - started_at < seconds and done + batch <= len(ids):
            with connection.pipeline():
                for statement, values in _parameters(garment, ids[done : done + batch]):
                    connection.execute(statement, values)
                connection.commit()
            done += batch
        return done / (time.perf_counter() - started_at)


def _ids(connection: psycopg.Connection[tuple[int, ...]], count: int) -> list[tuple[int, int]]:
    query = "SELECT nextval('sales_order_id_seq'), nextval('inventory_hold_id_seq') FROM generate_series(1, %s)"
    found = connection.execute(query, (count,)).fetchall()
    connection.commit()
    return [(order, hold) for order, hold in found]


def _parameters(garment: Garment, ids: list[tuple[int, int]]) -> list[tuple[str, tuple[object, ...]]]:
    """The statements of one batch. Lists as array literals: adapting them is no part of the limit."""
    now = datetime.now(UTC)
    until = now + timedelta(seconds=900)
    orders, holds = (_list([pair[side] for pair in ids]) for side in (0, 1))
    numbers = _list([uuid.uuid4().hex[:12] for _ in ids])
    people = _list([garment.people[order % len(garment.people)] for order, _ in ids])
    keys = _list([uuid.uuid4().hex for _ in ids])
    quoted = NEWS.replace('"', '\\"')
    news = _list([f'"{quoted}"'] * len(ids))
    return [
        (HOLD, (len(ids), garment.sellable, len(ids))),
        (ORDERS, (garment.shop, garment.channel, now, until, orders, numbers, people, keys)),
        (HOLDS, (garment.item, garment.place, until, holds, numbers)),
        (LINES, (garment.variant, garment.sku, garment.title, orders, holds)),
        (JOURNAL, (garment.shop, news)),
    ]


def _list(values: list[int] | list[str]) -> str:
    return "{" + ",".join(map(str, values)) + "}"


def single_orders_per_s(url: str, garment: Garment, *, clients: int, seconds: int) -> float | None:
    """Orders per second of pgbench's clients; None where there is no pgbench."""
    program = find_postgres_programs() / "pgbench"
    if not program.exists():
        return None
    values = {name: getattr(garment, name) for name in ("shop", "variant", "item", "place", "sellable")}
    people = min(garment.people) - 1
    script = SINGLE.format(
        **values,
        sku=garment.sku,
        title=garment.title,
        people=len(garment.people),
        person=people,
        # pgbench takes a colon before a word for one of its variables.
        channel=garment.channel.replace(":", r"\x3a"),
        news=NEWS.replace('":', '": ').replace("broadcast:", r"broadcast\u003a"),
    )
    named = conninfo_to_dict(url)
    with tempfile.TemporaryDirectory(prefix="silkroom-") as folder:
        file = Path(folder) / "order.sql"
        file.write_text(script, encoding="utf-8")
        told = subprocess.run(
            [program, "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(seconds), "-f", file],
            env={
                "PGHOST": str(named["host"]),
                "PGPORT": str(named["port"]),
                "PGUSER": str(named["user"]),
                "PGPASSWORD": str(named.get("password") or ""),
                "PGDATABASE": str(named["dbname"]),
                "LC_ALL": "C",
            },
            capture_output=True,
            text=True,
            check=False,
        )
    found = re.search(r"tps = ([0-9.]+)", told.stdout)
    if told.returncode != 0 or found is None:
        raise OperationError(f"pgbench failed: {(told.stderr or told.stdout).strip()[:300]}")
    return float(found.group(1))
