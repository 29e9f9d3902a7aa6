"""Django app of the department."""

from django.apps import AppConfig


class SalesConfig(AppConfig):
    name = "silkroom.sales"
    default_auto_field = "django.db.models.BigAutoField"
