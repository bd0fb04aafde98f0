"""Images as they were uploaded: to look at."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from channels.models import Image
from channels.models.image import Rendition
from config.scoped.admin import ReadOnlyAdmin
from config.scoped.times import moment, read_by


@admin.register(Image)
class ImageAdmin(ReadOnlyAdmin):
    change_form_outer_before_template = "organisation/why_above.html"
    list_display = ["thumbnail", "name", "unit", "dimensions", "size", "uploaded", "created_by"]
    list_display_links = ["thumbnail", "name"]
    list_filter = ["content_type", "unit"]
    list_select_related = ["unit", "created_by"]
    search_fields = ["name"]
    ordering = ["-id"]
    fields = ["picture", "name", "unit", "content_type", "dimensions", "size", "uploaded",
              "created_by"]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return read_by(request.user, super().get_queryset(request))

    @admin.display(description=_("image"))
    def thumbnail(self, image: Image) -> SafeString:
        return _shown(image, Rendition.PREVIEW, "teiji-thumbnail")

    @admin.display(description=_("image"))
    def picture(self, image: Image) -> SafeString:
        return _shown(image, Rendition.ORIGINAL, "teiji-picture")

    @admin.display(description=_("pixels"))
    def dimensions(self, image: Image) -> str:
        return f"{image.width} × {image.height}"

    @admin.display(description=_("size"), ordering="file_bytes")
    def size(self, image: Image) -> str:
        return filesizeformat(image.file_bytes)

    @admin.display(description=_("uploaded"), ordering="created_at")
    def uploaded(self, image: Any) -> Any:
        return moment(image.created_at, image.read_in)


def _shown(image: Image, rendition: str, look: str) -> SafeString:
    address = reverse("image-file", args=[image.pk, rendition])
    return format_html(
        '<img src="{}" alt="{}" class="{}" loading="lazy">', address, image.name, look
    )
