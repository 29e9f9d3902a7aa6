"""The herald: what the journal says of pieces, offers and styles becomes events of the rooms that show them.

One gateway at a time is the herald; a PostgreSQL advisory lock on a connection of its own says which. It reads the
journal behind its position, and for every open show of a shop that the entries name it compares the room with the
ledger under the room's lock and appends what differs, as absolute numbers. Events and position are one transaction:
kill it anywhere, and its successor goes on from there; reading an entry twice finds nothing to say.

It is woken by `TICK` on NATS, and looks by itself twice a second. A thread, since it does nothing but wait for
PostgreSQL.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import psycopg
import structlog
from psycopg import conninfo as conninfo_of

from silkroom.journal.queries import Fact, entries_after, reader_position
from silkroom.journal.services import move_reader
from silkroom.live.fanout.door import Event
from silkroom.live.room.queries import load_state, manned_shows, open_shows
from silkroom.live.room.services import LedgerKeeper, tell_ledger

TICK = "silkroom.journal.tick"
"""Subject: something was committed that a room may have to hear of. The message is empty."""

READER = "herald"
LEADER_LOCK = 7_453_002
"""Advisory lock of the one herald."""

LOOK_SECONDS = 0.5
"""Without a tick."""

GATHER_SECONDS = 0.025
"""Between two looks when ticks come thick: at most 40 a second, and a number waits so long at most."""

CHECK_SECONDS = 15.0
"""Between two comparisons of all open rooms with the ledger, whatever the journal says: it costs a few milliseconds and
heals what somebody changed by hand."""

CANDIDATE_SECONDS = 1.0
"""Between two attempts to become the herald, and after the database was lost."""

MOST_ROOMS_KEPT = 500

ABOUT_STYLES = ("style.", "shop.")
"""Kinds of entries after which a tray may look different. Pieces have moved where an entry names ``items``."""

Connection = psycopg.Connection[tuple[Any, ...]]
Cursor = psycopg.Cursor[tuple[Any, ...]]
Told = tuple[int, list[Event]]
"""A broadcast and its new events."""

Committed = Callable[[int, Sequence[Event]], None]
"""Called with the broadcast and its new events after their commit, from the herald's thread."""

SESSION = "-c statement_timeout=30s -c lock_timeout=5s -c idle_in_transaction_session_timeout=60s"

log = structlog.get_logger("silkroom.herald")


class Herald:
    """Runs in a thread of a gateway; does nothing while another one leads."""

    def __init__(self, conninfo: str, committed: Committed) -> None:
        self._conninfo = conninfo_of.make_conninfo(
            conninfo,
            application_name="silkroom herald",
            connect_timeout=5,
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=3,
            options=SESSION,
        )
        self._committed = committed
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._keepers: dict[int, LedgerKeeper] = {}
        self._checked_at = float("-inf")
        self.is_leader = False
        self.told = 0
        """Events appended since the start."""
        self._thread = threading.Thread(target=self._run, name="herald", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self, _message: bytes = b"") -> None:
        """Something was committed: look now. From any thread."""
        self._wake.set()

    def stop(self, timeout: float = 5.0) -> None:
        """Finish the transaction under way and let another one lead."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._live()
            except psycopg.Error as error:
                log.warning("the herald lost the database", reason=str(error).strip())
            except Exception:
                # The outermost loop of this thread: a bug must not leave all rooms without news for ever.
                log.exception("the herald stumbled")
            self.is_leader = False
            self._keepers.clear()
            self._stopping.wait(CANDIDATE_SECONDS)

    def _live(self) -> None:
        """One life: a connection, candidacy, leadership. Returns when told to stop, raises when the connection ends."""
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            while not self._stopping.is_set() and not _take_lead(connection):
                self._stopping.wait(CANDIDATE_SECONDS)
            if self._stopping.is_set():
                return
            self.is_leader = True
            self._checked_at = float("-inf")
            log.info("leads")
            while not self._stopping.is_set():
                self._wake.clear()
                began_at = time.monotonic()
                if not self._look(connection):
                    self._wake.wait(LOOK_SECONDS)
                self._stopping.wait(max(0.0, began_at + GATHER_SECONDS - time.monotonic()))

    def _look(self, connection: Connection) -> bool:
        """Carry what is new to the rooms. True: there may be more at once."""
        if time.monotonic() - self._checked_at >= CHECK_SECONDS:
            self._checked_at = time.monotonic()
            self._tell_all(connection)
        with connection.transaction(), connection.cursor() as cursor:
            facts = entries_after(cursor, reader_position(cursor, READER), decode=msgspec.json.decode)
            if not facts:
                return False
            items, shops_with_styles = _named_by(facts)
            told = self._tell_touched(cursor, items) if items else []
            told += self._tell_styles(cursor, shops_with_styles) if shops_with_styles else []
            move_reader(cursor, READER, facts[-1].position)
        self._publish(told)
        return True

    def _tell_touched(self, cursor: Cursor, items_by_shop: Mapping[int, set[int]]) -> list[Told]:
        items = set().union(*items_by_shop.values())
        told = []
        for show, last in open_shows(cursor, items_by_shop).items():
            keeper = self._keeper(cursor, show)
            # Level with the log and without these items: nothing to say, and no lock that would hold up the room.
            if keeper.sequence != last or keeper.may_show(items):
                told.append((show, tell_ledger(cursor, show, keeper, items=items)))
        return told

    def _tell_styles(self, cursor: Cursor, shops: Iterable[int]) -> list[Told]:
        return [
            (show, tell_ledger(cursor, show, self._keeper(cursor, show), with_tray=True))
            for show in open_shows(cursor, shops)
        ]

    def _tell_all(self, connection: Connection) -> None:
        """Now and then everything is compared, in case no fact has named it. Each show in its own transaction, so that
        a room is held up by no other's comparison. Shows that only wait get theirs when they go on air."""
        with connection.cursor() as cursor:
            shows = manned_shows(cursor)
        self._keepers = {show: keeper for show, keeper in self._keepers.items() if show in shows}
        for show in shows:
            with connection.transaction(), connection.cursor() as cursor:
                events = tell_ledger(cursor, show, self._keeper(cursor, show), with_tray=True)
            self._publish([(show, events)])

    def _keeper(self, cursor: Cursor, show: int) -> LedgerKeeper:
        keeper = self._keepers.get(show)
        if keeper is None:
            if len(self._keepers) >= MOST_ROOMS_KEPT:
                self._keepers.pop(next(iter(self._keepers)))
            loaded = load_state(cursor, show)
            keeper = self._keepers[show] = LedgerKeeper(loaded.sequence, loaded.state)
        return keeper

    def _publish(self, told: Sequence[Told]) -> None:
        for show, events in told:
            if events:
                self.told += len(events)
                self._committed(show, events)


def _take_lead(connection: Connection) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", [LEADER_LOCK]).fetchone()
    return bool(row and row[0])


def _named_by(facts: Sequence[Fact]) -> tuple[dict[int, set[int]], set[int]]:
    """Items whose pieces have moved, by shop, and shops whose styles have changed."""
    items: dict[int, set[int]] = {}
    shops: set[int] = set()
    for fact in facts:
        if fact.shop_id is None:
            continue
        if fact.kind.startswith(ABOUT_STYLES):
            shops.add(fact.shop_id)
        elif moved := fact.data.get("items"):
            items.setdefault(fact.shop_id, set()).update(moved)
    return items, shops
