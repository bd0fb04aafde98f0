"""The API's caller and the body of a schedule, as the tests of schedules have them."""

from tests.schedules.api.conftest import api, body

__all__ = ["api", "body"]
