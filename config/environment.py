"""Settings as the environment has them. One that is missing or wrong is named, never shown."""

import warnings
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

TABLE = "docs/settings.md has the table of all."


class Environment(environ.Env):
    """Raises ImproperlyConfigured with the name of the variable, for whatever it cannot read."""

    def get_value(self, var: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().get_value(var, *args, **kwargs)
        except ImproperlyConfigured as error:
            raise ImproperlyConfigured(f"Set {var}. {TABLE}") from error
        except ValueError as error:
            raise ImproperlyConfigured(f"{var} cannot be read as it is. {TABLE}") from error

    def filled(self, var: str) -> str:
        """The value of one that is as good as missing while it is empty."""
        value: str = self(var)
        if not value:
            raise ImproperlyConfigured(f"Set {var}. {TABLE}")
        return value

    def database(self, var: str, default: str) -> dict[str, Any]:
        """The database that a URL means."""
        try:
            # A warning would show the URL, password and all.
            with warnings.catch_warnings(action="ignore"):
                found: dict[str, Any] = self.db(var, default=default)
        except (ValueError, KeyError):
            found = {}
        if not found.get("NAME") or not found["ENGINE"].startswith("django.db.backends."):
            raise ImproperlyConfigured(f"{var} is no URL like postgres://user@host:5432/name.")
        return found
