"""Viewers over WebSockets."""

from __future__ import annotations

from silkroom.live.relay.core.chunks import Kind
from tests.live.relay.gateway import Gateway, send
from tests.live.relay.video import clip


async def test_a_late_viewer_starts_with_the_group_of_pictures_on_air(gateway: Gateway) -> None:
    video = clip(seconds=1.5)
    async with gateway.sender() as sender:
        await sender.send_config(video.config)
        await send(sender, video.chunks, speed=0)
        async with gateway.watching() as viewer:
            last = video.pictures[-1]
            await viewer.until(lambda seen: any(one.payload == last.payload for one in seen.chunks))
    assert viewer.states() == ["on_air"]
    assert viewer.configs()[0]["video"]["codec"] == video.config.video.codec
    assert viewer.chunks[0].kind is Kind.VIDEO_KEY
    pictures = [chunk.payload for chunk in viewer.chunks if chunk.is_video]
    assert pictures == [chunk.payload for chunk in video.pictures[30:]]
