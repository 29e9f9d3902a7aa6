"""Addresses of live. live/README.md lists what they take and give."""

from __future__ import annotations

from django.urls import path

from silkroom.live import views
from silkroom.live.deals import views as deals
from silkroom.live.moderation import views as moderation
from silkroom.live.questions import views as questions
from silkroom.live.room import views as room

app_name = "live"

STUDIO = "live/<slug:code>/studio/"

urlpatterns = [
    path("live/<slug:code>/", views.room_page, name="room"),
    path("live/<slug:code>/ticket", views.fresh_tickets, name="ticket"),
    path("live/<slug:code>/name", views.choose_name, name="name"),
    path(STUDIO, views.studio_page, name="studio"),
    path(f"{STUDIO}spotlight", room.spotlight, name="studio-spotlight"),
    path(f"{STUDIO}title", room.title, name="studio-title"),
    path(f"{STUDIO}order", room.running_order, name="studio-order"),
    path(f"{STUDIO}cover", room.cover, name="studio-cover"),
    path(f"{STUDIO}rehearse", room.rehearse, name="studio-rehearse"),
    path(f"{STUDIO}go-live", room.go_live, name="studio-go-live"),
    path(f"{STUDIO}end", views.end, name="studio-end"),
    path(f"{STUDIO}deal", deals.launch, name="studio-deal"),
    path(f"{STUDIO}deal/withdraw", deals.withdraw, name="studio-deal-withdraw"),
    path(f"{STUDIO}prepared", deals.prepare, name="studio-prepared"),
    path(f"{STUDIO}prepared/remove", deals.remove, name="studio-prepared-remove"),
    path(f"{STUDIO}answered", questions.answered, name="studio-answered"),
    path(f"{STUDIO}pin", moderation.pin, name="studio-pin"),
    path(f"{STUDIO}unpin", moderation.unpin, name="studio-unpin"),
    path(f"{STUDIO}hide", moderation.hide, name="studio-hide"),
    path(f"{STUDIO}unhide", moderation.unhide, name="studio-unhide"),
    path(f"{STUDIO}mute", moderation.mute, name="studio-mute"),
    path(f"{STUDIO}unmute", moderation.unmute, name="studio-unmute"),
]
