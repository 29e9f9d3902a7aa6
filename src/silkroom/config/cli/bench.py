"""``bench``: runs a measurement and shows it, as a table or as one JSON object on the last line."""

from __future__ import annotations

import json

from silkroom.config.cli import registry


def bench(*, name: str, as_json: bool, quick: bool) -> None:
    """Each module of silkroom.config.bench offers ``run(quick) -> dict`` and ``table(figures) -> str``."""
    module = registry.load(registry.BENCHES[name])
    figures = module.run(quick)
    print(module.table(figures), flush=True)
    if as_json:
        print(json.dumps(figures), flush=True)
