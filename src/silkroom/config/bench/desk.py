"""``bench desk``: a flash sale of one hot garment through both doors, beside what the machine can do without us.

Real processes (PostgreSQL, NATS, gateway, web, jobs) on a fresh data folder; the buyers are this process. The limits
are measured in the same run. At the end a sale goes on while PostgreSQL (and in the long run a gateway) is killed with
SIGKILL; whoever was confirmed must be in the database.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import django
import psutil
import uvloop

from silkroom.config.bench import desk_buyers, desk_limits
from silkroom.config.bench.desk_buyers import Outcome
from silkroom.config.env import Environment
from silkroom.config.processes.supervisor import Stack

IN_FLIGHT = 64
MANY_IN_FLIGHT = 256


@dataclass(frozen=True)
class Plan:
    """How much is measured. Twice as many buyers ask as there are pieces."""

    rounds: int
    room_pieces: int
    http_pieces: int
    kill_pieces: int
    limit_seconds: float
    kills: tuple[str, ...]

    @property
    def people(self) -> int:
        """Those of one sale in the room."""
        return 2 * self.room_pieces // desk_buyers.ORDERS_A_PERSON


QUICK = Plan(1, 6000, 1500, 1500, 1.5, ("postgres",))
LONG = Plan(3, 10_000, 4000, 4000, 4.0, ("postgres", "gateway"))

PEOPLE_OF_LIMITS = 1000
"""They get many thousand orders, which the desk would count if they bought in a sale as well."""

MOST_UNPAID = 1000
"""Of one person. A buyer of the bench presses the button more often than a person may."""

PIECES_OF_LIMITS = 10**9
"""More than the limits can ever sell."""


def run(quick: bool) -> dict[str, Any]:
    """Measure. Raises OperationError."""
    plan = QUICK if quick else LONG
    folder = Path(tempfile.mkdtemp(prefix="silkroom-bench-"))
    folder.chmod(0o711)
    environment = replace(Environment(), hold_seconds=86400, most_unpaid_orders=MOST_UNPAID, sandbox_payments=True)
    try:
        with Stack(folder, environment=environment, any_ports=True, purpose="bench", durable_setup=False) as stack:
            _progress("starting all processes on a fresh database")
            stack.start_processes()
            return _Bench(stack, plan).run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Cpu:
    """Processor time of those who share the machine in a sale: the gateway, PostgreSQL, and the buyers (this process).

    Counts inside ``with cpu:`` only, so that the buyers' coming in is left out.
    """

    def __init__(self, stack: Stack) -> None:
        # PostgreSQL serves by child processes; the children of this one are silkroom.
        self._gateway = psutil.Process(stack.pid("gateway"))
        self._postgres = psutil.Process(stack.pid("postgres"))
        self._buyers = psutil.Process()
        self.seconds = dict.fromkeys(("gateway", "postgres", "buyers"), 0.0)

    def __enter__(self) -> None:
        self._before = self._look()

    def __exit__(self, *_error: object) -> None:
        for name, seconds in self._look().items():
            self.seconds[name] += seconds - self._before[name]

    def _look(self) -> dict[str, float]:
        return {
            "gateway": _cpu_seconds([self._gateway]),
            "postgres": _cpu_seconds([self._postgres, *self._postgres.children()]),
            "buyers": _cpu_seconds([self._buyers]),
        }


def _cpu_seconds(processes: list[psutil.Process]) -> float:
    total = 0.0
    for one in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            total += times.user + times.system
    return total


class _Bench:
    """One run on a started stack."""

    def __init__(self, stack: Stack, plan: Plan) -> None:
        self._stack = stack
        self._plan = plan
        os.environ.update(stack.variables())
        os.environ["DJANGO_SETTINGS_MODULE"] = "silkroom.config.settings"
        django.setup()
        # Loads tables' modules, and those need Django's settings, which name this stack's database.
        self._sale: Any = import_module("silkroom.config.bench.desk_sale")
        sales = plan.rounds * 3 + len(plan.kills)
        pieces = [*([plan.room_pieces] * 2 + [plan.http_pieces]) * plan.rounds, *[plan.kill_pieces] * len(plan.kills)]
        # Each sale has people of its own, or the rate that a person may order at would bound the next one.
        self._hall = self._sale.prepare(
            people=plan.people * (2 * plan.rounds + len(plan.kills)) + IN_FLIGHT * plan.rounds + PEOPLE_OF_LIMITS,
            garments=sales + 1,
            pieces=[*pieces, PIECES_OF_LIMITS],
        )
        self._limit_garment = self._sale.garment_of(
            self._hall, self._hall.variants[-1], self._hall.people[-PEOPLE_OF_LIMITS:]
        )
        self._cpu = Cpu(stack)
        self._requests_in_rooms = 4 * plan.room_pieces * plan.rounds
        self._next = 0
        self._next_person = 0
        self._confirmed: list[str] = []
        self._oversold = 0

    def run(self) -> dict[str, Any]:
        """Limits and sales in turns, so that a noisy minute spoils both alike."""
        rounds = [self._round(number) for number in range(self._plan.rounds)]
        figures: dict[str, Any] = {
            name: _middle([one[name] for one in rounds]) for name in rounds[0] if rounds[0][name] is not None
        }
        figures["cpu_us_per_request"] = {
            name: round(seconds / self._requests_in_rooms * 1e6) for name, seconds in self._cpu.seconds.items()
        }
        figures["kills"] = {}
        for name in self._plan.kills:
            figures["kills"][name] = self._kill(name)
        _progress("looking for every confirmed order in the database")
        figures["oversold"] = self._oversold
        figures["confirmed"] = len(self._confirmed)
        figures["confirmed_but_lost"] = self._sale.missing(self._confirmed)
        figures["ledger_differences"] = self._sale.ledger_differences()
        limit, single = figures["limit_group_commit_per_s"], figures.get("limit_single_order_per_s")
        figures["of_group_commit"] = round(figures["orders_per_s_websocket"] / limit, 2)
        figures["of_group_commit_256"] = round(
            figures["orders_per_s_websocket_256"] / figures["limit_group_commit_256_per_s"], 2
        )
        figures["times_single_order"] = round(figures["orders_per_s_websocket"] / single, 1) if single else None
        return figures

    def _round(self, number: int) -> dict[str, float | None]:
        plan = self._plan
        place = f"round {number + 1} of {plan.rounds}"
        _progress(f"{place}: limits")
        url, garment = self._stack.database_url, self._limit_garment
        limits = {
            size: desk_limits.group_commit_per_s(url, garment, batch=size, seconds=plan.limit_seconds)
            for size in (IN_FLIGHT, MANY_IN_FLIGHT)
        }
        single = desk_limits.single_orders_per_s(
            url, garment, clients=IN_FLIGHT, seconds=max(2, round(plan.limit_seconds))
        )
        _progress(f"{place}: room, twice {2 * plan.room_pieces} want {plan.room_pieces}")
        few, many = (self._sell_in_room(in_flight) for in_flight in (IN_FLIGHT, MANY_IN_FLIGHT))
        _progress(f"{place}: HTTP, {2 * plan.http_pieces} want {plan.http_pieces}")
        over_http = self._sell_over_http()
        return {
            "orders_per_s_websocket": round(few.orders_per_s),
            "orders_per_s_http": round(over_http.orders_per_s),
            "limit_group_commit_per_s": round(limits[IN_FLIGHT]),
            "limit_single_order_per_s": None if single is None else round(single),
            "p50_ms": _percentile(few, 50),
            "p99_ms": _percentile(few, 99),
            "orders_per_s_websocket_256": round(many.orders_per_s),
            "limit_group_commit_256_per_s": round(limits[MANY_IN_FLIGHT]),
            "p50_ms_256": _percentile(many, 50),
            "p99_ms_256": _percentile(many, 99),
            "http_p50_ms": _percentile(over_http, 50),
            "http_p99_ms": _percentile(over_http, 99),
        }

    def _sell_in_room(self, in_flight: int) -> Outcome:
        variant = self._take_garment()
        sale = desk_buyers.sell_in_room(
            self._stack.gateway_urls[0],
            self._take_tickets(self._plan.people),
            variant=variant.pk,
            in_flight=in_flight,
            requests=2 * self._plan.room_pieces,
            counting=self._cpu,
        )
        return self._account(uvloop.run(sale), variant, self._plan.room_pieces)

    def _sell_over_http(self) -> Outcome:
        variant = self._take_garment()
        sale = desk_buyers.sell_over_http(
            self._stack.web_url,
            self._take_tickets(IN_FLIGHT),
            variant=variant.pk,
            in_flight=IN_FLIGHT,
            requests=2 * self._plan.http_pieces,
        )
        return self._account(uvloop.run(sale), variant, self._plan.http_pieces)

    def _kill(self, name: str) -> dict[str, Any]:
        """A sale in the middle of which a process is killed and started again."""
        _progress(f"a sale goes on while {name} is killed with SIGKILL")
        variant = self._take_garment()
        outage: dict[str, float] = {}

        def kill_and_restart() -> None:
            began = time.monotonic()
            self._stack.kill(name)
            self._stack.restart(name)
            outage["seconds"] = time.monotonic() - began

        killer = threading.Thread(target=kill_and_restart, name=f"killer of {name}")

        def on_confirmed(count: int) -> None:
            if count == self._plan.kill_pieces // 3:
                killer.start()

        outcome = uvloop.run(
            desk_buyers.sell_through_restarts(
                self._stack.gateway_urls[0],
                self._take_tickets(self._plan.people),
                variant=variant.pk,
                in_flight=IN_FLIGHT,
                requests=2 * self._plan.kill_pieces,
                on_confirmed=on_confirmed,
            )
        )
        killer.join()
        self._sale.forget_connections()
        self._account(outcome, variant, self._plan.kill_pieces)
        return {
            "confirmed": len(outcome.numbers),
            "pieces": self._plan.kill_pieces,
            "sent_again": outcome.resent,
            "away_seconds": round(outage["seconds"], 1),
        }

    def _take_garment(self) -> Any:
        variant = self._hall.variants[self._next]
        self._next += 1
        return variant

    def _take_tickets(self, count: int) -> list[str]:
        """Fresh tickets of people who have not bought yet."""
        people = self._hall.people[self._next_person : self._next_person + count]
        self._next_person += count
        tickets: list[str] = self._sale.tickets_of(self._hall, people)
        return tickets

    def _account(self, outcome: Outcome, variant: Any, pieces: int) -> Outcome:
        self._confirmed.extend(outcome.numbers)
        beyond = max(0, len(outcome.numbers) - pieces)
        self._oversold += max(beyond, self._sale.oversold(variant, pieces))
        return outcome


def _middle(values: list[Any]) -> Any:
    middle = statistics.median(values)
    return round(middle, 1) if isinstance(middle, float) else middle


def _percentile(outcome: Outcome, percent: int) -> float:
    return round(statistics.quantiles(outcome.delays, n=100)[percent - 1] * 1000, 1)


ROWS = (
    ("orders/s through the WebSocket door", "orders_per_s_websocket", "orders_per_s_websocket_256", "{:,.0f}"),
    ("orders/s through HTTP", "orders_per_s_http", None, "{:,.0f}"),
    ("limit: group commit of the same rows", "limit_group_commit_per_s", "limit_group_commit_256_per_s", "{:,.0f}"),
    ("limit: single-order transactions (pgbench)", "limit_single_order_per_s", None, "{:,.0f}"),
    ("WebSocket door of group commit", "of_group_commit", "of_group_commit_256", "{:.0%}"),
    ("WebSocket door, times single orders", "times_single_order", None, "{:.1f}"),
    ("p50, ms", "p50_ms", "p50_ms_256", "{:.1f}"),
    ("p99, ms", "p99_ms", "p99_ms_256", "{:.1f}"),
    ("HTTP p50, ms", "http_p50_ms", None, "{:.1f}"),
    ("HTTP p99, ms", "http_p99_ms", None, "{:.1f}"),
)


def table(figures: dict[str, Any]) -> str:
    """The figures for a person."""
    lines = [f"{'One hot garment, twice as many buyers as pieces':<48}{'64 in flight':>14}{'256 in flight':>16}"]
    for label, few, many, form in ROWS:
        first = form.format(figures[few]) if figures.get(few) is not None else "-"
        second = form.format(figures[many]) if many is not None else ""
        lines.append(f"{label:<48}{first:>14}{second:>16}")
    lines.append(f"sold beyond stock: {figures['oversold']}   ledger differences: {figures['ledger_differences']}")
    lines.append(f"confirmed orders: {figures['confirmed']:,}, of them lost: {figures['confirmed_but_lost']}")
    spent = ", ".join(f"{name} {value}" for name, value in figures["cpu_us_per_request"].items())
    lines.append(f"processor time of a request in the room, microseconds: {spent}")
    for name, told in figures["kills"].items():
        lines.append(
            f"kill -9 of {name} in the middle of a sale: away {told['away_seconds']} s, "
            f"{told['confirmed']} of {told['pieces']} pieces sold, {told['sent_again']} requests sent again"
        )
    return "\n".join(lines)


def _progress(text: str) -> None:
    sys.stderr.write(f"bench desk: {text}\n")
