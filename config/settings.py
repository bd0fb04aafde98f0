"""Settings, from the environment. docs/settings.md has the table of all TEIJI_ variables."""

import base64
import hashlib
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config.environment import Environment
from config.look import UNFOLD  # noqa: F401  (the admin's theme)
from config.sign_in.options import *  # noqa: F403  (django-allauth's)

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()

TEIJI_PROFILE = env("TEIJI_PROFILE", default="development")
if TEIJI_PROFILE not in ("development", "test", "production"):
    raise ImproperlyConfigured("TEIJI_PROFILE is one of development, test, production.")
PRODUCTION = TEIJI_PROFILE == "production"
DEBUG = env.bool("TEIJI_DEBUG", default=TEIJI_PROFILE == "development")

TEIJI_DATA_DIR = Path(env("TEIJI_DATA_DIR", default=str(BASE_DIR / "var")))
try:
    TEIJI_DATA_DIR.mkdir(parents=True, exist_ok=True)
except OSError as error:
    words = f"TEIJI_DATA_DIR, {TEIJI_DATA_DIR}, cannot be made: {error.strerror}."
    raise ImproperlyConfigured(words) from error


def _own_key() -> str:
    """The key of an installation that was given none: made once, kept beside its data."""
    path = TEIJI_DATA_DIR / "secret_key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text()


if PRODUCTION:
    SECRET_KEY = env.filled("TEIJI_SECRET_KEY")
    TEIJI_SECRET_KEYS = env.list("TEIJI_SECRET_KEYS")
else:
    SECRET_KEY = env("TEIJI_SECRET_KEY", default="") or _own_key()
    _derived = base64.urlsafe_b64encode(hashlib.sha256(SECRET_KEY.encode()).digest()).decode()
    TEIJI_SECRET_KEYS = env.list("TEIJI_SECRET_KEYS", default=[_derived])

# Where people and channels find this installation.
TEIJI_PUBLIC_URL = env("TEIJI_PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = env.list("TEIJI_ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "testserver"])
CSRF_TRUSTED_ORIGINS = [TEIJI_PUBLIC_URL]
# Proxies of ours before the web server, each of which adds an address to X-Forwarded-For.
TEIJI_PROXIES = env.int("TEIJI_PROXIES", default=0)

INSTALLED_APPS = [
    "config.apps.TeijiConfig",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "config.apps.TeijiAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "treebeard",
    "django_celery_beat",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
    "orgs",
    "logs",
    "channels",
    "schedules",
]

MIDDLEWARE = [
    "config.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.RefuseNulMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.middleware.OriginMiddleware",
    "config.view_as.middleware.ViewAsMiddleware",
    "config.language.OwnLanguageMiddleware",
    "config.sign_in.middleware.SecondFactorMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
AUTH_USER_MODEL = "orgs.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.sign_in.look.sign_in_look",
            ],
        },
    },
]

# The database.
DATABASES: dict[str, Any] = {
    "default": env.database("TEIJI_DATABASE_URL", f"sqlite:///{TEIJI_DATA_DIR / 'teiji.sqlite3'}")
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Immediate: a transaction that reads first and writes later must not fail with "locked".
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
    # A file in tests too: threads see each other through it as processes do.
    DATABASES["default"]["TEST"] = {"NAME": str(TEIJI_DATA_DIR / "test.sqlite3")}
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # A host whose packets are lost is given up after so many seconds, or milliseconds.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 5,
        "tcp_user_timeout": 10_000,
        **DATABASES["default"].get("OPTIONS", {}),
    }

# The broker. Its messages carry nothing that matters: see docs/architecture.md.
TEIJI_BROKER_URL = env("TEIJI_BROKER_URL", default="filesystem://")
CELERY_BROKER_URL = TEIJI_BROKER_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_POOL = "threads"  # the sender lives beside it: a forked pool would copy its threads
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BEAT_SCHEDULER = "config.beat:Scheduler"
CELERY_BEAT_SCHEDULE = {
    "teiji-tick": {
        "task": "schedules.tasks.tick",
        "schedule": timedelta(seconds=1),
        # A tick that waited is worthless: the next one does its work.
        "options": {"expires": 5},
    },
    "teiji-hour": {
        "task": "schedules.tasks.hour",
        "schedule": timedelta(hours=1),
        "options": {"expires": 60},
    },
}
# A broker whose packets are lost is given up after so many seconds: without, whoever puts a message
# there waits for ever, and beat with it. More than the second that a worker waits for the next one.
REDIS_SECONDS = {"socket_timeout": 3.0, "socket_connect_timeout": 3.0}
AMQP_SECONDS = {"read_timeout": 3.0, "write_timeout": 3.0}  # CELERY_BROKER_CONNECTION_TIMEOUT: 4 s
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {}
if TEIJI_BROKER_URL.startswith("amqp"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {**AMQP_SECONDS}
if TEIJI_BROKER_URL.startswith("redis"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {**REDIS_SECONDS, "socket_keepalive": True}
if TEIJI_BROKER_URL.startswith("filesystem"):
    _queue = TEIJI_DATA_DIR / "broker"
    for _name in ("messages", "control"):
        (_queue / _name).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT = "config.broker:Transport"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_queue / "messages"),
        "data_folder_out": str(_queue / "messages"),
        "control_folder": str(_queue / "control"),
        "polling_interval": 0.5,
    }

# Sending. Seconds throughout.
TEIJI_POLL_SECONDS = env.float("TEIJI_POLL_SECONDS", default=0.5)
TEIJI_LEAD_SECONDS = env.float("TEIJI_LEAD_SECONDS", default=2.0)
TEIJI_HORIZON_SECONDS = env.float("TEIJI_HORIZON_SECONDS", default=30.0)
TEIJI_LEASE_SECONDS = env.float("TEIJI_LEASE_SECONDS", default=5.0)
TEIJI_WIRE_SECONDS = env.float("TEIJI_WIRE_SECONDS", default=30.0)
TEIJI_GRACE_SECONDS = env.float("TEIJI_GRACE_SECONDS", default=600.0)
TEIJI_RETRY_DELAYS = env.list("TEIJI_RETRY_DELAYS", float, default=[60.0, 120.0, 300.0, 600.0])
TEIJI_CONFIRM_SECONDS = env.float("TEIJI_CONFIRM_SECONDS", default=15.0)
TEIJI_IN_FLIGHT = env.int("TEIJI_IN_FLIGHT", default=5000)
TEIJI_LINE_API_HOST = env("TEIJI_LINE_API_HOST", default="https://api.line.me").rstrip("/")
TEIJI_KAKAO_API_HOST = env("TEIJI_KAKAO_API_HOST", default="https://kapi.kakao.com").rstrip("/")
TEIJI_SOLAPI_API_HOST = env("TEIJI_SOLAPI_API_HOST", default="https://api.solapi.com").rstrip("/")
# Networks, as CIDR, that outgoing requests may reach though they are not public.
TEIJI_OUTGOING_ALLOW = env.list("TEIJI_OUTGOING_ALLOW", default=[])

# Where operators are told of all alerts, as Apprise URLs. They are secrets.
TEIJI_ALERT_URLS = env.list("TEIJI_ALERT_URLS", default=[])

# Called each minute while all is well, so that silence is noticed elsewhere. A secret.
TEIJI_HEARTBEAT_URL = env("TEIJI_HEARTBEAT_URL", default="")

# Who may read /metrics; empty: nobody.
TEIJI_METRICS_TOKEN = env("TEIJI_METRICS_TOKEN", default="")

# Files.
MEDIA_ROOT = Path(env("TEIJI_MEDIA_ROOT", default=str(TEIJI_DATA_DIR / "media")))
TEIJI_ARCHIVE_ROOT = Path(env("TEIJI_ARCHIVE_ROOT", default=str(TEIJI_DATA_DIR / "archive")))
# Whole months that the log keeps, and that the archive keeps (0: for ever).
TEIJI_LOG_MONTHS = env.int("TEIJI_LOG_MONTHS", default=13)
TEIJI_ARCHIVE_MONTHS = env.int("TEIJI_ARCHIVE_MONTHS", default=0)
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# What scripts/assets.py has fetched; without it the calendar is a list.
_assets = BASE_DIR / "assets"
STATICFILES_DIRS = [BASE_DIR / "static", *([_assets] if _assets.is_dir() else [])]
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# Languages and times. English is the source: another default would fill gaps with itself.
LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", "English"),
    ("ko", "한국어"),
    ("zh-hant", "繁體中文"),
    ("zh-hans", "简体中文"),
]
# Teiji's own texts, and those of packages that come without a translation.
LOCALE_PATHS = [BASE_DIR / "locale", BASE_DIR / "locale" / "packages"]
LANGUAGE_COOKIE_AGE = 31_536_000
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = PRODUCTION
USE_I18N = True
USE_TZ = True
TIME_ZONE = env("TEIJI_ZONE", default="Asia/Seoul")

# Security.
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# The kinds of units whose people must have a second factor. How people sign in: sign_in/options.py.
TEIJI_SECOND_FACTOR = env.list(
    "TEIJI_SECOND_FACTOR", default=["headquarters", "distributor"] if PRODUCTION else []
)
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION  # http://localhost has no certificate
if PRODUCTION:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, "'unsafe-eval'"],  # Alpine, which the theme brings, needs eval
        "style-src": [SELF, "'unsafe-inline'"],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# The API.
# Pages of these origins may call it from a browser, by token: no cookie goes along.
CORS_ALLOWED_ORIGINS = env.list("TEIJI_CORS_ORIGINS", default=[])
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = [
    "accept", "authorization", "content-type", "idempotency-key", "if-match", "if-none-match",
    "x-request-id",
]  # fmt: skip
CORS_EXPOSE_HEADERS = [
    "ETag", "Idempotency-Replayed", "Location", "RateLimit-Limit", "RateLimit-Policy",
    "RateLimit-Remaining", "RateLimit-Reset", "Retry-After", "X-Request-ID",
]  # fmt: skip
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "config.scoped.tokens.TokenAuthentication",
        "config.scoped.session.AdminSession",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["config.scoped.permission.ReachPermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "config.scoped.paging.Pages",
    "PAGE_SIZE": 50,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.scoped.problems.problem_response",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Teiji",
    "VERSION": "1",
    "DESCRIPTION": "Schedule text and images to rooms, and see what became of them.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    # What several answers have in common is named once.
    "ENUM_NAME_OVERRIDES": {
        "LanguageEnum": LANGUAGES,
        "LogStateEnum": "schedules.states.DeliveryState",
        "RunStateEnum": "schedules.states.RunState",
        "ShownStateEnum": "schedules.shown.calendar.asked.STATES",
        "RunReasonEnum": "schedules.models.run.Run.Reason",
        "RunKindEnum": "schedules.models.run.KINDS",
        "ScheduleStateEnum": "schedules.states.ScheduleState",
        "LogReasonEnum": "schedules.models.delivery.Delivery.Reason",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.scoped.openapi.closed_requests",
        "config.scoped.openapi.sparse_answers",
        "config.scoped.headers.answer_headers",
    ],
}

# The form of its lines, and after a colon the file they go to: console, json:/var/log/teiji.log.
TEIJI_LOG = env("TEIJI_LOG", default="console")
_form, _, _file = TEIJI_LOG.partition(":")
if _form not in ("console", "json"):
    raise ImproperlyConfigured("TEIJI_LOG begins with console or json.")
_handler: dict[str, Any] = {"class": "logging.StreamHandler"}
if _file:
    # It opens the file anew when it was moved away: many processes can share it.
    _handler = {"class": "config.lines.File", "filename": _file, "encoding": "utf-8", "delay": True}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"named": {"()": "config.lines.Named"}},
    "formatters": {
        "console": {"()": "config.lines.Console"},
        "json": {"()": "config.lines.Json"},
    },
    "handlers": {"log": {**_handler, "formatter": _form, "filters": ["named"]}},
    "root": {"handlers": ["log"], "level": env("TEIJI_LOG_LEVEL", default="INFO")},
    # A line for each tick and task would be three a second.
    "loggers": {
        name: {"level": "WARNING"}
        for name in ("celery.beat", "celery.worker.strategy", "celery.app.trace")
    },
}
