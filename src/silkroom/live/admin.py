"""Admin pages of shows. A room's log is its truth: nothing here is edited; the studio and the shop's pages do that."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from silkroom.journal.admin import LookOnlyAdmin, LookOnlyInline

from .models import Broadcast, Deal, Mute, PreparedDeal, Question, RoomCheckpoint, RoomEvent, RunningOrderItem

EVENTS_SHOWN = 50


class RunningOrderInline(LookOnlyInline):
    """What is shown, in order."""

    model = RunningOrderItem
    fields = ("position", "style")


@admin.register(Broadcast)
class BroadcastAdmin(LookOnlyAdmin):
    """Shows, with the end of their room's log."""

    list_display = ("title", "shop", "host", "state", "planned_at", "started_at", "ended_at", "last_sequence")
    list_filter = ("state", "started_at")
    search_fields = ("title", "code", "shop__name", "host__name")
    list_select_related = ("shop", "host")
    ordering = ("-id",)
    readonly_fields = ("room_log",)
    inlines = (RunningOrderInline,)

    @admin.display(description="end of the room's log")
    def room_log(self, broadcast: Broadcast) -> SafeString:
        """The last events; the table itself has a composite key, which the admin cannot list."""
        events = RoomEvent.objects.filter(broadcast=broadcast).order_by("-sequence")[:EVENTS_SHOWN]
        rows = format_html_join(
            "", "<li>{} · {} · {} · {}</li>", ((one.sequence, one.at, one.kind, str(one.data)[:200]) for one in events)
        )
        return format_html("<ol>{}</ol>", rows)


@admin.register(Question)
class QuestionAdmin(LookOnlyAdmin):
    """What viewers asked."""

    list_display = ("text", "name", "broadcast", "asked_at", "delay_ms", "answered_at", "answered_by")
    list_filter = ("answered_at",)
    search_fields = ("text", "name", "broadcast__title")
    list_select_related = ("broadcast", "answered_by")
    ordering = ("-id",)


@admin.register(Deal)
class DealAdmin(LookOnlyAdmin):
    """Offers on air."""

    list_display = ("offer", "broadcast", "launched_by", "launched_at", "withdrawn_at")
    search_fields = ("broadcast__title", "broadcast__code")
    list_select_related = ("offer", "broadcast", "launched_by")
    ordering = ("-id",)


@admin.register(PreparedDeal)
class PreparedDealAdmin(LookOnlyAdmin):
    """Deals made ready."""

    list_display = ("style", "broadcast", "price_minor", "piece_cap", "person_limit", "seconds")
    search_fields = ("broadcast__title", "style__name")
    list_select_related = ("style", "broadcast")


@admin.register(Mute)
class MuteAdmin(LookOnlyAdmin):
    """Who may not write, and who said so."""

    list_display = ("person", "broadcast", "muted_by", "muted_at", "lifted_at")
    search_fields = ("person__name", "broadcast__title")
    list_select_related = ("person", "broadcast", "muted_by")
    ordering = ("-id",)


@admin.register(RoomCheckpoint)
class RoomCheckpointAdmin(LookOnlyAdmin):
    """Where folding a room's log may begin."""

    list_display = ("broadcast", "sequence", "at")
    list_select_related = ("broadcast",)
