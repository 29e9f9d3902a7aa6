"""``bench room`` measures what it says, on a small room; how fast is no matter here."""

from __future__ import annotations

from silkroom.config.bench import room
from silkroom.config.bench.room_server import FRAME, make_event
from silkroom.live.fanout.door import event_frames


def test_a_small_measurement_has_every_figure() -> None:
    figures = room._measure(40, trials=1, deliveries=800, paced=3, per_second=50)
    assert set(figures) == {
        "watchers",
        "deliveries_per_s",
        "limit_deliveries_per_s",
        "ratio",
        "limit_kind",
        "p50_ms",
        "p99_ms",
        "kib_per_watcher",
        "cpu_us_per_delivery",
        "limit_cpu_us_per_delivery",
        "cpu_ratio",
    }
    assert figures["watchers"] == 40
    assert figures["deliveries_per_s"] > 0 and figures["limit_deliveries_per_s"] > 0
    assert 0 < figures["p50_ms"] <= figures["p99_ms"]
    text = room.table({**figures, "message_bytes": 200, "runs": {"40": figures}})
    assert "40 watchers" in text and figures["limit_kind"] in text


def test_every_message_has_the_same_length_whatever_its_number() -> None:
    lengths = {
        len(event_frames([make_event(number, stamp).encoded()], 200))
        for number in (1, 99, 123_456)
        for stamp in (0, 9_999_999_999_999_999_999)
    }
    assert lengths == {204} == {len(FRAME)}
