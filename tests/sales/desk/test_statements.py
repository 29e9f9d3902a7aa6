"""Array literals mean to PostgreSQL what they meant to Python."""

from __future__ import annotations

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from silkroom.sales.desk.statements import READ_MOMENT, READ_UNPAID, number_list, plain_list, text_list
from silkroom.sales.orders.services import _DUE
from tests.sales.orders.test_shop_lists import fill
from tests.sales.stocked import make_shop

TEXTS = st.text(st.characters(blacklist_characters="\x00", blacklist_categories=("Cs",)))


def read(literal: str, kind: str) -> list[object]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{kind}[]", (literal,))
        found: list[object] = cursor.fetchone()[0]
        return found


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)), texts=st.lists(TEXTS), db=st.none())
def test_literals_come_back_as_they_were(numbers: list[int | None], texts: list[str], db: None) -> None:
    assert read(number_list(numbers), "bigint") == numbers
    assert read(text_list(texts), "text") == texts


@pytest.mark.django_db
def test_words_that_look_like_syntax_stay_words() -> None:
    words = ["NULL", "", " ", "a,b", "{}", '"', "\\", "\n", "'); DROP TABLE sales_order; --"]
    assert read(text_list(words), "text") == words
    assert read(plain_list(["K7AB", "23456789"]), "text") == ["K7AB", "23456789"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [READ_MOMENT, _DUE.replace("%s::bigint[]", "NULL::bigint[]").replace("ANY(%s)", "ANY('{}')").replace("%s", "200")],
)
def test_due_orders_are_found_by_their_index(statement: str) -> None:
    """With thousands held, each batch would otherwise look at all of them: 9 ms instead of 0.1."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {statement}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "order_held_by_time" in plan
    assert "Index Cond: (holds_until <= statement_timestamp())" in plan


@pytest.mark.django_db
def test_unpaid_orders_are_counted_by_their_index() -> None:
    """Of everything a person has ever ordered, only what is held is looked at."""
    # On a table of which PostgreSQL knows nothing, or what another test left in its memory, any index is as good.
    fill(make_shop().shop, 3000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE sales_order")
        for path in ("seqscan", "hashjoin", "mergejoin", "bitmapscan"):
            cursor.execute(f"SET LOCAL enable_{path} = off")
        cursor.execute(f"EXPLAIN (GENERIC_PLAN) {READ_UNPAID}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "order_held_of_person" in plan
    assert "Index Cond: ((shop_id = wanted.shop) AND (person_id = wanted.person))" in plan
