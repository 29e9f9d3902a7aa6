"""Many prepared statements in one round trip: libpq's pipeline, used directly.

psycopg's own pipeline costs a cursor, an adaptation and several generators for each statement: about 100 µs, a third of
a small batch's time. Here a statement costs its libpq call. Parameters and results are text.
"""

from __future__ import annotations

import select
from collections.abc import Sequence
from typing import Any, TypeAlias

import psycopg
from psycopg import errors, pq
from psycopg.pq import abc

Call: TypeAlias = tuple[str, Sequence[str | None]]
"""(SQL, parameters)."""

Row: TypeAlias = tuple[bytes | None, ...]

SILENT_MS = 30_000
"""PostgreSQL itself gives up on a statement much earlier; a line that is silent for so long is dead."""

_DONE = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)


class Pipe:
    """A connection with prepared statements. After an error it is in step again, and its transaction has failed."""

    def __init__(self, conninfo: str, statements: Sequence[str]) -> None:
        self.connection: psycopg.Connection[tuple[Any, ...]] = psycopg.connect(conninfo, autocommit=True)
        self._line = self.connection.pgconn
        self._names = {statement: f"s{number}".encode() for number, statement in enumerate(statements)}
        self._poll = select.poll()
        self._poll.register(self._line.socket, select.POLLIN)
        self._line.enter_pipeline_mode()
        for statement, name in self._names.items():
            self._line.send_prepare(name, statement.encode())
        self._round_trip()

    def close(self) -> None:
        self.connection.close()

    def run(self, *calls: Call) -> list[list[Row]]:
        """Send all, wait for all, return the rows of each. Raises the first error as psycopg's exception."""
        line = self._line
        for statement, parameters in calls:
            values = [None if one is None else one.encode() for one in parameters]
            line.send_query_prepared(self._names[statement], values)
        return [_rows(result) for result in self._round_trip()]

    def leave(self) -> psycopg.Connection[tuple[Any, ...]]:
        """The connection for ordinary use, in autocommit; `enter` makes it a pipe again."""
        self._line.exit_pipeline_mode()
        return self.connection

    def enter(self) -> None:
        """Back into the pipeline."""
        self._line.enter_pipeline_mode()

    def _round_trip(self) -> list[abc.PGresult]:
        line = self._line
        line.pipeline_sync()
        self._flush()
        results: list[abc.PGresult] = []
        failed: abc.PGresult | None = None
        while True:
            while line.is_busy():
                self._wait(select.POLLIN)
                line.consume_input()
            result = line.get_result()
            if result is None:
                if line.status == pq.ConnStatus.BAD:
                    raise psycopg.OperationalError("the connection is lost")
                continue
            status = result.status
            if status == pq.ExecStatus.PIPELINE_SYNC:
                break
            if status in _DONE:
                results.append(result)
            elif status == pq.ExecStatus.FATAL_ERROR and failed is None:
                failed = result
                if line.status == pq.ConnStatus.BAD:
                    break
        if failed is not None:
            raise errors.error_from_result(failed, encoding="utf-8")
        return results

    def _flush(self) -> None:
        """Send what libpq has buffered. While the line is full, take in answers: the server may wait for that."""
        while self._line.flush():
            if self._wait(select.POLLIN | select.POLLOUT) & select.POLLIN:
                self._line.consume_input()

    def _wait(self, events: int) -> int:
        self._poll.modify(self._line.socket, events)
        ready = self._poll.poll(SILENT_MS)
        if not ready:
            raise psycopg.OperationalError("the connection is silent")
        return ready[0][1]


def _rows(result: abc.PGresult) -> list[Row]:
    columns = range(result.nfields)
    return [tuple(result.get_value(row, column) for column in columns) for row in range(result.ntuples)]
