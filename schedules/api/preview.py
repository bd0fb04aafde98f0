"""What the rooms of a schedule will see."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from channels.adapters.base import Bubble
from config.scoped.openapi import ProblemSerializer
from config.scoped.problems import MEDIA_TYPE
from schedules.models import Schedule
from schedules.shown.chat import Chat, chats_of_draft

ROOM = OpenApiParameter(
    "room", int, description="Where each room has a text of its own: what this one is sent."
)


class MessageSerializer(serializers.Serializer):
    """One message, as a chat shows it."""

    kind = serializers.ChoiceField(choices=["text", "image"])
    text = serializers.CharField()
    url = serializers.SerializerMethodField(help_text="Of an image: for people who are signed in.")
    note = serializers.CharField(help_text="As what the channel sends it, where that may differ.")

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_url(self, message: Bubble) -> str | None:
        if not message.url:
            return None
        return str(self.context["request"].build_absolute_uri(message.url))


class RequestSerializer(serializers.Serializer):
    """What goes to the channel together."""

    messages = MessageSerializer(source="*", many=True)


class ChatSerializer(serializers.Serializer):
    """What all rooms see that are sent the same."""

    channel = serializers.CharField(help_text="As people call it.")
    rooms = serializers.IntegerField(help_text="How many.")
    room_names = serializers.ListField(
        child=serializers.CharField(), help_text="The first of them that are within reach."
    )
    audience = serializers.CharField(help_text="Whose people get it, instead of rooms.")
    room = serializers.SerializerMethodField(
        help_text="Which one it is, where each room has a text of its own."
    )
    problem = serializers.CharField(help_text="Why it cannot be sent like this; empty: it can.")
    requests = RequestSerializer(many=True)

    def get_room(self, chat: Chat) -> int | None:
        return chat.chosen or None


class ChatsSerializer(serializers.Serializer):
    """One chat for all rooms that are sent the same."""

    results = ChatSerializer(many=True)


class WhichRoomSerializer(serializers.Serializer):
    """Of which room."""

    room = serializers.IntegerField(required=False)


class Previews:
    """The part of the schedules' endpoints that shows a message before it is sent."""

    @extend_schema(
        parameters=[ROOM],
        responses={200: ChatsSerializer, (400, MEDIA_TYPE): ProblemSerializer},
    )
    @action(detail=True)
    def preview(self, request: Request, pk: str) -> Response:
        """What its rooms will see at the next time, with placeholders filled in."""
        view: Any = self
        # Anew: of a list's rooms only the ids are read.
        schedule = Schedule.objects.select_related("unit").get(pk=view.get_object().pk)
        asked = WhichRoomSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        room = asked.validated_data.get("room")
        chats = chats_of_draft(schedule, by=request.user, target=str(room or ""))
        if room is not None and all(chat.chosen != room for chat in chats):
            raise ValidationError({"room": [_("It has no text of its own for such a room.")]})
        context = view.get_serializer_context()
        return Response(ChatsSerializer({"results": chats}, context=context).data)
