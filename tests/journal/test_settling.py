"""A journal brought over from another PostgreSQL: every reader goes on exactly where it was, and sees what is new."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.db.transaction import atomic

from silkroom.journal.models import Entry, Reader
from silkroom.journal.queries import Position, entries_after
from silkroom.journal.services import append_entry, settle_on_this_server

FAR = 9_000_000_000


def bring_over(*positions: tuple[int, int]) -> None:
    """Entries as a dump from another server brings them: (transaction there, id)."""
    for transaction, number in positions:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO journal_entry (id, transaction, kind, data) VALUES (%s, %s, %s, '{}')",
                [number, transaction, f"old.{number}"],
            )


def unread(name: str) -> list[str]:
    reader = Reader.objects.get(name=name)
    with connection.cursor() as cursor:
        facts = entries_after(cursor, Position(reader.transaction, reader.entry), decode=json.loads)
    return [fact.kind for fact in facts]


@pytest.mark.django_db(transaction=True)
def test_readers_go_on_where_they_were_although_numbers_crossed() -> None:
    # 11 and 12 crossed: the transaction that came first took the larger id.
    bring_over((FAR, 10), (FAR + 1, 12), (FAR + 2, 11), (FAR + 3, 13))
    Reader.objects.create(name="fresh")
    Reader.objects.create(name="middle", transaction=FAR + 1, entry=12)
    Reader.objects.create(name="end", transaction=FAR + 9, entry=2**62)
    with atomic(), connection.cursor() as cursor:
        assert settle_on_this_server(cursor=cursor) is True
    append_entry(kind="new.one", data={})
    assert unread("fresh") == ["old.10", "old.12", "old.11", "old.13", "new.one"]
    assert unread("middle") == ["old.11", "old.13", "new.one"]
    assert unread("end") == ["new.one"]


@pytest.mark.django_db(transaction=True)
def test_a_journal_of_this_server_is_left_alone() -> None:
    append_entry(kind="a.b", data={})
    before = list(Entry.objects.values())
    with atomic(), connection.cursor() as cursor:
        assert settle_on_this_server(cursor=cursor) is False
    assert list(Entry.objects.values()) == before


@pytest.mark.django_db(transaction=True)
def test_entries_stay_append_only_afterwards() -> None:
    bring_over((FAR, 10))
    with atomic(), connection.cursor() as cursor:
        settle_on_this_server(cursor=cursor)
    with pytest.raises(Exception, match="append-only"):
        Entry.objects.update(kind="forged")
