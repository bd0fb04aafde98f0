"""An import of people from a file, between its steps."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from channels.models.account import Account
from channels.models.audience import Audience
from orgs.models import Unit, User
from orgs.reach import Belongs, Role

KEPT = timedelta(days=1)  # a file that nobody went on with


def unguessable_path(_import: "RecipientImport", _filename: str) -> str:
    """Where an upload is stored: nothing of the person's name for it."""
    return f"imports/{uuid4().hex}"


class RecipientImportQuerySet(models.QuerySet["RecipientImport"]):
    def forget(self, now: datetime) -> None:
        """Delete the files that were left lying."""
        for row in self.filter(created_at__lt=now - KEPT).exclude(file=""):
            row.drop_file()


class RecipientImport(models.Model):
    """One file: uploaded, its columns named, its rows checked, imported. The file is deleted when
    it is done with; what stays are the figures."""

    reach = Belongs("unit__path", view=Role.MANAGER, write=Role.MANAGER)

    class Stage(models.TextChoices):
        UPLOADED = "uploaded", pgettext_lazy("a file", "uploaded")
        CHECKED = "checked", _("checked")
        REFUSED = "refused", _("has errors")
        IMPORTED = "imported", _("imported")

    unit = models.ForeignKey(
        Unit, models.PROTECT, verbose_name=_("unit"), help_text=_("New people belong to it.")
    )
    account = models.ForeignKey(Account, models.PROTECT, verbose_name=_("account"))
    audience = models.ForeignKey(
        Audience,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("fixed list"),
        help_text=_("All people of the file are put on it. Empty: on none."),
    )
    file = models.FileField(
        _("file"), upload_to=unguessable_path, blank=True, help_text=_("A table: .csv or .xlsx.")
    )
    file_name = models.CharField(_("file name"), max_length=100, editable=False)
    encoding = models.CharField(_("encoding"), max_length=20, blank=True, editable=False)
    is_workbook = models.BooleanField(default=False, editable=False)
    # {field: number of the column, from 0}
    mapping = models.JSONField(_("columns"), default=dict, editable=False)
    stage = models.CharField(
        _("stage"), max_length=10, choices=Stage.choices, default=Stage.UPLOADED, editable=False
    )
    rows = models.PositiveIntegerField(_("rows"), default=0, editable=False)
    created = models.PositiveIntegerField(_("new"), default=0, editable=False)
    updated = models.PositiveIntegerField(_("known"), default=0, editable=False)
    # [[line, column, what is wrong]]: the first of them, and how many there are.
    problems = models.JSONField(default=list, editable=False)
    problem_count = models.PositiveIntegerField(_("errors"), default=0, editable=False)
    created_at = models.DateTimeField(_("uploaded"), editable=False)
    created_by = models.ForeignKey(
        User, models.SET_NULL, null=True, editable=False, related_name="+"
    )
    imported_at = models.DateTimeField(_("imported"), null=True, editable=False)

    objects = RecipientImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("import of people")
        verbose_name_plural = _("imports of people")
        ordering = ["-id"]
        indexes = [
            # The imports of a unit, newest first.
            models.Index(fields=["unit", "-id"], name="imports_of_one_unit"),
        ]

    def __str__(self) -> str:
        return self.file_name

    def clean(self) -> None:
        """As of a person: the account reaches down to the unit. The list is of both."""
        if not (self.account_id and self.unit_id):
            return
        self.account.refuse_other_trees(self.unit)
        if not self.account.adapter_class.limits.members_per_request:
            message = _("The channel of this account has no audiences.")
            raise ValidationError({"account": message})
        if self.audience and not self._fits(self.audience):
            message = _("Choose a fixed list of the same account, of this unit or one above it.")
            raise ValidationError({"audience": message})

    @property
    def needs_encoding(self) -> bool:
        """Whether a person must say how the text is encoded; a workbook says it itself."""
        return not self.encoding and not self.is_workbook

    def drop_file(self) -> None:
        """Delete the upload; the row stays."""
        self.file.delete(save=False)
        self.save(update_fields=["file"])

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        if self.file:
            self.file.delete(save=False)
        return super().delete(*args, **kwargs)

    def _fits(self, audience: Audience) -> bool:
        return (
            audience.kind == Audience.Kind.LIST
            and audience.account_id == self.account_id
            and audience.unit.covers(self.unit)
        )
