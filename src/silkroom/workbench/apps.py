"""Django app of the department."""

from django.apps import AppConfig


class WorkbenchConfig(AppConfig):
    name = "silkroom.workbench"
    default_auto_field = "django.db.models.BigAutoField"
