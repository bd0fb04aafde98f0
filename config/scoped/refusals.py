"""How the API says what an act says: 404, 400 by field, or 409."""

from rest_framework.exceptions import APIException, NotFound, ValidationError

from config.scoped.problems import Conflict
from orgs.refusal import OutOfReach, Refused


def answer_to(refusal: Refused) -> APIException:
    """What has to do with a field can be mended by the caller; what has not, is a conflict."""
    if isinstance(refusal, OutOfReach):
        return NotFound()
    if set(refusal.problems) == {"__all__"}:
        return Conflict(" ".join(refusal.problems["__all__"]))
    return ValidationError(refusal.problems)
