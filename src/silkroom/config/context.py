"""What every template may use."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from silkroom.live.broadcasts.addresses import gateway_url


def installation(request: HttpRequest) -> dict[str, Any]:
    """``sandbox_payments``: whether the sandbox is offered (pages then say that no real money moves)."""
    return {"sandbox_payments": settings.ENVIRONMENT.sandbox_payments, "gateway_url": gateway_url(request)}
