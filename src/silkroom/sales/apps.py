"""Django app of the department."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SalesConfig(AppConfig):
    name = "silkroom.sales"
    verbose_name = _("Sales")
    default_auto_field = "django.db.models.BigAutoField"
