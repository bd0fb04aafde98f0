"""The project as a Django app: its own system checks and commands; and its admin."""

from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig


class TeijiConfig(AppConfig):
    name = "config"
    label = "teiji"

    def ready(self) -> None:
        import_module("config.checks")
        import_module("config.sign_in.records").listen()
        import_module("config.view_as.session").listen()


class TeijiAdminConfig(SimpleAdminConfig):
    """Without autodiscover: workers and beat have no use for pages. config.urls loads them."""

    default_site = "config.site.TeijiSite"
