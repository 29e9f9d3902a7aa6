"""Every address of the web process. Each department brings its own; this is the only place that joins them."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView
from django.views.i18n import JavaScriptCatalog

from silkroom.config.health import health
from silkroom.config.media import show_the_way

urlpatterns = [
    path("health", health, name="health"),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("i18n/words.js", JavaScriptCatalog.as_view(packages=None), name="words"),
    path("gateway/media/<path:name>", show_the_way, name="media"),
    path("design/", TemplateView.as_view(template_name="design/index.html"), name="design"),
    path("", include("silkroom.accounts.urls")),
    path("", include("silkroom.sales.urls")),
    path("", include("silkroom.live.urls")),
    path("pos/", include("silkroom.pos.urls")),
    path("workbench/", include("silkroom.workbench.urls")),
    path("", include("silkroom.storefront.urls")),
]
