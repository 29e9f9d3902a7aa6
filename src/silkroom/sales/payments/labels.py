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
    ("alipay", "app_id"): _("APPID of your application"),
    ("alipay", "seller_id"): _("Your seller number (PID), 2088…"),
    ("alipay", "private_key"): _("Private key of your application (RSA2)"),
    ("alipay", "alipay_public_key"): _("Alipay's public key"),
    ("wechat", "mchid"): _("Merchant number (mchid)"),
    ("wechat", "appid"): _("APPID that is bound to it, wx…"),
    ("wechat", "cert_serial_no"): _("Serial number of your API certificate"),
    ("wechat", "public_key_id"): _("Id of the WeChat Pay public key, PUB_KEY_ID_…"),
    ("wechat", "private_key"): _("Private key of your API certificate (apiclient_key.pem)"),
    ("wechat", "public_key"): _("WeChat Pay public key (pub_key.pem)"),
    ("wechat", "apiv3_key"): _("APIv3 key, 32 characters"),
    ("stripe", "account"): _("Account, acct_…"),
    ("stripe", "secret_key"): _("Secret key, sk_… or rk_…"),
    ("stripe", "webhook_secret"): _("Signing secret of the endpoint, whsec_…"),
}
"""What an owner enters, by (provider, field)."""
