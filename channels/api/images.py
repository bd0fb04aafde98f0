"""Images in the API."""

from typing import Any

from django.db import transaction
from django.urls import reverse
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from channels.models import Image
from channels.models.image import Rendition
from channels.renditions import FILE_LIMIT, UnusableImage
from config.scoped.api import ScopedViewSet
from config.scoped.fields import ScopedRelatedField, ShownSerializer, StrictBody, own_unit
from config.scoped.filters import IdFilter
from config.scoped.parsers import BoundedMultiPartParser
from logs import history
from orgs.models import Unit
from orgs.reach import Act


class ImageSerializer(ShownSerializer):
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


class UploadSerializer(StrictBody):
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
