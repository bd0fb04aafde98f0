"""Places to send to in the API: accounts, rooms, people, images, and webhooks. All
writing of accounts, people and webhooks goes through channels.actions."""

from channels.api.accounts import AccountViewSet
from channels.api.audiences import AudienceViewSet
from channels.api.images import ImageViewSet
from channels.api.imports import ImportViewSet
from channels.api.notices import NoticeViewSet
from channels.api.people_batch import PeopleBatchViewSet
from channels.api.recipients import RecipientViewSet
from channels.api.rooms import RoomViewSet
from channels.api.webhooks import WebhookDeliveryViewSet, WebhookViewSet

__all__ = [
    "AccountViewSet",
    "AudienceViewSet",
    "ImageViewSet",
    "ImportViewSet",
    "NoticeViewSet",
    "PeopleBatchViewSet",
    "RecipientViewSet",
    "RoomViewSet",
    "WebhookDeliveryViewSet",
    "WebhookViewSet",
]
