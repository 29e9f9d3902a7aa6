"""Django app of the department."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PosConfig(AppConfig):
    name = "silkroom.pos"
    verbose_name = _("Till")
    default_auto_field = "django.db.models.BigAutoField"
