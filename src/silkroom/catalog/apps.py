"""Django app of the department."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "silkroom.catalog"
    default_auto_field = "django.db.models.BigAutoField"
