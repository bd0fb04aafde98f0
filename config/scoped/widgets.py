"""Fields of the admin's forms that the theme has no good ones for."""

from typing import Any

from django import forms
from unfold.widgets import BASE_INPUT_CLASSES


class WallClock(forms.TimeInput):
    """A time of day of some unit's clock. The theme's own warns that the server's clock shows
    another time, which has nothing to do with it."""

    input_type = "time"

    def __init__(self, **kwargs: Any) -> None:
        classes = " ".join([*BASE_INPUT_CLASSES, "max-w-2xl"])
        super().__init__(attrs={"class": classes}, format="%H:%M", **kwargs)


QUIET_HOURS = {"quiet_from": WallClock, "quiet_until": WallClock}
