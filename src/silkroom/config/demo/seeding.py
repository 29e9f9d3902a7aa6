"""The process that seeds: Django is set up first, only then can the departments be imported.

``python -m silkroom.config.demo.seeding --passwords FILE``; says one JSON line a step and ends with ``{"done":
{...}}``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import django
from django.utils.module_loading import import_string

from silkroom.config.demo.brand import STYLES
from silkroom.config.demo.passwords import read_passwords

SEED = "silkroom.config.demo.seed.seed"
"""By name, as it needs the tables' modules, which load only after Django's settings."""


def say(**line: Any) -> None:
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="silkroom.config.demo.seeding")
    parser.add_argument("--passwords", required=True, type=Path)
    parser.add_argument("--language", default="zh-hans")
    parser.add_argument("--styles", type=int, default=len(STYLES), help="only so many of the house's styles")
    options = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "silkroom.config.settings")
    django.setup()
    made = import_string(SEED)(
        read_passwords(options.passwords),
        lambda step: say(step=step),
        language=options.language,
        styles=STYLES[: options.styles],
    )
    say(done=made.as_json())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
