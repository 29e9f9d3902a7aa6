"""Django app of the department."""

from django.apps import AppConfig


class InventoryConfig(AppConfig):
    name = "silkroom.inventory"
    default_auto_field = "django.db.models.BigAutoField"
