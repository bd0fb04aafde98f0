"""What is raised for a file that cannot be read."""


class UnusableFile(ValueError):  # noqa: N818  (it names what the person sent, not a fault of ours)
    """Its text says to the person what is wrong, in their language."""
