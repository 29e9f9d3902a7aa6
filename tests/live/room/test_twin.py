"""The page's reducer (static/live/state.js) and `rules.py` fold every log to the same state, event by event."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import sync_playwright

import silkroom.live
from silkroom.config.processes.browser import CHROMIUM_FLAGS, find_chromium
from silkroom.live.room.rules import RoomFact, State, apply_event, empty_state

from .logs import facts

MODULE = Path(silkroom.live.__path__[0]) / "static" / "live" / "state.js"

Fold = Callable[[list[list[dict[str, Any]]]], list[list[State]]]

FOLD = """
async (logs) => {
  const { applyEvent, emptyState } = await import("data:text/javascript;base64,%s");
  return logs.map((log) => {
    let state = emptyState();
    return log.map((event) => (state = applyEvent(state, event)));
  });
}
"""


def source() -> str:
    return FOLD % base64.b64encode(MODULE.read_bytes()).decode()


def fold_in_node(logs: list[list[dict[str, Any]]]) -> list[list[State]]:
    script = (
        f"const fold = {source()}; let text = ''; process.stdin.on('data', (part) => (text += part));"
        "process.stdin.on('end', async () => process.stdout.write(JSON.stringify(await fold(JSON.parse(text)))));"
    )
    done = subprocess.run(["node", "-e", script], input=json.dumps(logs).encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    states: list[list[State]] = json.loads(done.stdout)
    return states


@pytest.fixture(scope="module")
def fold_in_page() -> Iterator[Fold]:
    """The same engine as in a buyer's browser, or node where it is installed: it starts quicker."""
    if shutil.which("node"):
        yield fold_in_node
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(find_chromium()), args=list(CHROMIUM_FLAGS))
        page = browser.new_page()
        yield lambda logs: page.evaluate(source(), logs)
        browser.close()


def as_wire(fact: RoomFact) -> dict[str, Any]:
    return {"n": fact.sequence, "k": fact.kind, "at": fact.at_ms, "d": fact.data}


def fold_here(log: list[RoomFact]) -> list[State]:
    states, state = [], empty_state()
    for fact in log:
        state = apply_event(state, fact)
        states.append(state)
    return states


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(logs=st.lists(facts(), min_size=25, max_size=25))
def test_both_reducers_agree(fold_in_page: Fold, logs: list[list[RoomFact]]):
    there = fold_in_page([[as_wire(fact) for fact in log] for log in logs])
    here = [fold_here(log) for log in logs]
    assert there == here


def test_both_know_the_same_limits(fold_in_page: Fold):
    """Long logs, which the random ones are not: the last comments, questions and muted people."""
    said = {"name": "a", "text": "b", "person": "K7AAAAAAAA"}
    kinds = [("comment", said), ("question", {**said, "delay_ms": None, "style": None})]
    log = [RoomFact(n, kinds[n % 2][0], 1000 + n, kinds[n % 2][1]) for n in range(1, 520)]
    back = {"n": 519, "comment": {"n": 519, "at": 7, **said, "question": False}, "question": None}
    log += [RoomFact(520, "hidden", 1520, {"n": 519}), RoomFact(521, "unhidden", 1521, back)]
    log += [RoomFact(n, "muted", 1000 + n, {"person": f"P{n}"}) for n in range(522, 1100)]
    log.append(RoomFact(1100, "fireworks", 5, {}))
    assert fold_in_page([[as_wire(fact) for fact in log]])[0][-1] == fold_here(log)[-1]
