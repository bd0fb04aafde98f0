"""The Celery application. A worker also runs the sender: see schedules/dispatch/loop.py."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("teiji")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
