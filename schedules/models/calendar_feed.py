"""Addresses by which a person's own calendar program reads a unit's runs."""

import secrets

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from orgs.models import Unit, digest_of
from orgs.reach import Belongs, Role


class CalendarFeed(models.Model):
    """Whoever knows the address may read: so only its digest is stored, and what it shows is asked
    of the rights that its person has at that moment."""

    reach = Belongs("user__member__unit__path", view=Role.MANAGER, write=Role.MANAGER)

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    unit = models.ForeignKey(Unit, models.CASCADE, related_name="+", verbose_name=_("unit"))
    digest = models.CharField(max_length=64, unique=True, editable=False)
    shows_details = models.BooleanField(
        _("with details"),
        default=False,
        help_text=_("Unit, state, reason and a link, beside title and time."),
    )
    created_at = models.DateTimeField(_("created"))
    read_at = models.DateTimeField(_("last read"), null=True)

    class Meta:
        verbose_name = _("calendar feed")
        verbose_name_plural = _("calendar feeds")
        constraints = [
            models.UniqueConstraint(fields=["user", "unit"], name="one_feed_per_person_and_unit"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.unit}"


def new_key() -> tuple[str, str]:
    """A key for an address, and the digest that is stored of it."""
    key = secrets.token_urlsafe(32)
    return key, digest_of(key)
