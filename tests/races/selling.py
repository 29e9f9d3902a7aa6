"""A process of its own that sells through a desk, to be killed by a test. Standard input: a JSON object; output: a line
``number key`` for every order as soon as its buyer was told."""

from __future__ import annotations

import json
import sys
import threading
from functools import partial
from importlib import import_module
from typing import Any
from uuid import UUID

import django


def main() -> None:
    """Submit all requests at once and say who got what."""
    django.setup()
    door: Any = import_module("silkroom.sales.desk.door")  # its tables need Django's settings
    told = json.loads(sys.stdin.readline())
    desk = door.Desk(told["conninfo"], most_in_batch=told["most_in_batch"])
    left = threading.Semaphore(0)

    def answer(key: str, result: Any) -> None:
        if isinstance(result, door.OrderReceipt):
            sys.stdout.write(f"{result.number} {key}\n")
            sys.stdout.flush()
        left.release()

    for person, key in told["buyers"]:
        line = door.OrderLineRequest(told["variant"], 1)
        desk.submit(door.OrderRequest(person, told["shop"], "web", UUID(key), (line,)), partial(answer, key))
    for _ in told["buyers"]:
        left.acquire()
    desk.close()


if __name__ == "__main__":
    main()
