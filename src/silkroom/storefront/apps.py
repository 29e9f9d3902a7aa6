"""Django app of the department."""

from django.apps import AppConfig


class StorefrontConfig(AppConfig):
    name = "silkroom.storefront"
    default_auto_field = "django.db.models.BigAutoField"
