"""Django's settings for the processes of celery_beat.py."""

import environ

from .base import told

SECRET_KEY = "of a bench"  # noqa: S105
INSTALLED_APPS = ["django_celery_beat"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
DATABASES = {
    "default": environ.Env.db_url_config(
        told("DATABASE_URL") or f"sqlite:///{told('FOLDER')}/beat.sqlite3"
    )
}
# Beat closes old connections at every step: with the usual age of 0 it would open a new one.
DATABASES["default"]["CONN_MAX_AGE"] = None
