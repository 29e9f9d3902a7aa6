"""Which providers this installation offers. A further one is added here and nowhere else."""

from __future__ import annotations

from django.conf import settings

from .errors import PaymentNotSetUp, ProviderUnknown
from .provider import Provider
from .sandbox import SandboxProvider


def offered_providers() -> list[Provider]:
    """What a buyer may choose from, the usual one first."""
    return [SandboxProvider()] if settings.ENVIRONMENT.sandbox_payments else []


def get_provider(name: str) -> Provider:
    """Raises ProviderUnknown."""
    for provider in offered_providers():
        if provider.name == name:
            return provider
    raise ProviderUnknown(provider=name)


def usual_provider() -> Provider:
    """The one that is used when the buyer chooses none. Raises PaymentNotSetUp when none is offered."""
    providers = offered_providers()
    if not providers:
        raise PaymentNotSetUp
    return providers[0]
