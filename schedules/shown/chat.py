"""The chat as a room will show it, or was shown it, read back from the payloads. Where each
room has a text of its own, the chat of one of them, which the viewer chooses."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse

from channels.adapters import adapter_class
from channels.adapters.base import Bubble, Payload, Picture
from channels.models import Account, Audience, MediaLink, Room
from orgs.clock import database_now
from orgs.reach import within
from schedules.content import Content, ContentImage, pack
from schedules.models import Delivery, Run, Schedule
from schedules.placeholders import TooLong
from schedules.room_values import values_of
from schedules.rules import preview

OFFERED = 200  # rooms of which one can be chosen
LINK = re.compile(r"/m/([A-Za-z0-9_-]{32})\.(?:jpg|png)$")


@dataclass
class Chat:
    """What the rooms of one channel see, and in how many requests it is sent.

    `room_names`: the first rooms within the viewer's reach; `foreign`: how many are not.
    """

    channel: Any
    room_names: list[str] = field(default_factory=list)
    rooms: int = 0
    foreign: int = 0
    requests: list[list[Bubble]] = field(default_factory=list)
    problem: str = ""
    # Where each room has its own text: the rooms to choose from, and the one that is shown.
    choices: list[tuple[int, str]] = field(default_factory=list)
    chosen: int = 0
    audience: str = ""  # whose people each get it for themselves
    people: int | None = None  # of a run to an audience: so many of them

    @property
    def messages(self) -> int:
        return sum(len(bubbles) for bubbles in self.requests)

    @property
    def saved(self) -> int:
        """How many requests packing saves for each room."""
        return self.messages - len(self.requests)

    @property
    def total(self) -> int:
        return len(self.requests) * self.rooms

    @property
    def has_more_names(self) -> bool:
        return self.rooms - self.foreign > len(self.room_names)


def chats_of_draft(schedule: Schedule, *, by: Any, target: str = "") -> list[Chat]:
    """One chat for all rooms that are sent the same payloads, named as far as `by` reaches; of
    a text with placeholders the chat of the room with the id `target`."""
    rooms, reached = _targets(schedule, by)
    content = schedule.content
    if content.has_placeholders:
        # Of a room that was moved elsewhere the values are not shown either.
        mine = [room for room in rooms if room.pk in reached]
        return [_filled(schedule, content, mine, target)] if mine else []
    packed: dict[int, Chat] = {}
    chats: dict[str, Chat] = {}
    for room in rooms:
        if room.account_id not in packed:
            chat, same = _packed(content, room.account)
            packed[room.account_id] = chats.setdefault(same, chat)
        _add(packed[room.account_id], room, is_reached=room.pk in reached)
    return list(chats.values())


def _targets(schedule: Schedule, by: Any) -> tuple[Sequence[Room | Audience], set[int]]:
    """Where it goes, and the ids of those within the viewer's reach."""
    if schedule.audience:
        reached = within(by, Audience.objects.filter(pk=schedule.audience.pk))
        return [schedule.audience], set(reached.values_list("pk", flat=True))
    rooms = list(schedule.rooms.select_related("account").order_by("name", "id"))
    return rooms, set(within(by, schedule.rooms.all()).values_list("pk", flat=True))


def chats_of_run(run: Run, *, target: str = "") -> list[Chat]:
    """What was sent, from the payloads that the run keeps; where its deliveries keep their own,
    what the one with the id `target` was sent."""
    if not run.payloads:
        return _own_chat(run, target)
    rows = run.deliveries.order_by("account_id").values_list("account_id", "channel").distinct()
    channels = dict(rows)
    staff_url = _staff_urls(run.payloads)
    chats: dict[str, Chat] = {}
    for account_id, payloads in run.payloads.items():
        kind = channels.get(int(account_id), "")
        chat = chats.setdefault(f"{kind} {json.dumps(payloads)}", Chat(kind))
        if not chat.requests and not chat.problem:
            _read_back(chat, kind, payloads, staff_url)
        chat.rooms += run.deliveries.filter(account_id=account_id).count()
        chat.people = run.recipients
    return list(chats.values())


def sent_content(delivery: Delivery) -> dict[str, Any]:
    """The content as this room was sent it: the run's, with its own text where it has one."""
    content: dict[str, Any] = delivery.run.content
    if not delivery.own_payloads:
        return content
    try:
        adapter = adapter_class(delivery.channel)(config=None)
    except KeyError:
        return content
    bubbles = [bubble for payload in delivery.payloads for bubble in adapter.preview(payload)]
    return content | {"text": "\n".join(b.text for b in bubbles if b.kind == "text")}


def image_url(image_id: int, rendition: str = "preview") -> str:
    """Where staff see an image."""
    return reverse("image-file", args=[image_id, rendition])


def _filled(
    schedule: Schedule, content: Content, rooms: Sequence[Room | Audience], target: str
) -> Chat:
    """What the chosen room will see at the next time; while values are missing, with holes."""
    now = database_now()
    coming = preview(schedule, now, 1)
    choices = [(room.pk, room.name) for room in rooms[:OFFERED]]
    room = {str(room.pk): room for room in rooms}.get(target, rooms[0])
    found = values_of(content, [room], schedule.unit, coming[0].due_at if coming else now)
    try:
        chat = _packed(content.filled(found.get(room.pk, {})), room.account)[0]
    except TooLong as error:
        chat = Chat(room.account.kind, problem=str(error))
    chat.choices, chat.chosen = choices, room.pk
    _add(chat, room, is_reached=True)
    return chat


def _own_chat(run: Run, target: str) -> list[Chat]:
    own = run.deliveries.filter(own_payloads__isnull=False).order_by("room_name", "id")
    choices = list(own.values_list("pk", "room_name")[:OFFERED])
    if not choices:
        return []
    pk = next((pk for pk, _name in choices if str(pk) == target), choices[0][0])
    delivery = own.get(pk=pk)
    chat = Chat(delivery.channel, [delivery.room_name], 1, choices=choices, chosen=pk)
    _read_back(chat, delivery.channel, delivery.payloads, _staff_urls(delivery.payloads))
    return [chat]


def _packed(content: Content, account: Account) -> tuple[Chat, str]:
    """The chat, and a text that is equal where the chats are."""
    try:
        adapter = account.open()
        payloads = pack(content, adapter, _picture)
        chat = Chat(adapter.label, requests=[adapter.preview(payload) for payload in payloads])
    except (KeyError, ValueError, ImproperlyConfigured) as error:
        return Chat(account.kind, problem=str(error)), f"{account.pk}"
    return chat, f"{account.kind} {json.dumps(payloads)}"


def _picture(image: ContentImage) -> Picture:
    """The image behind addresses that staff may open: public links open shortly before due."""
    return Picture(image_url(image.id, "original"), image_url(image.id), image.name)


def _add(chat: Chat, room: Room | Audience, *, is_reached: bool) -> None:
    chat.rooms += 1
    if is_reached and isinstance(room, Audience):
        chat.audience = room.name
    elif not is_reached:
        # It was moved to another unit since: its name is theirs.
        chat.foreign += 1
    elif len(chat.room_names) < 3:
        chat.room_names.append(room.name)


def _read_back(
    chat: Chat, kind: str, payloads: Iterable[Payload], staff_url: dict[str, str]
) -> None:
    try:
        adapter = adapter_class(kind)(config=None)
    except KeyError:
        chat.problem = kind
        return
    chat.channel = adapter.label
    for payload in payloads:
        bubbles = [_for_staff(bubble, staff_url) for bubble in adapter.preview(payload)]
        chat.requests.append(bubbles)


def _for_staff(bubble: Bubble, staff_url: dict[str, str]) -> Bubble:
    found = LINK.search(bubble.url)
    return replace(bubble, url=staff_url.get(found[1], "")) if found else bubble


def _staff_urls(payloads: Any) -> dict[str, str]:
    """For each public link in these payloads, where staff see the same image."""
    tokens = re.findall(r"/m/([A-Za-z0-9_-]{32})\.", json.dumps(payloads))
    links = MediaLink.objects.filter(token__in=tokens)
    return {link.token: image_url(link.image_id) for link in links}
