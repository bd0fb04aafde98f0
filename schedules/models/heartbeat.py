"""Signs of life of the machine's parts."""

from datetime import datetime, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

from orgs.moments import written

LIVELY = timedelta(seconds=3)  # each goes round once a second
KEPT = timedelta(days=1)  # a part that has been silent for so long is forgotten


class Heartbeat(models.Model):
    """When a part of the machine last went round."""

    class Kind(models.TextChoices):
        LOOP = "loop", _("a worker’s loop")
        TICK = "tick", _("the tick of beat")
        HOUR = "hour", _("the duty of each hour")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    name = models.CharField(_("name"), max_length=100)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")
        constraints = [
            models.UniqueConstraint(fields=["kind", "name"], name="one_heartbeat_per_part"),
        ]

    def __str__(self) -> str:
        return f"{self.name} · {written(self.at, 'UTC')}"

    @classmethod
    def beat(cls, kind: str, name: str, now: datetime) -> None:
        """Note that this part is alive."""
        if not cls.objects.filter(kind=kind, name=name).update(at=now):
            cls.objects.filter(at__lt=now - KEPT).delete()
            cls.objects.update_or_create(kind=kind, name=name, defaults={"at": now})

    @classmethod
    def take_turn(cls, kind: str, name: str, now: datetime, *, every: timedelta) -> bool:
        """Note that this part goes round now, unless it has within `every`: of several workers
        that ask, one may. After a clock that was put back it may at once."""
        _row, is_new = cls.objects.get_or_create(kind=kind, name=name, defaults={"at": now})
        ripe = models.Q(at__lte=now - every) | models.Q(at__gt=now + every)
        return is_new or bool(cls.objects.filter(ripe, kind=kind, name=name).update(at=now))

    @classmethod
    def end(cls, kind: str, name: str) -> None:
        """Note that this part has stopped as it should: it is not missed."""
        cls.objects.filter(kind=kind, name=name).delete()

    @classmethod
    def lost(
        cls, kind: str, now: datetime, *, after: timedelta, within: timedelta
    ) -> models.QuerySet["Heartbeat"]:
        """The parts of this kind that have been silent for longer than `after`, and went round
        `within`: killed, or hung."""
        return cls.objects.filter(kind=kind, at__lt=now - after, at__gte=now - within)

    @classmethod
    def alive(cls, kind: str, now: datetime, within: timedelta = LIVELY) -> int:
        """How many parts of this kind have been round just now."""
        return cls.objects.filter(kind=kind, at__gte=now - within).count()

    @classmethod
    def silent(cls, kind: str, now: datetime) -> list[str]:
        """The parts of this kind that went round once, and not any more."""
        gone = cls.objects.filter(kind=kind, at__lt=now - LIVELY)
        return list(gone.values_list("name", flat=True))

    @classmethod
    def age(cls, kind: str, now: datetime) -> float | None:
        """Seconds since any part of this kind went round; None: never."""
        last = cls.objects.filter(kind=kind).order_by("-at").values_list("at", flat=True).first()
        return (now - last) / timedelta(seconds=1) if last else None
