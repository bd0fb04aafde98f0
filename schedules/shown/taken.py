"""Of how many people of a batch the channel took the message, and whose addresses it refused."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import ngettext

from channels.models import Recipient
from logs.models import Attempt
from orgs.reach import within
from schedules.models import Delivery
from schedules.states import DeliveryState

ARRIVED = (DeliveryState.SENT, DeliveryState.CONFIRMED)
NAMED = 20  # people


@dataclass(frozen=True)
class Taken:
    """`refused`: their names, as far as the reader may know them, else their addresses."""

    people: int
    refused: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """“9 people; the channel refused 1 address: Ann”."""
        count = number_format(self.people, use_l10n=True, force_grouping=True)
        said = ngettext("%(count)s person", "%(count)s people", self.people) % {"count": count}
        if not self.refused:
            return said
        count = number_format(len(self.refused), use_l10n=True, force_grouping=True)
        names = ", ".join(self.refused[:NAMED]) + (" …" if len(self.refused) > NAMED else "")
        refused = ngettext(
            "%(people)s; the channel refused %(count)s address: %(names)s",
            "%(people)s; the channel refused %(count)s addresses: %(names)s",
            len(self.refused),
        )
        return refused % {"people": said, "count": count, "names": names}


def taken_of(
    user: Any, deliveries: Iterable[Delivery], attempts: Mapping[int, list[Attempt]]
) -> dict[int, Taken]:
    """By delivery, for the batches that have arrived. One query, where an address was refused."""
    batches = [row for row in deliveries if row.members is not None and row.state in ARRIVED]
    refused = {row.pk: _refused(row, attempts[row.pk]) for row in batches}
    names = _names(user, batches, {address for some in refused.values() for address in some})
    return {
        row.pk: Taken(
            len(row.members or ()) - len(refused[row.pk]),
            tuple(names.get((row.account_id, each), each) for each in refused[row.pk]),
        )
        for row in batches
    }


def all_taken(taken: Iterable[Taken]) -> Taken:
    """The batches of a run together."""
    some = list(taken)
    return Taken(sum(t.people for t in some), tuple(name for t in some for name in t.refused))


def _refused(row: Delivery, attempts: list[Attempt]) -> list[str]:
    said = {address for attempt in attempts for address in attempt.answer.get("refused", ())}
    return [address for address in row.members or () if address in said]


def _names(user: Any, batches: list[Delivery], addresses: set[str]) -> dict[tuple[int, str], str]:
    if not addresses:
        return {}
    accounts = {row.account_id for row in batches}
    people = Recipient.objects.filter(account__in=accounts, address__in=addresses).exclude(name="")
    found = within(user, people).values_list("account_id", "address", "name")
    return {(account, address): name for account, address, name in found}
