"""What a person wants to see of a list again and again: theirs alone."""

from urllib.parse import urlencode

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from orgs.reach import Belongs, Role

MOST = 30  # of one person and list
LONGEST = 1000  # characters of a query
NAME_LENGTH = 60
# What an address says beside what it narrows to.
NOT_KEPT = ("p", "e", "all", "_changelist_filters", "_popup", "_to_field")


class SavedFilter(models.Model):
    """A name for what a list is narrowed to."""

    # Nobody else sees it: pages ask for one's own.
    reach = Belongs("user__member__unit__path", view=Role.MANAGER, write=Role.MANAGER)

    class Page(models.TextChoices):
        SCHEDULES = "schedule", _("schedules")
        LOG = "delivery", _("send log")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    page = models.CharField(_("list"), max_length=10, choices=Page.choices)
    name = models.CharField(_("name"), max_length=NAME_LENGTH)
    query = models.CharField(_("filters"), max_length=LONGEST, blank=True)
    is_default = models.BooleanField(
        _("opens the list"), default=False, help_text=_("The list is opened with it.")
    )

    class Meta:
        verbose_name = _("saved filter")
        verbose_name_plural = _("saved filters")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "page", "name"], name="one_saved_filter_per_name"
            ),
            models.UniqueConstraint(
                fields=["user", "page"],
                condition=Q(is_default=True),
                name="one_saved_filter_opens_a_list",
            ),
            models.CheckConstraint(
                condition=Q(page__in=["schedule", "delivery"]), name="list_of_filter_is_known"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="saved_filter_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name


def kept_of(query: QueryDict) -> str:
    """What of an address narrows its list, always in one order."""
    pairs = [(name, value) for name, values in query.lists() for value in values]
    return urlencode(sorted(pair for pair in pairs if pair[0] not in NOT_KEPT and pair[1]))
