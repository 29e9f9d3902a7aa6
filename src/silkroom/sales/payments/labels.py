"""How ways to pay are called on pages."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from .states import DifferenceKind

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
    ("bank", "holder"): _("Account holder"),
    ("bank", "bank"): _("Bank"),
    ("bank", "number"): _("Account number or IBAN"),
    ("bank", "days"): _("Days that pieces are kept for a transfer (1 to 14)"),
    ("stripe", "webhook_secret"): _("Signing secret of the endpoint, whsec_…"),
}
"""What an owner enters, by (provider, field)."""

DIFFERENCE_NAMES = {
    DifferenceKind.UNKNOWN_HERE: _("The provider has a payment that is not known here."),
    DifferenceKind.NOT_PAID_HERE: _("The provider has the money, and the order is not paid here. It is asked now."),
    DifferenceKind.AMOUNT_DIFFERS: _("The amounts differ."),
    DifferenceKind.MISSING_THERE: _("Paid here, and not in the provider's statement."),
    DifferenceKind.REFUND_UNKNOWN_HERE: _("The provider has sent money back, and silkroom has not asked for it."),
    DifferenceKind.REFUND_AMOUNT_DIFFERS: _("The amounts of a refund differ."),
    DifferenceKind.REFUND_MISSING_THERE: _("Sent back here, and not in the provider's statement."),
}
