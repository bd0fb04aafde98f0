"""Fields of the API that take exactly what they say: a number is no text, and true is no 1."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

from django.db import models
from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from orgs.models import Unit
from orgs.reach import Act, member_of, within

LARGEST = 2**63 - 1  # of a bigint column
YEARS = range(1970, 9999)  # those beyond cannot be converted between time zones


class WholeNumber(serializers.IntegerField):
    """A JSON number without a fraction that a column can hold."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int or abs(data) > LARGEST:
            self.fail("invalid")
        return data


class Words(serializers.CharField):
    """A JSON text."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class YesNo(serializers.BooleanField):
    """JSON's true or false, and not "yes"."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Choice(serializers.ChoiceField):
    """One of the texts that are offered."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=type(data).__name__)
        return super().to_internal_value(data)


class Moment(serializers.DateTimeField):
    """A moment with its offset from UTC; given back in UTC."""

    default_error_messages = {
        "naive": _("Add the offset from UTC, as in 2026-02-16T09:00:00+09:00."),
        "year": _("Choose a year from 1970 to 9998."),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)

    def to_internal_value(self, value: Any) -> datetime:
        try:
            moment = parse_datetime(value) if isinstance(value, str) else None
        except ValueError:
            moment = None
        if moment is None:
            self._refuse("invalid", format="YYYY-MM-DDThh:mm:ss+hh:mm")
        if moment.utcoffset() is None:
            self._refuse("naive")
        if moment.year not in YEARS:
            self._refuse("year")
        return moment.astimezone(UTC)

    def _refuse(self, key: str, **values: Any) -> NoReturn:
        self.fail(key, **values)


class WallDate(serializers.DateField):
    """A date like 2026-02-16."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=["%Y-%m-%d"], **kwargs)


# Not OpenAPI's format "time", which wants an offset.
@extend_schema_field(
    {"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$", "example": "09:00"}
)
class WallTime(serializers.TimeField):
    """A time of the wall clock, like 09:00 or 09:00:30; which zone's, stands elsewhere."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=["%H:%M:%S", "%H:%M"], **kwargs)


class ScopedRelatedField(serializers.PrimaryKeyRelatedField):
    """A reference by id to a row that the user may use; a foreign id is as good as none."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("pk_field", WholeNumber())
        super().__init__(**kwargs)

    def get_queryset(self) -> QuerySet:
        queryset: Any = super().get_queryset()
        return within(self.context["request"].user, queryset, Act.USE)


class KeptRelatedField(ScopedRelatedField):
    """The one that the row has already stays, though its user may not choose it any more."""

    def get_queryset(self) -> QuerySet:
        rows = super().get_queryset()
        row = getattr(self.parent, "instance", None)
        if not isinstance(row, models.Model):
            return rows
        present = getattr(row, f"{self.source}_id")
        return rows | rows.model._default_manager.filter(pk=present)


class ScopedIds(serializers.ListField):
    """References by id, in order, to rows that the user may use; one query for all."""

    child = WholeNumber()
    default_error_messages = {
        "does_not_exist": serializers.PrimaryKeyRelatedField.default_error_messages[
            "does_not_exist"
        ]
    }

    def __init__(self, *, queryset: QuerySet, **kwargs: Any) -> None:
        self.queryset = queryset
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> list[models.Model]:
        wanted: list[int] = super().to_internal_value(data)
        rows = within(self.context["request"].user, self.queryset.all(), Act.USE)
        found = rows.in_bulk(set(wanted))
        for pk in wanted:
            if pk not in found:
                self.fail("does_not_exist", pk_value=pk)
        return [found[pk] for pk in wanted]

    def to_representation(self, rows: Any) -> list[int]:
        return sorted(row.pk for row in rows.all())


class StrictBody(serializers.Serializer):
    """Refuses names that it does not know: a misspelt field that is passed over is a message
    sent otherwise than was meant."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = set(data) - set(self.fields) if isinstance(data, Mapping) else set()
        if unknown:
            message = _("There is no such field.")
            raise serializers.ValidationError({name: [message] for name in sorted(unknown)})
        return super().to_internal_value(data)


class StrictSerializer(StrictBody, serializers.ModelSerializer):
    """Takes exactly the types of its columns, and no other names."""

    serializer_related_field = ScopedRelatedField
    serializer_choice_field = Choice
    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.BooleanField: YesNo,
        models.CharField: Words,
        models.DateField: WallDate,
        models.DateTimeField: Moment,
        models.PositiveIntegerField: WholeNumber,
        models.PositiveSmallIntegerField: WholeNumber,
        models.TextField: Words,
        models.TimeField: WallTime,
    }


class ShownSerializer(serializers.ModelSerializer):
    """Shows rows and takes none; their moments are in UTC, whatever the zone of who asks."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DateTimeField: Moment,
    }


def own_unit(user: Any) -> Unit:
    """The unit meant by a request that names none: the user's own. Who has none, must say."""
    member = member_of(user)
    if member is None:
        message = serializers.Field.default_error_messages["required"]
        raise serializers.ValidationError({"unit": [message]})
    unit: Unit = member.unit
    return unit
