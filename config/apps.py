"""The project as a Django app: its own system checks and commands."""

from importlib import import_module

from django.apps import AppConfig


class TeijiConfig(AppConfig):
    name = "config"
    label = "teiji"

    def ready(self) -> None:
        import_module("config.checks")
        import_module("config.sign_in.records").listen()
        import_module("config.view_as.session").listen()
