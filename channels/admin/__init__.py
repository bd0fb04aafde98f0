"""The pages of places to send to: accounts, rooms with the sandbox's chats, people, images."""

from channels.admin.accounts import AccountAdmin
from channels.admin.alerts import AlertTargetAdmin, NoticeAdmin
from channels.admin.audiences import AudienceAdmin
from channels.admin.images import ImageAdmin
from channels.admin.recipient_imports import RecipientImportAdmin
from channels.admin.recipients import RecipientAdmin
from channels.admin.rooms import RoomAdmin
from channels.admin.webhook_deliveries import WebhookDeliveryAdmin
from channels.admin.webhooks import WebhookAdmin

__all__ = [
    "AccountAdmin",
    "AlertTargetAdmin",
    "AudienceAdmin",
    "ImageAdmin",
    "NoticeAdmin",
    "RecipientAdmin",
    "RecipientImportAdmin",
    "RoomAdmin",
    "WebhookAdmin",
    "WebhookDeliveryAdmin",
]
