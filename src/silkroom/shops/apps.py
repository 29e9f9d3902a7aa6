"""Django app of the department."""

from django.apps import AppConfig


class ShopsConfig(AppConfig):
    name = "silkroom.shops"
    default_auto_field = "django.db.models.BigAutoField"
