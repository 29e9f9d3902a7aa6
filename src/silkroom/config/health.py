"""Health of the web process, for load balancers and `doctor`."""

from __future__ import annotations

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from silkroom.config.processes.health import PASS, Identity


@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """200 when this process answers and reaches the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    reply = Identity("web", settings.ENVIRONMENT.instance).reply(request.headers.get(PASS), is_well=True, state="well")
    return HttpResponse(reply.body, status=reply.status, content_type=reply.content_type)
