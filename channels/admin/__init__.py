"""The pages of places to send to: accounts, rooms with the sandbox's chats, images."""

from channels.admin.accounts import AccountAdmin
from channels.admin.images import ImageAdmin
from channels.admin.rooms import RoomAdmin

__all__ = ["AccountAdmin", "ImageAdmin", "RoomAdmin"]
