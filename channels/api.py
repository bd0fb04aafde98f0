"""Rooms and images in the API."""

from copy import copy
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from channels.models import Account, Image, Room
from channels.models.image import Rendition
from channels.promises import Promise
from channels.renditions import FILE_LIMIT, UnusableImage
from config.scoped.api import ScopedViewSet
from config.scoped.fields import ScopedRelatedField, StrictSerializer, own_unit
from config.scoped.filters import IdFilter, YesNoFilter
from config.scoped.parsers import BoundedMultiPartParser
from logs import history
from orgs.clock import database_now
from orgs.models import Unit
from orgs.reach import Act


class RoomSerializer(StrictSerializer):
    """A place to send to. Of its account it shows the id and the channel, nothing else."""

    unit = ScopedRelatedField(queryset=Unit.objects.all())
    account = ScopedRelatedField(
        queryset=Account.objects.all(),
        help_text="The account through which it is reached: one of yours, or a shared one.",
    )
    channel = serializers.CharField(source="account.kind", read_only=True)

    promise = serializers.ChoiceField(
        choices=Promise.choices,
        source="account.promise",
        read_only=True,
        help_text="How often a message arrives of which the channel's answer was lost.",
    )

    class Meta:
        model = Room
        fields = [
            "id", "unit", "account", "channel", "promise", "name", "address", "kind", "language",
            "is_active", "min_interval_seconds", "daily_cap", "quiet_from", "quiet_until",
            "never_quiet",
        ]  # fmt: skip
        validators: list[Any] = []  # the model's own constraint answers, in words for people

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        candidate = copy(self.instance) if self.instance else Room()
        for name, value in values.items():
            setattr(candidate, name, value)
        try:
            candidate.full_clean()
        except ValidationError as error:
            raise serializers.ValidationError(error.message_dict) from error
        return values


class RoomFilter(filters.FilterSet):
    """Narrows the list of rooms."""

    unit = IdFilter(label="Rooms of this unit itself.")
    kind = filters.ChoiceFilter(choices=Room.Kind.choices)
    is_active = YesNoFilter(label="Only rooms that are sent to, or only the others.")
    search = filters.CharFilter("name", "icontains", label="Part of the name.")


@extend_schema(tags=["rooms"])
class RoomViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    ScopedViewSet,
):
    """Rooms within reach. None is deleted, for its log refers to it: make it inactive."""

    queryset = Room.objects.select_related("account")
    serializer_class = RoomSerializer
    filterset_class = RoomFilter
    acts = {
        "list": Act.VIEW,
        "retrieve": Act.VIEW,
        "create": Act.CREATE,
        "update": Act.CHANGE,
        "partial_update": Act.CHANGE,
    }

    def perform_create(self, serializer: Any) -> None:
        self._save(serializer, "created", before={})

    def perform_update(self, serializer: Any) -> None:
        self._save(serializer, "updated", before=facts(serializer.instance))

    def _save(self, serializer: Any, verb: str, *, before: dict[str, Any]) -> None:
        try:
            with transaction.atomic():
                room = serializer.save()
                after = facts(room)
                history.record(
                    verb,
                    room,
                    by=self.request.user,
                    now=database_now(),
                    unit_path=room.unit.path,
                    changes={
                        name: [before.get(name), after[name]]
                        for name in after
                        if before.get(name) != after[name]
                    },
                )
        except IntegrityError:
            # The same address was added between the check and the save: the check says so now.
            serializer.validate(serializer.validated_data)
            raise


def facts(room: Room) -> dict[str, Any]:
    """What the history keeps of a room."""
    return {
        "unit": room.unit_id,
        "account": room.account_id,
        "name": room.name,
        "address": room.address,
        "kind": room.kind,
        "language": room.language,
        "is_active": room.is_active,
        "min_interval_seconds": room.min_interval_seconds,
        "daily_cap": room.daily_cap,
        "quiet_from": room.quiet_from and room.quiet_from.isoformat(),
        "quiet_until": room.quiet_until and room.quiet_until.isoformat(),
        "never_quiet": room.never_quiet,
    }


class ImageSerializer(serializers.ModelSerializer):
    """An image as it was encoded anew at upload."""

    unit: Any = serializers.PrimaryKeyRelatedField(read_only=True)
    url = serializers.SerializerMethodField(help_text="For people who are signed in.")
    preview_url = serializers.SerializerMethodField(help_text="For people who are signed in.")

    class Meta:
        model = Image
        fields = [
            "id", "unit", "name", "content_type", "width", "height", "file_bytes", "sha256",
            "url", "preview_url", "created_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.URI)
    def get_url(self, image: Image) -> str:
        return self._address(image, Rendition.ORIGINAL)

    @extend_schema_field(OpenApiTypes.URI)
    def get_preview_url(self, image: Image) -> str:
        return self._address(image, Rendition.PREVIEW)

    def _address(self, image: Image, which: str) -> str:
        path = reverse("image-file", args=[image.pk, which])
        return str(self.context["request"].build_absolute_uri(path))


class UploadSerializer(serializers.Serializer):
    """A form with a JPEG, PNG or WebP file of at most 10 MB."""

    file = serializers.FileField()
    unit = ScopedRelatedField(
        queryset=Unit.objects.all(),
        required=False,
        pk_field=serializers.IntegerField(),  # in a form all is text
        help_text="The unit to which the image belongs; your own if you leave it out.",
    )

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if "unit" not in values:
            values["unit"] = own_unit(self.context["request"].user)
        return values


class UploadParser(BoundedMultiPartParser):
    """An image, and what a form puts around it."""

    limit = FILE_LIMIT + 1024 * 1024


class ImageFilter(filters.FilterSet):
    """Narrows the list of images."""

    unit = IdFilter(label="Images of this unit itself.")
    search = filters.CharFilter("name", "icontains", label="Part of the name.")


@extend_schema(tags=["images"])
class ImageViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """Images within reach, and the upload of new ones."""

    queryset = Image.objects.all()
    serializer_class = ImageSerializer
    filterset_class = ImageFilter
    parser_classes = [UploadParser]
    acts = {"list": Act.VIEW, "retrieve": Act.VIEW, "create": Act.CREATE}

    @extend_schema(request=UploadSerializer, responses={status.HTTP_201_CREATED: ImageSerializer})
    def create(self, request: Request) -> Response:
        """Upload an image."""
        upload = UploadSerializer(data=request.data, context=self.get_serializer_context())
        upload.is_valid(raise_exception=True)
        file, unit = upload.validated_data["file"], upload.validated_data["unit"]
        user: Any = request.user
        try:
            with transaction.atomic():
                image = Image.objects.store(unit=unit, by=user, data=file, name=file.name)
                history.record("created", image, by=user, now=image.created_at, unit_path=unit.path)
        except UnusableImage as error:
            raise serializers.ValidationError({"file": [str(error)]}) from error
        return Response(self.get_serializer(image).data, status=status.HTTP_201_CREATED)
