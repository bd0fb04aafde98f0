"""Filters of the API's lists, as strict as its fields."""

from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.scoped.fields import LARGEST, Moment
from orgs.models import Unit


class IdField(forms.IntegerField):
    """An id in an address."""

    default_validators = [MinValueValidator(1), MaxValueValidator(LARGEST)]


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": LARGEST})
class IdFilter(filters.Filter):
    """Rows that refer to this id. A foreign id finds as much as one that does not exist."""

    field_class = IdField


class UnitFilter(IdFilter):
    """Rows of this unit itself, where they hold its path by value."""

    def filter(self, rows: Any, value: Any) -> Any:
        if value is None:
            return rows
        return rows.filter(unit_path__in=Unit.objects.filter(pk=value).values("path"))


class MomentField(forms.CharField):
    """A moment in an address, with its offset."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        try:
            return Moment().run_validation(text)
        except serializers.ValidationError as error:
            raise forms.ValidationError([str(text) for text in error.detail]) from error


@extend_schema_field(OpenApiTypes.DATETIME)
class MomentFilter(filters.Filter):
    """Compares with a moment."""

    field_class = MomentField


class YesNoField(forms.CharField):
    """true or false in an address."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if text not in ("", "true", "false"):
            raise forms.ValidationError(_("Write true or false."))
        return {"true": True, "false": False}.get(text)


@extend_schema_field(OpenApiTypes.BOOL)
class YesNoFilter(filters.Filter):
    """Rows for which this is so, or is not."""

    field_class = YesNoField
