"""Settings, urls, Celery, and the two bases of every page and endpoint (config.scoped)."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
