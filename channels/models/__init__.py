"""Where messages can go: accounts, rooms, audiences, images, and the sandbox’s own rooms."""

from channels.models.account import Account
from channels.models.audience import Audience
from channels.models.image import Image, MediaLink
from channels.models.inbound import InboundEvent
from channels.models.membership import Membership
from channels.models.pace import Pace
from channels.models.pulled import PulledMessage
from channels.models.quota import QuotaReading
from channels.models.recipient import Recipient, Tag, Tagging
from channels.models.recipient_import import RecipientImport
from channels.models.room import Room
from channels.models.sandbox import SandboxMessage
from channels.models.turn import Turn

__all__ = [
    "Account",
    "Audience",
    "Image",
    "InboundEvent",
    "MediaLink",
    "Membership",
    "Pace",
    "PulledMessage",
    "QuotaReading",
    "Recipient",
    "RecipientImport",
    "Room",
    "SandboxMessage",
    "Tag",
    "Tagging",
    "Turn",
]
