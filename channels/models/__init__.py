"""Where messages can go: accounts, rooms, audiences, images, and the sandbox’s own rooms."""

from channels.models.account import Account
from channels.models.account_check import AccountCheck
from channels.models.alert import Alert, Notice, Quiet, Telling
from channels.models.alert_target import AlertTarget
from channels.models.audience import Audience
from channels.models.day_count import DayCount
from channels.models.fact import Fact, FactKind
from channels.models.image import Image, MediaLink
from channels.models.inbound import InboundEvent
from channels.models.label import Label
from channels.models.membership import Membership
from channels.models.own_notice import NoticeChoice, OwnNotice
from channels.models.pace import Pace
from channels.models.pulled import PulledMessage
from channels.models.quota import QuotaReading
from channels.models.recipient import Recipient, Tag, Tagging
from channels.models.recipient_import import RecipientImport
from channels.models.room import Room
from channels.models.sandbox import SandboxMessage
from channels.models.turn import Turn
from channels.models.webhook import Webhook, WebhookAttempt, WebhookDelivery

__all__ = [
    "Account",
    "AccountCheck",
    "Alert",
    "AlertTarget",
    "Audience",
    "DayCount",
    "Fact",
    "FactKind",
    "Image",
    "InboundEvent",
    "Label",
    "MediaLink",
    "Membership",
    "Notice",
    "NoticeChoice",
    "OwnNotice",
    "Pace",
    "PulledMessage",
    "Quiet",
    "QuotaReading",
    "Recipient",
    "RecipientImport",
    "Room",
    "SandboxMessage",
    "Tag",
    "Tagging",
    "Telling",
    "Turn",
    "Webhook",
    "WebhookAttempt",
    "WebhookDelivery",
]
