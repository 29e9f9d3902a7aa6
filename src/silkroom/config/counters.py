"""The cache whose counters count: Django's database cache reads, adds and writes back, so that two at once are one."""

from __future__ import annotations

import base64
import pickle
from typing import Any

from django.core.cache.backends.db import DatabaseCache
from django.db import connections, router, transaction


class CountingCache(DatabaseCache):
    """`incr` holds the counter's row from reading to writing, and leaves the time alone at which it ends.

    (django-allauth keeps lists of times under a lock of its own, made by `add`, which is atomic already.)
    """

    _table: str

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """The counter after this. Raises ValueError when there is none, or it has run out."""
        row = self.make_and_validate_key(key, version=version)
        database = router.db_for_write(self.cache_model_class)
        connection = connections[database]
        table = connection.ops.quote_name(self._table)
        with transaction.atomic(using=database), connection.cursor() as cursor:
            cursor.execute(
                f"SELECT value FROM {table} WHERE cache_key = %s AND expires > now() FOR UPDATE",  # noqa: S608
                [row],
            )
            found = cursor.fetchone()
            if found is None:
                raise ValueError(f"there is no counter {key!r}")
            count: int = _read(found[0]) + delta
            cursor.execute(f"UPDATE {table} SET value = %s WHERE cache_key = %s", [_written(count), row])  # noqa: S608
        return count


def _read(value: str) -> Any:
    return pickle.loads(base64.b64decode(value))  # noqa: S301 - this class alone writes here


def _written(value: Any) -> str:
    return base64.b64encode(pickle.dumps(value, pickle.HIGHEST_PROTOCOL)).decode("ascii")
