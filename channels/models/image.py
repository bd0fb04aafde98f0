"""Images as uploaded by people, and the links by which channels fetch them."""

import secrets
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import datetime
from uuid import uuid4

from django.core.files.base import ContentFile
from django.db import models
from django.db.models.fields.files import FieldFile
from django.utils.translation import gettext_lazy as _

from channels.renditions import EXTENSIONS, JPEG, PNG, Readable, Rendered, render
from orgs.clock import database_now
from orgs.models import Unit, User
from orgs.reach import Belongs


class Rendition(models.TextChoices):
    """The two files of an image."""

    ORIGINAL = "original", _("original")
    PREVIEW = "preview", _("preview")


class ImageQuerySet(models.QuerySet["Image"]):
    def store(self, *, unit: Unit, by: User | None, data: bytes | Readable, name: str) -> "Image":
        """Render an upload and keep both renditions. The caller has asked reach.
        Raises UnusableImage, whose text is for the person."""
        rendered = render(data, name)
        image = self.described(rendered, unit=unit, by=by)
        with ExitStack() as undo:
            _keep(image.file, rendered.original, rendered.extension, undo)
            _keep(image.preview, rendered.preview, EXTENSIONS[JPEG], undo)
            image.save(force_insert=True)
            undo.pop_all()
        return image

    def described(self, rendered: Rendered, *, unit: Unit, by: User | None) -> "Image":
        """A new image, unsaved and without its files."""
        return self.model(
            unit=unit,
            created_by=by,
            created_at=database_now(),
            name=rendered.name,
            content_type=rendered.content_type,
            width=rendered.width,
            height=rendered.height,
            sha256=rendered.sha256,
            file_bytes=len(rendered.original),
            preview_bytes=len(rendered.preview),
        )


def _keep(field: FieldFile, data: bytes, extension: str, undo: ExitStack) -> None:
    field.save(f"upload.{extension}", ContentFile(data), save=False)
    undo.callback(field.delete, save=False)


def generated_path(image: "Image", filename: str) -> str:
    """Where a rendition is stored: nothing of the person's name for it but our extension."""
    extension = filename.rpartition(".")[2]
    return f"images/{image.created_at:%Y/%m}/{uuid4().hex}.{extension}"


class Image(models.Model):
    """An image encoded anew at upload. Its files never change."""

    reach = Belongs("unit__path")

    unit = models.ForeignKey(Unit, models.PROTECT, verbose_name=_("unit"))
    name = models.CharField(_("name"), max_length=100)
    content_type = models.CharField(
        _("type"), max_length=20, choices=[(JPEG, "JPEG"), (PNG, "PNG")], editable=False
    )
    width = models.PositiveIntegerField(_("width"), editable=False)
    height = models.PositiveIntegerField(_("height"), editable=False)
    file_bytes = models.PositiveIntegerField(_("size in bytes"), editable=False)
    preview_bytes = models.PositiveIntegerField(_("size of the preview"), editable=False)
    sha256 = models.CharField(
        max_length=64, editable=False, help_text=_("Equal for equal images, whatever their name.")
    )
    file = models.FileField(_("original"), upload_to=generated_path, editable=False)
    preview = models.FileField(_("preview"), upload_to=generated_path, editable=False)
    created_at = models.DateTimeField(_("uploaded"), editable=False)
    created_by = models.ForeignKey(
        User,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("uploaded by"),
    )

    objects = ImageQuerySet.as_manager()

    class Meta:
        verbose_name = _("image")
        verbose_name_plural = _("images")
        ordering = ["-id"]
        constraints = [
            # The type is told to browsers as it stands here.
            models.CheckConstraint(
                condition=models.Q(content_type__in=[JPEG, PNG]), name="image_is_jpeg_or_png"
            ),
        ]
        indexes = [
            # The images of a unit, newest first, for every list and choice of images.
            models.Index(fields=["unit", "-id"], name="images_of_one_unit"),
        ]

    def __str__(self) -> str:
        return self.name

    def rendition(self, which: str) -> tuple[FieldFile, str]:
        """The file of a rendition and its content type."""
        if which == Rendition.PREVIEW:
            return self.preview, JPEG
        return self.file, self.content_type


def new_token() -> str:
    """192 random bits in 32 characters that a URL can hold."""
    return secrets.token_urlsafe(24)


class MediaLinkQuerySet(models.QuerySet["MediaLink"]):
    def links_for(
        self, images: Iterable[Image], *, active_from: datetime, active_until: datetime
    ) -> list["MediaLink"]:
        """New links, unsaved: for each image its original's, then its preview's."""
        return [
            self.model(
                image=image, rendition=which, active_from=active_from, active_until=active_until
            )
            for image in images
            for which in (Rendition.ORIGINAL, Rendition.PREVIEW)
        ]

    def usable(self, token: str, now: datetime) -> "MediaLinkQuerySet":
        """The link with this token, with its image, if it opens at `now`."""
        return self.select_related("image").filter(
            token=token, active_from__lte=now, active_until__gt=now, revoked_at=None
        )

    def revoke(self, now: datetime) -> int:
        """Close these links for good; how many were not closed before."""
        return self.filter(revoked_at=None).update(revoked_at=now)


class MediaLink(models.Model):
    """A public, unguessable address of one rendition, made for one message."""

    reach = Belongs("image__unit__path")

    image = models.ForeignKey(Image, models.PROTECT, related_name="links", verbose_name=_("image"))
    rendition = models.CharField(_("rendition"), max_length=10, choices=Rendition.choices)
    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    active_from = models.DateTimeField(_("active from"))
    active_until = models.DateTimeField(_("active until"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    objects = MediaLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("media link")
        verbose_name_plural = _("media links")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(active_until__gt=models.F("active_from")),
                name="media_link_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.image} · {self.get_rendition_display()}"

    @property
    def extension(self) -> str:
        return EXTENSIONS[self.image.rendition(self.rendition)[1]]

    @property
    def path(self) -> str:
        """The address on our public host."""
        return f"/m/{self.token}.{self.extension}"
