"""What people do to schedules: each act checks reach, validates, moves the state and records
the history in one transaction. The actor is `by`; the time is the database's."""

from schedules.actions.approve import approve, refuse
from schedules.actions.check import check
from schedules.actions.draft import (
    Stale,
    add_image,
    check_room_for_image,
    order_images,
    register_reviewed,
    remove_image,
    save_draft,
    step_digest,
)
from schedules.actions.duplicate import duplicate
from schedules.actions.edit import begin_edit, change, drop_edit
from schedules.actions.lifecycle import cancel, delete, pause, resume, toggle
from schedules.actions.move import known_change, move
from schedules.actions.occurrence import change_one, take_back_one
from schedules.actions.priority import set_priority
from schedules.actions.refusal import OutOfReach, Refused
from schedules.actions.register import create_draft, register
from schedules.actions.resolve import Doubt, NeedsSure, Verdict, resolve, resolve_many
from schedules.actions.retry import Retried, foresee_retry, retry, retryable
from schedules.actions.rollback import RolledBack, rollback
from schedules.actions.run_now import execute
from schedules.actions.send_test import rooms_for_tests, send_test
from schedules.actions.series import Moved, Scope
from schedules.actions.several import foresee_moves
from schedules.actions.shift import foresee_shift, shift

__all__ = [
    "Doubt",
    "Moved",
    "NeedsSure",
    "OutOfReach",
    "Refused",
    "Retried",
    "RolledBack",
    "Scope",
    "Stale",
    "Verdict",
    "add_image",
    "approve",
    "begin_edit",
    "cancel",
    "change",
    "change_one",
    "check",
    "check_room_for_image",
    "create_draft",
    "delete",
    "drop_edit",
    "duplicate",
    "execute",
    "foresee_moves",
    "foresee_retry",
    "foresee_shift",
    "known_change",
    "move",
    "order_images",
    "pause",
    "refuse",
    "register",
    "register_reviewed",
    "remove_image",
    "resolve",
    "resolve_many",
    "resume",
    "retry",
    "retryable",
    "rollback",
    "rooms_for_tests",
    "save_draft",
    "send_test",
    "set_priority",
    "shift",
    "step_digest",
    "take_back_one",
    "toggle",
]
