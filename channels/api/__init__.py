"""Places to send to, images and webhooks in the API."""

from channels.api.images import ImageViewSet
from channels.api.rooms import RoomViewSet
from channels.api.webhooks import WebhookDeliveryViewSet, WebhookViewSet

__all__ = ["ImageViewSet", "RoomViewSet", "WebhookDeliveryViewSet", "WebhookViewSet"]
