"""The till's page and what makes a browser keep it: the page knows nothing of a shop, the device brings that along."""

from __future__ import annotations

import json
from pathlib import Path

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET

SCRIPTS = Path(__file__).resolve().parent / "static" / "pos"


def shell_addresses() -> list[str]:
    """Everything the page is made of, so that a device keeps all of it. Modules name each other without a hash."""
    modules = sorted(
        str(path.relative_to(SCRIPTS.parent)) for path in SCRIPTS.rglob("*.js") if path.name != "worker.js"
    )
    named = ["design/tokens.css", "design/base.css", "design/components.css", "design/icons.svg", "design/favicon.svg",
             "pos/till.css", "pos/till.js", "pos/icon-192.png", "pos/icon-512.png"]  # fmt: skip
    plain = static("pos/till.css").rpartition("pos/")[0]
    return [
        reverse("pos:till"),
        reverse("pos:manifest"),
        reverse("words"),
        *(static(name) for name in named),
        *(plain + name for name in modules),
    ]


@require_GET
@never_cache
@ensure_csrf_cookie
def till(request: HttpRequest) -> HttpResponse:
    """The page, the same for every till."""
    return render(request, "pos/till.html", {"icons": static("design/icons.svg")})


@require_GET
@never_cache
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker, told what to keep."""
    return render(
        request,
        "pos/worker.js",
        {"addresses": json.dumps(shell_addresses())},
        content_type="text/javascript; charset=utf-8",
    )


@require_GET
def manifest(request: HttpRequest) -> JsonResponse:
    """How the till is installed on a tablet or a phone."""
    return JsonResponse(
        {
            "id": reverse("pos:till"),
            "name": gettext("silkroom till"),
            "short_name": gettext("Till"),
            "lang": get_language(),
            "start_url": reverse("pos:till"),
            "scope": reverse("pos:till"),
            "display": "standalone",
            "orientation": "any",
            "background_color": "#f4f6f6",
            "theme_color": "#f4f6f6",
            "icons": [
                {"src": static(f"pos/icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png", "purpose": use}
                for size in (192, 512)
                for use in ("any", "maskable")
            ],
        },
        content_type="application/manifest+json",
    )
