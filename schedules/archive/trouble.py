"""What stands in the way of the archive."""


class Trouble(RuntimeError):  # noqa: N818  (it names what stands in the way, for a person)
    """Why it cannot go on, and what to do."""
