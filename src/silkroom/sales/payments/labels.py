"""How ways to pay are called on pages."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

WAY_NAMES = {
    "sandbox": _("Practice payment"),
    "alipay": _("Alipay"),
    "wechat": _("WeChat Pay"),
    "stripe": _("Bank card"),
    "bank": _("Bank transfer"),
}

FIELD_NAMES = {
    ("stripe", "account"): _("Account, acct_…"),
    ("stripe", "secret_key"): _("Secret key, sk_… or rk_…"),
    ("stripe", "webhook_secret"): _("Signing secret of the endpoint, whsec_…"),
}
"""What an owner enters, by (provider, field)."""
