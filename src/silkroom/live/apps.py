"""Django app of the department."""

from django.apps import AppConfig


class LiveConfig(AppConfig):
    name = "silkroom.live"
    default_auto_field = "django.db.models.BigAutoField"
