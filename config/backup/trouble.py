"""What stops a backup or a restore."""


class Trouble(RuntimeError):  # noqa: N818  (it names what stands in the way, for a person)
    """Why it cannot go on, and what to do."""
