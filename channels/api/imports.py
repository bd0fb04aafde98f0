"""Imports of people in the API: upload a table, say what its columns are, check, import."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError as BadValue
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from channels.models import Account, Audience, RecipientImport
from channels.people import importing
from channels.people.columns import FIELDS
from channels.people.table import MOST_BYTES, MOST_COLUMNS
from channels.people.text import ENCODINGS
from channels.people.unusable import UnusableFile
from config.scoped.acting import ActingViewSet
from config.scoped.fields import (
    Choice,
    ScopedRelatedField,
    ShownSerializer,
    StrictBody,
    WholeNumber,
    own_unit,
)
from config.scoped.filters import IdFilter
from config.scoped.parsers import BoundedMultiPartParser, StrictJSONParser
from config.scoped.problems import Conflict
from orgs.models import Unit
from orgs.reach import Act


class ProblemOfRowSerializer(serializers.Serializer):
    """What is wrong with one cell."""

    line = serializers.IntegerField(help_text="As people count the file's lines, from 1.")
    column = serializers.CharField(help_text="As its heading calls it.")
    problem = serializers.CharField()


class ImportSerializer(ShownSerializer):
    """One file, and how far it is."""

    unit: Any = serializers.PrimaryKeyRelatedField(read_only=True)
    account: Any = serializers.PrimaryKeyRelatedField(read_only=True)
    audience: Any = serializers.PrimaryKeyRelatedField(read_only=True, allow_null=True)

    class Meta:
        model = RecipientImport
        fields = [
            "id", "unit", "account", "audience", "file_name", "stage", "encoding", "rows",
            "created", "updated", "problem_count", "created_at", "imported_at",
        ]  # fmt: skip
        read_only_fields = fields


class WholeImportSerializer(ImportSerializer):
    """With what is wrong in which line, and what the file's columns are."""

    columns = serializers.DictField(
        source="mapping",
        child=serializers.IntegerField(),
        read_only=True,
        help_text="By field the number of its column, from 0: as was said, else as it seems.",
    )
    heading = serializers.SerializerMethodField(
        help_text="Of each column. Empty: the file has been imported, or its encoding is not known."
    )
    problems = serializers.SerializerMethodField(help_text="The first 200.")

    class Meta(ImportSerializer.Meta):
        fields = [*ImportSerializer.Meta.fields, "columns", "heading", "problems"]
        read_only_fields = fields

    def get_heading(self, row: RecipientImport) -> list[str]:
        try:
            rows = importing.first_rows(row) if row.file else []
        except UnusableFile:
            return []
        return rows[0][1] if rows else []

    @extend_schema_field(ProblemOfRowSerializer(many=True))
    def get_problems(self, row: RecipientImport) -> list[dict[str, Any]]:
        return [
            {"line": line, "column": column, "problem": what} for line, column, what in row.problems
        ]


class UploadTableSerializer(StrictBody):
    """A form with a table, .csv or .xlsx, that has a heading."""

    file = serializers.FileField()
    account = ScopedRelatedField(
        queryset=Account.objects.all(),
        pk_field=serializers.IntegerField(),  # in a form all is text
        help_text="For which the addresses are.",
    )
    unit = ScopedRelatedField(
        queryset=Unit.objects.all(),
        required=False,
        pk_field=serializers.IntegerField(),
        help_text="To which new people belong; your own if you leave it out.",
    )
    audience = ScopedRelatedField(
        queryset=Audience.objects.all(),
        required=False,
        pk_field=serializers.IntegerField(),
        help_text="A fixed list on which all of them come.",
    )


class ColumnsSerializer(StrictBody):
    """By field the number of its column, from 0."""

    def get_fields(self) -> dict[str, Any]:
        return {
            name: WholeNumber(
                min_value=0, max_value=MOST_COLUMNS - 1, required=name == "address", help_text=label
            )
            for name, label in FIELDS.items()
        }


class CheckSerializer(StrictBody):
    """What the columns are, and how the text is encoded; what is left out is as it seems."""

    columns = ColumnsSerializer(required=False)
    encoding = Choice(choices=list(ENCODINGS), required=False, help_text="Of a .csv.")


class TableParser(BoundedMultiPartParser):
    """A table, and what a form puts around it."""

    limit = MOST_BYTES + 1024 * 1024


class ImportFilter(filters.FilterSet):
    """Narrows the list of imports."""

    unit = IdFilter(label="For this unit itself.")
    account = IdFilter(label="Of this account.")
    stage = filters.ChoiceFilter(choices=RecipientImport.Stage.choices)


@extend_schema(tags=["recipients"])
class ImportViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActingViewSet):
    """People from tables. Needs a manager."""

    queryset = RecipientImport.objects.select_related("unit", "account", "audience__unit")
    serializer_class = ImportSerializer
    filterset_class = ImportFilter
    acts = {
        "list": Act.VIEW,
        "retrieve": Act.VIEW,
        "create": Act.CREATE,
        "check": Act.CHANGE,
        "take_in": Act.CHANGE,
        "destroy": Act.DELETE,
    }

    def get_parsers(self) -> list[BaseParser]:
        takes_file = self.action_map.get("post") == "create"
        return [TableParser() if takes_file else StrictJSONParser()]

    @extend_schema(responses=WholeImportSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One import, with what is wrong in which line."""
        return self._answer(self.get_object())

    @extend_schema(
        request={"multipart/form-data": UploadTableSerializer},
        responses={status.HTTP_201_CREATED: WholeImportSerializer},
    )
    def create(self, request: Request) -> Response:
        """Upload a table. Nothing of it is written yet."""
        upload = UploadTableSerializer(data=request.data, context=self.get_serializer_context())
        upload.is_valid(raise_exception=True)
        values = dict(upload.validated_data)
        values["unit"] = values.get("unit") or own_unit(request.user)
        try:
            row = importing.upload(by=request.user, **values)
        except BadValue as error:
            raise serializers.ValidationError(error.message_dict) from error
        except UnusableFile as error:
            raise serializers.ValidationError({"file": [str(error)]}) from error
        return self._answer(row, status.HTTP_201_CREATED)

    @extend_schema(request=CheckSerializer, responses=WholeImportSerializer)
    @action(methods=["post"], detail=True)
    def check(self, request: Request, pk: str) -> Response:
        """Check every row. `stage` is then `checked`, or `refused` with its `problems`."""
        row = self.get_object()
        asked: Any = CheckSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        encoding, mapping = said.get("encoding", row.encoding), said.get("columns", row.mapping)
        _carry_out(importing.check_rows(row, encoding=encoding, mapping=mapping))
        row.refresh_from_db()
        return self._answer(row)

    @extend_schema(request=None, responses=WholeImportSerializer)
    @action(methods=["post"], detail=True, url_path="import")
    def take_in(self, request: Request, pk: str) -> Response:
        """Write all rows, or none: the import must have been checked, and without a problem."""
        row = self.get_object()
        _carry_out(importing.run(row, by=request.user))
        if row.stage != RecipientImport.Stage.IMPORTED:
            raise Conflict(_("Nothing was imported. Check the rows first."))
        return self._answer(row)

    @extend_schema(responses={status.HTTP_204_NO_CONTENT: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Forget it, with its file. Who was imported stays."""
        importing.discard(self.get_object(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _answer(self, row: RecipientImport, code: int = status.HTTP_200_OK) -> Response:
        return Response(WholeImportSerializer(row).data, status=code)


def _carry_out(steps: Iterator[int]) -> None:
    try:
        for _rows in steps:
            pass
    except UnusableFile as error:
        raise Conflict(str(error)) from error
