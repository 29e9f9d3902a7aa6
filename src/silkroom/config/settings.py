"""Django's settings, made from `silkroom.config.env`. Nothing here reads the environment by itself."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from django.utils.translation import gettext_lazy as _
from psycopg.conninfo import conninfo_to_dict

from silkroom.config.env import ROOT, Environment
from silkroom.config.secrets import keep_secret
from silkroom.kit.addresses import read_networks

ENVIRONMENT = Environment.read()
BASE = ROOT / "src" / "silkroom"

DEBUG = ENVIRONMENT.debug
SECRET_KEY = ENVIRONMENT.secret_key or keep_secret(ENVIRONMENT.data_dir, "secret_key")

PUBLIC_URL = ENVIRONMENT.public_url.rstrip("/")
_public = urlsplit(PUBLIC_URL)
USES_TLS = _public.scheme == "https" or bool(ENVIRONMENT.tls_certificate)
ALLOWED_HOSTS = [
    "localhost",
    "127.0.0.1",
    "[::1]",
    *([_public.hostname] if _public.hostname else []),
    *ENVIRONMENT.allowed_hosts,
]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _public.scheme == "https" else None
TRUSTED_PROXIES = read_networks(ENVIRONMENT.trusted_proxies)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = USES_TLS
# A certificate of --tls is for trying out: a browser should not remember it for a month.
SECURE_HSTS_SECONDS = 30 * 24 * 60 * 60 if _public.scheme == "https" else 0
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 60 * 60 * 24 * 90
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "django_htmx",
    "procrastinate.contrib.django",
    "silkroom.journal",
    "silkroom.accounts",
    "silkroom.shops",
    "silkroom.inventory",
    "silkroom.catalog",
    "silkroom.sales",
    "silkroom.live",
    "silkroom.pos",
    "silkroom.workbench",
    "silkroom.storefront",
]

MIDDLEWARE = [
    "silkroom.config.middleware.ClientAddressMiddleware",
    "silkroom.config.middleware.KnownHostMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "silkroom.config.middleware.BodyLimitMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "silkroom.config.middleware.HeadMiddleware",
    "silkroom.config.middleware.ContentSecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "silkroom.accounts.middleware.GuestEntranceMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "silkroom.config.middleware.RefusalMiddleware",
]

ROOT_URLCONF = "silkroom.config.urls"
WSGI_APPLICATION = "silkroom.config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "silkroom.config.context.installation",
            ],
            "builtins": ["silkroom.config.templatetags.silkroom"],
        },
    }
]


def _database() -> dict[str, object]:
    """The database of SILKROOM_DATABASE_URL; `up`, `demo` and the tests set it to the embedded server's."""
    parts = conninfo_to_dict(ENVIRONMENT.database_url or "postgresql://localhost:5433/silkroom")
    named = {key: parts.pop(key, "") for key in ("dbname", "user", "password", "host", "port")}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": named["dbname"] or "silkroom",
        "USER": named["user"],
        "PASSWORD": named["password"],
        "HOST": named["host"],
        "PORT": str(named["port"]),
        # The pool asks a connection whether it lives before lending it: a restarted PostgreSQL costs nobody an error.
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**parts, "pool": {"min_size": 1, "max_size": ENVIRONMENT.web_threads + 4, "timeout": 10}},
    }


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
"""Each department's ``jobs.py`` is imported at the start; it names all its background work."""

AUTH_USER_MODEL = "accounts.Person"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

LANGUAGE_CODE = ENVIRONMENT.language
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
LOCALE_PATHS = [ROOT / "locale"]
USE_I18N = True
FORMAT_MODULE_PATH = ["silkroom.config.formats"]
USE_TZ = True
TIME_ZONE = ENVIRONMENT.time_zone

STATIC_URL = "/static/"
STATIC_ROOT = ENVIRONMENT.data_dir / "static"
STATICFILES_DIRS = [BASE / "config" / "static"]
STORAGES = {
    "default": {"BACKEND": "silkroom.config.storage.FsspecStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG
MEDIA_URL = "/gateway/media/"

DATA_UPLOAD_MAX_MEMORY_SIZE = 2_000_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000

DEFAULT_FROM_EMAIL = ENVIRONMENT.mail_from
_mail = urlsplit(ENVIRONMENT.mail_url)
if _mail.scheme in {"smtp", "smtps"}:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST = _mail.hostname or "localhost"
    EMAIL_PORT = _mail.port or (465 if _mail.scheme == "smtps" else 587)
    EMAIL_HOST_USER = unquote(_mail.username or "")
    EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
    EMAIL_USE_SSL = _mail.scheme == "smtps"
    EMAIL_USE_TLS = _mail.scheme == "smtp" and bool(_mail.username)
else:
    EMAIL_BACKEND = "silkroom.config.mail.KeptMailBackend"
    EMAIL_FILE_PATH = ENVIRONMENT.data_dir / "mail"

LOGGING_CONFIG = None
"""Each process configures its log itself: silkroom.config.processes.logs."""

from silkroom.config.account_settings import *  # noqa: E402, F403
