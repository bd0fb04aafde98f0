"""Where messages can go: accounts, rooms, audiences, images, and the sandbox’s own rooms."""

from channels.models.account import Account
from channels.models.audience import Audience, Membership, Recipient
from channels.models.image import Image, MediaLink
from channels.models.inbound import InboundEvent
from channels.models.pace import Pace
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
    "Recipient",
    "Room",
    "SandboxMessage",
    "Turn",
]
