"""How an act says no."""

from typing import Any

Problems = dict[str, list[str]]


class Refused(Exception):  # noqa: N818 - it is an answer, not a fault
    """The act was not carried out and nothing was changed. `problems` are by field."""

    def __init__(self, message: Any, problems: Problems | None = None) -> None:
        super().__init__(str(message))
        self.problems: Problems = problems or {"__all__": [str(message)]}

    def __str__(self) -> str:
        """The whole of it in words for people, who do not know the fields by name."""
        texts = [str(text) for texts in self.problems.values() for text in texts]
        return " ".join(dict.fromkeys([self.args[0], *texts]))


class OutOfReach(Refused):
    """The actor may not do this here: to them the object does not exist."""
