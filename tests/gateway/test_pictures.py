"""A show whose picture stops is interrupted, and on air again when it is back: viewers keep their seat."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from silkroom.config.processes.supervisor import Stack
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.broadcasts.tickets import Purpose
from silkroom.live.relay.client import MediaPublisherClient, SendingStopped
from tests.live.stage import Stage, ticket_for

from .camera import camera
from .conftest import OpenStudio, Page
from .studio import Studio
from .watcher import Watcher


def state_of(one: Watcher) -> str:
    assert one.state is not None
    return one.state["broadcast"]["state"]


@pytest.fixture
def studio_of_owner(show: Broadcast, open_studio: OpenStudio) -> Studio:
    return open_studio(show)


async def test_the_picture_goes_and_comes_back(
    stack: Stack, stage: Stage, show: Broadcast, page: Page, studio_of_owner: Studio
):
    """Sent through one gateway, then through the other; the leader decides, wherever it is. Then it is kept."""
    tickets = [await asyncio.to_thread(ticket_for, show, stage.owner, purpose=Purpose.INGEST) for _ in range(3)]
    async with await page(show).enter() as one:
        async with camera(stack.gateway_urls[0], tickets[0]) as sending:
            await one.until(lambda: state_of(one) == "on_air")
            # Longer than anybody's patience: a picture that arrives is never taken for one that does not.
            await sending.has_sent(4)
            assert state_of(one) == "on_air"
        await one.until(lambda: state_of(one) == "interrupted")
        async with camera(stack.gateway_urls[1], tickets[1]) as sending:
            await one.until(lambda: state_of(one) == "on_air")
            assert one.snapshots == 1
            await sending.has_sent(2)
            await studio_of_owner.press("end")
            await one.until(lambda: state_of(one) == "ended")
            with pytest.raises(SendingStopped):
                await sending.ended()
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with MediaPublisherClient(stack.gateway_urls[0], tickets[2]):
            pass
    assert refused.value.status == 403
    await kept(show)


async def kept(show: Broadcast) -> None:
    """The recording is finished in the background: both cameras, one file."""
    async with asyncio.timeout(60):
        while not show.recording:
            await asyncio.sleep(0.2)
            await show.arefresh_from_db()
    assert show.recording == f"recordings/{show.code}.mp4"
    assert show.recording_seconds >= 4
    assert len(show.recording_pieces) == 2
