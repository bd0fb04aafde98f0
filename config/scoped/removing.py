"""The base of admin pages whose rows are removed by an act."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from config.scoped.admin import ScopedAdmin


class RemovingAdmin(ScopedAdmin):
    """One row or many: the act asks whether one may, and records it. Of many all are removed, or
    none."""

    records_itself = True

    def remove(self, row: Any, *, by: Any) -> None:
        raise NotImplementedError

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.remove(obj, by=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        with transaction.atomic():
            for row in queryset.order_by("pk"):
                self.remove(row, by=request.user)
