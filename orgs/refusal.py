"""How an act says no."""

from typing import Any

Problems = dict[str, list[str]]


class Refused(Exception):  # noqa: N818 - it is an answer, not a fault
    """The act was not carried out and nothing was changed. `problems` are by field."""

    def __init__(self, message: Any, problems: Problems | None = None) -> None:
        super().__init__(str(message))
        self.problems: Problems = problems or {"__all__": [str(message)]}

    def __str__(self) -> str:
        fields = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in self.problems.items())
        return f"{self.args[0]} ({fields})" if "__all__" not in self.problems else self.args[0]


class OutOfReach(Refused):
    """The actor may not do this here: to them the object does not exist."""
