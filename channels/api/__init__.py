"""Places to send to in the API: accounts, rooms, people, images, webhooks and alerts.
All writing of accounts, people, webhooks and places of alerts goes through channels.actions."""

from channels.api.accounts import AccountViewSet
from channels.api.alerts import AlertTargetViewSet, AlertViewSet
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
    "AlertTargetViewSet",
    "AlertViewSet",
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
