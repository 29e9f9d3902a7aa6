"""Where rooms and video are, as a browser reaches them."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def gateway_url(request: HttpRequest) -> str:
    """The gateway's address for this browser, without a slash at the end."""
    environment = settings.ENVIRONMENT
    if environment.gateway_url:
        return str(environment.gateway_url).rstrip("/")
    host = request.get_host()
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    return f"{request.scheme}://{name}:{environment.gateway_port}"
