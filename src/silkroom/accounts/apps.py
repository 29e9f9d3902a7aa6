"""Django app of the department."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "silkroom.accounts"
    default_auto_field = "django.db.models.BigAutoField"
