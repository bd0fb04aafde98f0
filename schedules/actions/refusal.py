"""How an act of schedules says no: as every act does."""

from orgs.refusal import OutOfReach, Refused

__all__ = ["OutOfReach", "Refused"]
