"""What every template may use."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def installation(request: HttpRequest) -> dict[str, Any]:
    """``sandbox_payments``: whether the sandbox is offered (pages then say that no real money moves)."""
    return {"sandbox_payments": settings.ENVIRONMENT.sandbox_payments, "gateway_url": gateway_url(request)}


def gateway_url(request: HttpRequest) -> str:
    """The gateway's address as this browser reaches it, without a slash at the end."""
    environment = settings.ENVIRONMENT
    if environment.gateway_url:
        return str(environment.gateway_url).rstrip("/")
    host = request.get_host()
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    return f"{request.scheme}://{name}:{environment.gateway_port}"
