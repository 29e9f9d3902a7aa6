"""The process of the demo's people: the host, and the crowd if one is wanted.

``python -m silkroom.config.demo.people``; ends by itself when the show has ended, and with SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

import uvloop

from silkroom.config.demo.crowd import VIEWERS, Crowd
from silkroom.config.demo.host import Host
from silkroom.config.demo.passwords import read_passwords
from silkroom.config.demo.visitor import DoorRefused, Visitor

NICE = 8


async def live_an_evening(*, web_url: str, code: str, login: str, password: str, language: str, viewers: int) -> None:
    """Host and crowd until the show ends."""
    async with Visitor(web_url, language) as visitor:
        await visitor.sign_in(login, password)
        host = Host(visitor, code, tell)
        crowd = Crowd(web_url, code, tell, viewers=viewers)
        await asyncio.gather(host.run(), *([crowd.run()] if viewers else []))


def tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="silkroom.config.demo.people")
    parser.add_argument("--web", required=True, help="address of the pages")
    parser.add_argument("--show", required=True, help="code of the show")
    parser.add_argument("--login", required=True)
    parser.add_argument("--passwords", required=True, type=Path, help="the demo's file of passwords")
    parser.add_argument("--viewers", type=int, default=VIEWERS, help="0: the host alone")
    parser.add_argument("--language", default="zh-hans")
    options = parser.parse_args(arguments)
    with contextlib.suppress(OSError):
        os.nice(NICE)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        uvloop.run(
            live_an_evening(
                web_url=options.web,
                code=options.show,
                login=options.login,
                password=read_passwords(options.passwords)[options.login],
                language=options.language,
                viewers=max(0, min(options.viewers, VIEWERS)),
            )
        )
    except KeyboardInterrupt:
        return 0
    except DoorRefused as refusal:
        tell(str(refusal))
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
