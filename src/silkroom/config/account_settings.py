"""Sign-in and sign-up (django-allauth), and the look of the admin pages (django-unfold)."""

ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_LOGOUT_ON_GET = False

UNFOLD = {"SITE_TITLE": "silkroom", "SITE_HEADER": "silkroom", "SHOW_HISTORY": True}
