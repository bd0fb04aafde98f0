"""Lookups that Django has not, or not on both databases."""

import json
from typing import Any

from django.db import models
from django.db.models.lookups import In


@models.AutoField.register_lookup
@models.BigAutoField.register_lookup
class Among(In):
    """As `in`, for many values. PostgreSQL takes them as one array instead of a parameter each,
    which halves the cost of a statement over hundreds of ids."""

    lookup_name = "among"

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        left, parameters = self.process_lhs(compiler, connection)
        return f"{left} = ANY(%s)", [*parameters, list(self.rhs)]


@models.JSONField.register_lookup
class Holds(models.Lookup):
    """Whether a list of texts has this one in it."""

    lookup_name = "holds"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        left, parameters = self.process_lhs(compiler, connection)
        if connection.vendor == "postgresql":
            return f"{left} @> %s::jsonb", [*parameters, json.dumps([self.rhs])]
        each = f"SELECT 1 FROM json_each({left}) WHERE json_each.value = %s"  # noqa: S608
        return f"EXISTS ({each})", [*parameters, self.rhs]
