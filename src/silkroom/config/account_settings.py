"""Sign-in and sign-up (django-allauth), and the look of the admin pages (django-unfold)."""

from silkroom.config.env import Environment

ACCOUNT_ADAPTER = "silkroom.storefront.sign_in.SignInAdapter"
ACCOUNT_LOGIN_METHODS = {"email", "phone"}
ACCOUNT_SIGNUP_FIELDS = ["email", "phone", "password1*"]
ACCOUNT_FORMS = {"login": "silkroom.accounts.forms.LoginForm", "signup": "silkroom.accounts.forms.SignupForm"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_PHONE_VERIFICATION_ENABLED = True
ACCOUNT_PHONE_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_LOGOUT_ON_GET = False
# One proxy stands in front when the public address is https: limits must count people, not the proxy.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if Environment.read().public_url.startswith("https://") else 0

# The form asks for one of e-mail and phone; allauth only sees two optional fields.
SILENCED_SYSTEM_CHECKS = ["account.W001"]

CACHES = {
    # Counters of tries must be shared by all web processes. The table is unlogged: losing it costs nothing.
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "accounts_counters",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
}

UNFOLD = {"SITE_TITLE": "silkroom", "SITE_HEADER": "silkroom", "SHOW_HISTORY": True}
