"""Sign-in and sign-up (django-allauth), and the look of the admin pages (django-unfold)."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from silkroom.config.env import Environment

ACCOUNT_ADAPTER = "silkroom.storefront.sign_in.SignInAdapter"
ACCOUNT_LOGIN_METHODS = {"email", "phone"}
ACCOUNT_SIGNUP_FIELDS = ["email", "phone", "password1*"]
ACCOUNT_FORMS = {
    "login": "silkroom.accounts.forms.LoginForm",
    "signup": "silkroom.accounts.forms.SignupForm",
    "request_login_code": "silkroom.accounts.forms.RequestLoginCodeForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
# Nobody comes in by an address that they have not shown to be theirs. The code is good in the browser that signed up
# alone: a link would also confirm what somebody else had begun. Without a mail server nobody could show anything.
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if Environment.read().mail_url else "none"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = bool(Environment.read().mail_url)
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_PHONE_VERIFICATION_ENABLED = True
ACCOUNT_PHONE_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_LOGOUT_ON_GET = False
# Who the client is behind a proxy is settled before: `silkroom.config.middleware.ClientAddressMiddleware`.
ALLAUTH_TRUSTED_PROXY_COUNT = 0

# The form asks for one of e-mail and phone; allauth only sees two optional fields.
SILENCED_SYSTEM_CHECKS = ["account.W001"]

CACHES = {
    # Counters of tries must be shared by all web processes. The table is unlogged: losing it costs nothing.
    "default": {
        "BACKEND": "silkroom.config.counters.CountingCache",
        "LOCATION": "accounts_counters",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
}


def _menu(title: Promise, *links: tuple[Promise, str, str]) -> dict[str, Any]:
    """A group of the admin's menu: (name, icon, model as app_model)."""
    return {
        "title": title,
        "separator": True,
        "items": [
            {"title": name, "icon": icon, "link": reverse_lazy(f"admin:{model}_changelist")}
            for name, icon, model in links
        ],
    }


UNFOLD = {
    "SITE_TITLE": "silkroom",
    "SITE_HEADER": "silkroom",
    "SITE_SUBHEADER": _("operator"),
    "SITE_URL": "/",
    "SITE_SYMBOL": "styler",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _: static("design/favicon.svg")}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    "COLORS": {
        # Mulberry, the accent of the pages (design/tokens.css), from light to dark.
        "primary": {
            "50": "#fbf4f8", "100": "#f5e9ef", "200": "#eccfdd", "300": "#dda7c1", "400": "#c6719a", "500": "#a84477",
            "600": "#8b2f5f", "700": "#74244e", "800": "#5e1f41", "900": "#4c1b36", "950": "#2e1823",
        },
    },
    "SIDEBAR": {
        "show_search": True,
        "navigation": [
            _menu(
                _("People"),
                (_("People"), "person", "accounts_person"),
                (_("Addresses"), "home_pin", "accounts_address"),
                (_("Groups of rights"), "admin_panel_settings", "auth_group"),
            ),
            _menu(
                _("Shops"),
                (_("Shops"), "storefront", "shops_shop"),
                (_("Staff"), "badge", "shops_staff"),
                (_("Invitations"), "mail", "shops_invitation"),
                (_("Places"), "warehouse", "shops_place"),
            ),
            _menu(
                _("Catalog"),
                (_("Styles"), "checkroom", "catalog_style"),
                (_("Variants"), "grid_view", "catalog_variant"),
                (_("Pictures"), "photo_library", "catalog_picture"),
            ),
            _menu(
                _("Ledger"),
                (_("Items"), "inventory_2", "inventory_item"),
                (_("Movements"), "swap_horiz", "inventory_movement"),
                (_("Sellable"), "sell", "inventory_sellable"),
                (_("Holds"), "front_hand", "inventory_hold"),
                (_("Balances"), "balance", "inventory_balance"),
                (_("Lots"), "deployed_code", "inventory_lot"),
            ),
            _menu(
                _("Sales"),
                (_("Orders"), "receipt_long", "sales_order"),
                (_("Offers"), "percent", "sales_offer"),
                (_("Payments"), "payments", "sales_payment"),
                (_("Refunds"), "undo", "sales_refund"),
                (_("Merchant accounts"), "account_balance", "sales_merchantaccount"),
                (_("Differences"), "difference", "sales_difference"),
                (_("Notices"), "notifications", "sales_notice"),
                (_("Sandbox"), "science", "sales_sandboxcharge"),
            ),
            _menu(
                _("Shows"),
                (_("Shows"), "live_tv", "live_broadcast"),
                (_("Questions"), "help", "live_question"),
                (_("Deals"), "bolt", "live_deal"),
                (_("Mutes"), "volume_off", "live_mute"),
            ),
            _menu(
                _("Journal"),
                (_("Entries"), "history", "journal_entry"),
                (_("Readers"), "bookmark", "journal_reader"),
            ),
        ],
    },
}  # fmt: skip
