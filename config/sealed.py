"""Where secrets lie at rest: every row that holds one, and sealing them anew with the first of
TEIJI_SECRET_KEYS."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import models, transaction

from channels.secrets import sealed_anew

COLUMN = "sealed"  # a model with a secret has a column of this name
FACTOR_SECRETS = ("secret", "seed", "migrated_codes")  # what allauth hands to our adapter


@dataclass
class Report:
    anew: int = 0
    already: int = 0
    closed: list[str] = field(default_factory=list)  # what no key opens, by name


def count() -> int:
    """How many rows hold a secret."""
    return sum(rows.count() for rows in (*_sealed_rows(), _factors()))


def closed() -> list[str]:
    """The names of what the present keys do not open."""
    return seal_all_anew(dry_run=True).closed


def seal_all_anew(*, dry_run: bool, done: Callable[[int], None] = lambda more: None) -> Report:
    """Seal with the first key what another has sealed. Rows are taken one by one, so that all goes
    on meanwhile; what is stored by others in between is theirs. `done` hears of each row."""
    report = Report()
    for name, seal_anew in _secrets(dry_run):
        try:
            if seal_anew():
                report.anew += 1
            else:
                report.already += 1
        except ImproperlyConfigured:
            report.closed.append(name)
        done(1)
    return report


def _secrets(dry_run: bool) -> Iterator[tuple[str, Callable[[], bool]]]:
    """The name of each, and what seals it anew (False: that was not needed)."""
    for rows in _sealed_rows():
        for row in rows.order_by("pk").iterator():
            yield str(row), lambda row=row: _row_anew(row, dry_run)  # type: ignore[misc]
    for factor in _factors().select_related("user").order_by("pk").iterator():
        name = f"{factor.user.get_username()} (second factor)"
        yield name, lambda factor=factor: _factor_anew(factor, dry_run)  # type: ignore[misc]


def _sealed_rows() -> Iterator[models.QuerySet]:
    for model in apps.get_models():
        if any(column.name == COLUMN for column in model._meta.local_fields):
            yield model._default_manager.exclude(**{COLUMN: ""})


def _row_anew(row: models.Model, dry_run: bool) -> bool:
    old = getattr(row, COLUMN)
    new = sealed_anew(old)
    if new == old or dry_run:
        return new != old
    same = type(row)._default_manager.filter(pk=row.pk, **{COLUMN: old})
    return bool(same.update(**{COLUMN: new}))


def _factors() -> models.QuerySet[Authenticator]:
    return Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN)  # it holds no secret


def _factor_anew(factor: Authenticator, dry_run: bool) -> bool:
    if dry_run:
        return bool(_data_anew(factor.data) != factor.data)
    with transaction.atomic():  # it is held: which codes were used is stored in it as well
        stored = Authenticator.objects.select_for_update().filter(pk=factor.pk).first()
        new = _data_anew(stored.data) if stored else None
        if stored is None or new == stored.data:
            return False
        stored.data = new
        stored.save(update_fields=["data"])
    return True


def _data_anew(data: dict[str, Any]) -> dict[str, Any]:
    return {name: _anew(value) if name in FACTOR_SECRETS else value for name, value in data.items()}


def _anew(value: str | list[str]) -> str | list[str]:
    return sealed_anew(value) if isinstance(value, str) else [sealed_anew(one) for one in value]
