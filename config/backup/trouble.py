"""What stops a backup or a restore."""


class Trouble(RuntimeError):  # noqa: N818  (it names what stands in the way, for a person)
    """Why it cannot go on, and what to do."""


def said(error: Exception) -> str:
    """In words, without the number of the system's error."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}."
    return str(error)
