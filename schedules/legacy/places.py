"""Which unit and which room an older system meant."""

from collections import defaultdict

from django.core.exceptions import ValidationError

from channels.models import Account, Room
from orgs.models import Unit, User
from schedules.legacy.values import Unreadable

NAME_LENGTH = 100


class Places:
    """Units by their codes, rooms by their addresses at one account."""

    def __init__(self, account: Account | None) -> None:
        self.account = account
        self.added = 0
        self._units: dict[tuple[str, str], Unit] = {(u.kind, u.code): u for u in Unit.objects.all()}
        self._people = {user.username: user for user in User.objects.all()}
        mine = Room.objects.filter(account=account).select_related("unit", "account")
        self._rooms = {room.address: room for room in mine}
        self._homes: dict[str, set[Unit]] = defaultdict(set)

    def unit(self, kind: str, code: str) -> Unit:
        """The unit with the code that the older system called dt_id, ag_id or br_id."""
        found = self._units.get((kind, code))
        tops = [unit for unit in self._units.values() if unit.kind == kind and unit.is_root()]
        if found is None and kind == Unit.Kind.HEADQUARTERS and len(tops) == 1:
            return tops[0]  # there it had no code, or another one
        if found is None:
            why = f"there is no {kind} with the code “{code}” here: add it, and import again"
            raise Unreadable("created_by_id", why)
        return found

    def person(self, username: str) -> User | None:
        """Who registered it, if that person signs in here under the same name."""
        return self._people.get(username)

    def expect(self, address: str, unit: Unit) -> None:
        """A schedule of this unit goes there: a room that is added must belong to all of them."""
        self._homes[address].add(unit)

    def room(self, address: str, kind: str, unit: Unit) -> Room:
        """The room for a schedule of this unit, added where it is not there yet."""
        room = self._rooms.get(address) or self._add(address, kind, self._home(address, unit))
        if not unit.covers(room.unit):
            raise Unreadable("target_room_id", f"the room “{address}” belongs to another unit here")
        return room

    def past_room(self, address: str, unit: Unit) -> Room:
        """The room of something that was sent, whoever has it now; one that no schedule goes to
        any more is added as inactive."""
        known = self._rooms.get(address)
        return known or self._add(address, Room.Kind.LIVE, unit, is_active=False)

    def _home(self, address: str, unit: Unit) -> Unit:
        """The lowest of the units that send there: those above it reach it too."""
        return max(self._homes[address] | {unit}, key=lambda each: (len(each.path), each.path))

    def _add(self, address: str, kind: str, unit: Unit, *, is_active: bool = True) -> Room:
        assert self.account is not None, "asked for before rooms are"
        room = Room(
            unit=unit,
            account=self.account,
            name=address[:NAME_LENGTH],
            address=address,
            kind=kind,
            is_active=is_active,
        )
        try:
            room.full_clean()
        except ValidationError as error:
            raise Unreadable("target_room_id", " ".join(error.messages).rstrip(".")) from error
        room.save()
        self._rooms[address] = room
        self.added += 1
        return room
