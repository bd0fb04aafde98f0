"""What is remembered of requests: answers that may be asked for again, how many came, and what
signing in counts."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Value
from django.db.models.functions import Replace

KEPT = timedelta(hours=24)
TIDIED = 20  # rows that are out of date go with each new one, so many at most


class KeptAnswerQuerySet(models.QuerySet["KeptAnswer"]):
    def claim(self, holder: str, key: str, digest: str, now: datetime) -> "KeptAnswer":
        """The row of this key: the answer that is kept, or a new one without a status, to be
        filled in before the transaction ends. Who asks meanwhile waits for that."""
        outdated = self.filter(at__lte=now - KEPT)
        outdated.filter(holder=holder, key=key).delete()
        old = outdated.order_by("at").select_for_update(skip_locked=True)
        self.filter(pk__in=list(old.values_list("pk", flat=True)[:TIDIED])).delete()
        new = KeptAnswer(holder=holder, key=key, digest=digest, at=now)
        KeptAnswer.objects.bulk_create([new], ignore_conflicts=True)
        return self.get(holder=holder, key=key)

    def answered(self, holder: str, key: str, now: datetime) -> "KeptAnswerQuerySet":
        """The row of this key, if an answer is kept."""
        kept = self.filter(holder=holder, key=key, at__gt=now - KEPT)
        return kept.filter(status__isnull=False)

    def follow_unit(self, old_path: str, new_path: str) -> int:
        """A unit was moved: who asked in it, or in one under it, still is the same."""
        old, new = f"@{old_path}", f"@{new_path}"
        rows = self.filter(holder__contains=old)
        return rows.update(holder=Replace(F("holder"), Value(old), Value(new)))


class KeptAnswer(models.Model):
    """The first answer to a request that named an Idempotency-Key."""

    # Who asked: a token or a signed-in user, in their unit. In another one they ask anew.
    holder = models.CharField(max_length=300)
    key = models.CharField(max_length=255)
    # Of address and body, keyed: what was secret in the body cannot be guessed from it.
    digest = models.CharField(max_length=64)
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    # As text: a JSON column would order its names anew.
    body = models.TextField()

    objects = KeptAnswerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["holder", "key"], name="one_answer_per_key"),
        ]
        indexes = [
            # Those that are out of date.
            models.Index(fields=["at"], name="kept_answers_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.key} · {self.status}"


class RequestCount(models.Model):
    """How many requests a token, or a signed-in user, has made in the present minute."""

    holder = models.CharField(max_length=50, primary_key=True)
    minute = models.BigIntegerField()  # since 1970
    count = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.holder} · {self.count}"


class CachedValue(models.Model):
    """Django's cache as a table (settings.CACHES): failed sign-ins, and codes that were used. They
    must be the same for all web processes, and survive their restart."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "teiji_cache"

    def __str__(self) -> str:
        return self.cache_key
