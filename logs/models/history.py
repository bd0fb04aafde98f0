"""Who did what, and the chain that shows whether it still is what was written."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from logs.models.append_only import AppendOnly
from logs.models.request import request_field
from orgs.moments import reread
from orgs.reach import Belongs, Role


class History(AppendOnly):
    """Who did what to which object, when, from where, and what changed."""

    reach = Belongs("place", view=Role.VIEWER, write=Role.MANAGER)

    at = models.DateTimeField(_("at"))
    actor_id = models.BigIntegerField(null=True)
    actor = models.CharField(_("who"), max_length=150, help_text=_("Empty: the machine itself."))
    via = models.CharField(_("through"), max_length=20)
    address = models.CharField(_("from"), max_length=45, blank=True)
    verb = models.CharField(_("did"), max_length=30)
    kind = models.CharField(_("kind"), max_length=30)
    object_id = models.CharField(max_length=40)
    object_name = models.CharField(_("object"), max_length=255)
    # As it was then, which is sealed; and where that unit stands now, which follows its moves.
    unit_path = models.CharField(max_length=255)
    place = models.CharField(max_length=255, db_default="", default="", editable=False)
    changes = models.JSONField(_("changes"), default=dict, blank=True)
    request = request_field()

    class Meta:
        verbose_name = _("history entry")
        verbose_name_plural = _("history entries")
        ordering = ["-id"]
        indexes = [
            # The history of one object, newest first.
            models.Index(fields=["kind", "object_id", "-id"], name="history_of_one_object"),
            # The history within a subtree: a prefix comparison on PostgreSQL.
            models.Index(
                fields=["place"], name="history_by_place", opclasses=["varchar_pattern_ops"]
            ),
            # What was done, newest first; and a span of time.
            models.Index(fields=["verb", "-id"], name="history_by_verb"),
            models.Index(fields=["at"], name="history_by_time"),
            # All that one request did.
            models.Index(
                fields=["request"], condition=~models.Q(request=""), name="history_of_one_request"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.actor or 'Teiji'} · {reread(self.object_name)}"


class Seal(AppendOnly):
    """A history entry's place in the chain. Its digest holds the entry and the digest before."""

    number = models.BigIntegerField(primary_key=True)  # 1, 2, 3 … without a gap
    entry_id = models.BigIntegerField(unique=True)
    digest = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("seal")
        verbose_name_plural = _("seals")

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"


class Chain(models.Model):
    """How far the history has been sealed, and where the chain begins. One row.

    Ids are given before their rows can be seen: entries up to `seen_id`, the last one at
    `seen_at`, are sealed when every transaction of that time has ended.
    """

    number = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)
    entry_id = models.BigIntegerField(default=0)
    seen_id = models.BigIntegerField()
    seen_at = models.DateTimeField()
    # The last one that was pruned; the chain begins after it.
    base_number = models.BigIntegerField(default=0)
    base_digest = models.CharField(max_length=64, blank=True)
    base_entry_id = models.BigIntegerField(default=0)
    # Entries and seals can be changed only in a transaction that sets it: see logs/chain/guard.py.
    is_open = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("chain of the history")
        verbose_name_plural = _("chains of the history")

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"
