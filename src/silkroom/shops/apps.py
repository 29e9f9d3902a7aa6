"""Django app of the department."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ShopsConfig(AppConfig):
    name = "silkroom.shops"
    verbose_name = _("Shops")
    default_auto_field = "django.db.models.BigAutoField"
