"""Where the alerts of a unit go: a URL of Apprise, or the mail of a member."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from channels.secrets import seal, unseal
from orgs.models import Member, Unit
from orgs.reach import Belongs, Role


class AlertTarget(models.Model):
    """One place. A unit without any of its own is told of by the nearest one above it."""

    reach = Belongs("unit__path", view=Role.MANAGER, write=Role.MANAGER)

    unit = models.ForeignKey(
        Unit,
        models.PROTECT,
        verbose_name=_("unit"),
        help_text=_("It is told of this unit, and of those below that have no place of their own."),
    )
    name = models.CharField(_("name"), max_length=100, help_text=_("As you call it: Ops channel."))
    sealed = models.TextField(default="", blank=True, editable=False)
    # What kind of place it is, readable without opening the URL.
    service = models.CharField(_("service"), max_length=20, blank=True, editable=False)
    member = models.ForeignKey(
        Member,
        models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("member"),
        help_text=_("By mail, to the address of this person, instead of a URL."),
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("alert target")
        verbose_name_plural = _("alert targets")
        ordering = ["unit__path", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "name"], name="one_alert_target_per_name_and_unit"
            ),
            models.CheckConstraint(
                condition=Q(member=None) ^ Q(sealed=""), name="one_url_or_one_member"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def url(self) -> str:
        return str(unseal(self.sealed).get("url", ""))

    @url.setter
    def url(self, value: str) -> None:
        self.sealed = seal({"url": value}) if value else ""
        self.service = value.partition("://")[0][:20]
