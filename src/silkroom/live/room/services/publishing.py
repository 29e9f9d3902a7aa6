"""Appending from the web process: events belong to Django's transaction and go to the gateways after its commit."""

from __future__ import annotations

from functools import cache, partial

from django.conf import settings
from django.db import connection, transaction

from silkroom.live.fanout.door import CommittedPublisher

from .events import Draft, append_events


@cache
def publisher() -> CommittedPublisher:
    """The process's way to NATS. It never blocks and never fails a request; what it loses, gateways find by number."""
    return CommittedPublisher(settings.ENVIRONMENT.nats_url)


def tell_room(broadcast_id: int, *drafts: Draft) -> int:
    """Append events in the running transaction and publish them when it has committed. Returns the last number."""
    with connection.cursor() as cursor:
        events = append_events(cursor, broadcast_id, drafts)
    transaction.on_commit(partial(publisher().publish_committed, broadcast_id, events))
    return events[-1].sequence
