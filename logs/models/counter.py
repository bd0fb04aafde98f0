"""How often rare things happened."""

from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _


class Counter(models.Model):
    """How often something rare has happened since the installation began. Written at the end of
    the transaction in which it happens: its row is held by one worker at a time."""

    class Name(models.TextChoices):
        FENCED_WRITE = "fenced_write", _("outcomes of workers that had lost their claim")
        ALREADY_ACCEPTED = "already_accepted", _("tries that the channel knew already")
        MISSED = "missed", _("runs and deliveries whose time passed")

    name = models.CharField(_("name"), max_length=30, choices=Name.choices, primary_key=True)
    value = models.BigIntegerField(_("value"), default=0)

    class Meta:
        verbose_name = _("counter")
        verbose_name_plural = _("counters")

    def __str__(self) -> str:
        return f"{self.name} · {self.value}"

    @classmethod
    def add(cls, name: str, more: int) -> None:
        """So many more; nothing is written for none."""
        if not more:
            return
        mine = cls.objects.filter(name=name)
        if not mine.update(value=F("value") + more):
            Counter.objects.bulk_create([Counter(name=name)], ignore_conflicts=True)
            mine.update(value=F("value") + more)
