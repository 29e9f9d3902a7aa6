"""The pipeline under the desk: many statements in one round trip, and in step again after an error."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from silkroom.sales.desk.pipe import Pipe

ADD = "SELECT $1::int + $2::int"
DIVIDE = "SELECT 1 / $1::int"
ECHO = "SELECT $1::text, length($1::text)"
MANY = "SELECT number, repeat('x', 1000) FROM generate_series(1, $1::int) AS number"
BEGIN, ROLLBACK, IS_IN = "BEGIN", "ROLLBACK", "SELECT pg_current_xact_id_if_assigned() IS NULL"
DIE = "SELECT pg_terminate_backend(pg_backend_pid())"


@pytest.fixture
def pipe(database_url: str) -> Iterator[Pipe]:
    made = Pipe(database_url, [ADD, DIVIDE, ECHO, MANY, BEGIN, ROLLBACK, IS_IN, DIE])
    yield made
    made.close()


def test_answers_come_in_the_order_of_the_calls(pipe: Pipe) -> None:
    assert pipe.run((ADD, ("1", "2")), (ECHO, ("丝",)), (ADD, ("3", "4"))) == [
        [(b"3",)],
        [("丝".encode(), b"1")],
        [(b"7",)],
    ]
    assert pipe.run((ECHO, (None,))) == [[(None, None)]]
    assert pipe.run() == []


def test_the_first_error_is_raised_and_the_rest_is_not_done(pipe: Pipe) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        pipe.run((BEGIN, ()), (DIVIDE, ("0",)), (ADD, ("1", "1")))
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        pipe.run((ADD, ("1", "1")))
    pipe.run((ROLLBACK, ()))
    assert pipe.run((ADD, ("1", "1"))) == [[(b"2",)]]


def test_large_parameters_and_large_answers_pass_each_other(pipe: Pipe) -> None:
    """More than the kernel's buffers both ways: who only sent would wait for ever."""
    text = "丝" * 1_000_000
    calls = [(MANY, ("3000",)), (ECHO, (text,))] * 4
    answers = pipe.run(*calls)
    assert [len(one) for one in answers] == [3000, 1] * 4
    assert answers[-1] == [(text.encode(), b"1000000")]


def test_a_lost_connection_is_an_operational_error(pipe: Pipe) -> None:
    with pytest.raises(psycopg.OperationalError):
        pipe.run((DIE, ()), (ADD, ("1", "2")))
    with pytest.raises(psycopg.OperationalError):
        pipe.run((ADD, ("1", "2")))


def test_it_can_be_left_for_ordinary_use_and_entered_again(pipe: Pipe) -> None:
    connection = pipe.leave()
    with connection.transaction():
        assert connection.execute("SELECT 5").fetchone() == (5,)
    pipe.enter()
    assert pipe.run((ADD, ("1", "2"))) == [[(b"3",)]]
