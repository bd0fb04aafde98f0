"""Templates in the API, and schedules that are made from them."""

from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from channels.models import Image
from config.scoped.acting import ActingViewSet
from config.scoped.fields import ScopedIds, ScopedRelatedField, StrictSerializer, Words, own_unit
from config.scoped.filters import IdFilter, YesNoFilter
from orgs.models import Unit
from orgs.reach import Act, can, within
from schedules import rules
from schedules.actions.template import apply_template, delete_template, save_template
from schedules.api.representation import BOUNDS, RepetitionSerializer, ScheduleSerializer
from schedules.content import MOST_IMAGES
from schedules.models import MessageTemplate, Schedule, TemplateBlock
from schedules.models.prefills import PREFILLED
from schedules.models.template import LONGEST_VALUE, validate_placeholder
from schedules.placeholders import meaning, names
from schedules.shown.prefills import prefills_in_words

MOST_BLOCKS = 50
MOST_DEFAULTS = 100


class BlockSerializer(StrictSerializer):
    """A passage of the text. Who uses the template cannot change one that is locked."""

    class Meta:
        model = TemplateBlock
        fields = ["text", "is_locked"]
        extra_kwargs = {"text": {"trim_whitespace": False}}

    def validate_text(self, text: str) -> str:
        return text.replace("\r\n", "\n").replace("\r", "\n")


class Defaults(serializers.DictField):
    """Values by the name of their placeholder, for units that have none."""

    child = Words(max_length=LONGEST_VALUE, allow_blank=True, trim_whitespace=False)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        values: dict[str, str] = super().to_internal_value(data)
        if len(values) > MOST_DEFAULTS:
            message = _("At most %(most)d values.") % {"most": MOST_DEFAULTS}
            raise serializers.ValidationError([message])
        try:
            for name in values:
                validate_placeholder(name)
        except ValidationError as error:
            raise serializers.ValidationError(error.messages) from error
        return {meaning(name): value for name, value in values.items()}

    def get_attribute(self, template: MessageTemplate) -> dict[str, str]:
        return {row.name: row.value for row in template.defaults.all()}


class TemplateImageIds(ScopedIds):
    """The images in the order in which a room sees them."""

    def get_attribute(self, template: MessageTemplate) -> Any:
        return template.template_images

    def to_representation(self, rows: Any) -> list[int]:
        return [row.image_id for row in rows.all()]


class TemplateSerializer(RepetitionSerializer):
    """A message to start schedules from."""

    unit = ScopedRelatedField(
        queryset=Unit.objects.all(),
        required=False,
        help_text="Whose template it is; your own unit’s if you leave it out.",
    )
    blocks: Any = BlockSerializer(  # type: ignore[call-arg]  # as a list it takes both lengths
        many=True, min_length=1, max_length=MOST_BLOCKS, help_text="The text, passage by passage."
    )
    defaults = Defaults(required=False, help_text="Values where a unit has none of its own.")
    images = TemplateImageIds(queryset=Image.objects.all(), required=False, max_length=MOST_IMAGES)
    placeholders = serializers.SerializerMethodField(help_text="Those of the text.")
    fills_in = serializers.SerializerMethodField(
        help_text="When and how its schedules go, in words, as for its own unit; empty: as is said "
        "when it is used."
    )
    is_system = serializers.BooleanField(read_only=True, help_text="From a headquarters.")

    class Meta:
        model = MessageTemplate
        fields = [
            "id", "unit", "name", "blocks", "defaults", "images", "order", "interval_seconds",
            "placeholders", *PREFILLED, "fills_in", "is_shared", "is_active", "is_system",
        ]  # fmt: skip
        extra_kwargs = {"interval_seconds": {"max_value": rules.MOST_INTERVAL}, **BOUNDS}
        validators: list[Any] = []  # the act answers, in words for people

    def get_placeholders(self, template: MessageTemplate) -> list[str]:
        return names(template.text)

    def get_fills_in(self, template: MessageTemplate) -> str:
        return prefills_in_words(template, template.unit.zone)


class ApplySerializer(RepetitionSerializer):
    """For whom, and under which id of the caller’s: the same one twice makes one draft. What else
    is said counts before what the template says."""

    unit = ScopedRelatedField(
        queryset=Unit.objects.all(),
        required=False,
        help_text="For which unit it is sent; your own if you leave it out.",
    )
    uid = serializers.UUIDField(required=False)

    class Meta:
        model = Schedule
        fields = ["unit", "uid", *PREFILLED]
        extra_kwargs = BOUNDS


class AppliedSerializer(ScheduleSerializer):
    """The draft that was made."""

    notes = serializers.SerializerMethodField(
        help_text="What of the template’s defaults could not be used as it is, and why."
    )

    class Meta(ScheduleSerializer.Meta):
        fields = [*ScheduleSerializer.Meta.fields, "notes"]

    def get_notes(self, schedule: Schedule) -> list[str]:
        notes: list[str] = self.context["notes"]
        return notes


class TemplateFilter(filters.FilterSet):
    """Narrows the list of templates."""

    unit = IdFilter(label="Of this unit itself.")
    is_active = YesNoFilter(label="Only those that are offered, or only the others.")
    search = filters.CharFilter("name", "icontains", label="Part of the name.")


@extend_schema(tags=["templates"])
class TemplateViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActingViewSet):
    """Templates within reach, and the shared ones of the units above, which are only read."""

    queryset = MessageTemplate.objects.select_related("unit").prefetch_related(
        "blocks", "defaults", "template_images"
    )
    serializer_class = TemplateSerializer
    filterset_class = TemplateFilter
    acts = {
        "list": Act.VIEW,
        "retrieve": Act.VIEW,
        "create": Act.CREATE,
        "update": Act.CHANGE,
        "partial_update": Act.CHANGE,
        "destroy": Act.DELETE,
        "apply": Act.CREATE,
    }
    made_at = {"apply": "schedule"}

    def get_queryset(self) -> QuerySet:
        rows: QuerySet = self.queryset.all()
        return within(self.request.user, rows, Act.USE)

    @extend_schema(responses={status.HTTP_201_CREATED: TemplateSerializer})
    def create(self, request: Request) -> Response:
        """Keep a new template."""
        values = self._values(request)
        values.setdefault("unit", own_unit(request.user))
        template = save_template(MessageTemplate(), values, by=request.user)
        return self._answer(template, status.HTTP_201_CREATED)

    def update(self, request: Request, pk: str) -> Response:
        """Replace a template: what is left out returns to its default, but for the unit."""
        template = self._changeable(Act.CHANGE)
        values = self._values(request, instance=template)
        blank = MessageTemplate()
        columns = ("order", "interval_seconds", "is_shared", "is_active", *PREFILLED)
        defaults = {name: getattr(blank, name) for name in columns}
        defaults |= {"images": [], "defaults": {}}
        return self._answer(save_template(template, defaults | values, by=request.user))

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is given. Schedules made from it stay as they are."""
        template = self._changeable(Act.CHANGE)
        values = self._values(request, instance=template, partial=True)
        return self._answer(save_template(template, values, by=request.user))

    @extend_schema(responses={status.HTTP_204_NO_CONTENT: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Remove a template. Schedules made from it stay."""
        delete_template(self._changeable(Act.DELETE), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=ApplySerializer, responses={status.HTTP_201_CREATED: AppliedSerializer})
    @action(methods=["post"], detail=True)
    def apply(self, request: Request, pk: str) -> Response:
        """A draft schedule that is made from the template."""
        asked = ApplySerializer(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        given = dict(asked.validated_data)
        unit = given.pop("unit", None) or own_unit(request.user)
        uid = given.pop("uid", None) or uuid4()
        template = self.get_object()
        done = apply_template(template, by=request.user, unit=unit, uid=uid, given=given)
        row = Schedule.objects.get(pk=done.draft.pk)
        told = {**self.get_serializer_context(), "notes": done.notes}
        answer = AppliedSerializer(row, context=told)
        return Response(answer.data, status=status.HTTP_201_CREATED)

    def _values(self, request: Request, **kwargs: Any) -> dict[str, Any]:
        serializer = self.get_serializer(data=request.data, **kwargs)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def _changeable(self, act: Act) -> MessageTemplate:
        """The template, if it may be changed: one of a unit above is only read."""
        template: MessageTemplate = self.get_object()
        if not can(self.request.user, act, template):
            raise PermissionDenied
        return template

    def _answer(self, template: MessageTemplate, code: int = status.HTTP_200_OK) -> Response:
        row = self.get_queryset().get(pk=template.pk)
        return Response(self.get_serializer(row).data, status=code)
