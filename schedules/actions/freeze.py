"""Freezes an account, or a unit with all under it, and lifts that again: nothing of it is handed
over in between."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from channels import pull
from channels.models import Account, Room
from logs import history
from orgs.clock import database_now
from orgs.models import Unit
from orgs.reach import Act, can_in, under, within
from schedules.actions.refusal import OutOfReach, Refused
from schedules.actions.standing import unit_of
from schedules.holds import go_now
from schedules.models import Delivery, Freeze
from schedules.models.freeze import REASON_LENGTH


def freeze(subject: Unit | Account, *, by: Any, why: str) -> Freeze:
    """From now on nothing of it is handed over."""
    unit = subject if isinstance(subject, Unit) else subject.unit
    if not can_in(by, Act.CREATE, Freeze, unit):
        raise OutOfReach(_("There is no such thing within your reach."))
    about = {
        "unit": subject if isinstance(subject, Unit) else None,
        "account": subject if isinstance(subject, Account) else None,
        "unit_path": unit.path,
        "name": str(subject),
        "why": _reason(why),
        "frozen_by": by.get_username(),
        "placed_from": unit_of(by, unit.path),
    }
    try:
        with transaction.atomic():
            pull.hold(_phones_of(subject))
            now = database_now()
            row = Freeze.objects.create(frozen_at=now, **about)
            facts = {"why": row.why, "freeze": row.pk}
            history.record("frozen", subject, by=by, now=now, unit_path=unit.path, changes=facts)
    except IntegrityError as error:
        raise Refused(_("It is frozen already.")) from error
    return row


@transaction.atomic
def unfreeze(row: Freeze, *, by: Any, why: str) -> Freeze:
    """Let it send again: what is not too late goes now. Who stands below whoever froze it may
    not."""
    rows = within(by, Freeze.objects.all(), Act.CHANGE).filter(pk=row.pk)
    held = rows.select_related("unit", "account", "placed_from").select_for_update(of=("self",))
    found = held.first()
    if found is None:
        raise OutOfReach(_("There is no such freeze."))
    if found.lifted_at:
        raise Refused(_("It was lifted already, by %(who)s.") % {"who": found.lifted_by})
    if not can_in(by, Act.CHANGE, Freeze, found.placed_from):
        words = _("%(who)s of %(unit)s has frozen it: only there, or above, it is lifted.")
        raise Refused(words % {"who": found.frozen_by, "unit": found.placed_from})
    now = database_now()
    found.lifted_why, found.lifted_at, found.lifted_by = _reason(why), now, by.get_username()
    found.save(update_fields=["lifted_why", "lifted_at", "lifted_by"])
    subject = found.unit or found.account
    assert subject is not None, "a constraint of the table"
    facts = {"why": found.lifted_why, "freeze": found.pk}
    history.record("unfrozen", subject, by=by, now=now, unit_path=found.unit_path, changes=facts)
    go_now(Delivery.objects.filter(reason=Delivery.Reason.FROZEN), now)
    return found


def in_force_of(subject: Unit | Account, *, by: Any) -> Freeze | None:
    """The freeze of this very unit or account."""
    mine = {"unit": subject} if isinstance(subject, Unit) else {"account": subject}
    return within(by, Freeze.objects.in_force()).filter(**mine).first()


def _phones_of(subject: Unit | Account) -> QuerySet[Account]:
    """The accounts through which phones fetch what the freeze is to hold."""
    phones = pull.with_phones()
    if isinstance(subject, Account):
        return phones.filter(pk=subject.pk)
    return phones.filter(pk__in=under(subject, Room.objects.all()).values("account"))


def _reason(why: str) -> str:
    cleaned = why.replace("\x00", "").strip()[:REASON_LENGTH]
    if not cleaned:
        message = _("Write down why: it stands in the history.")
        raise Refused(message, {"why": [message]})
    return cleaned
