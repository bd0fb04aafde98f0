"""Texts that a spreadsheet would carry out when the file is opened."""

STARTS = ("=", "+", "-", "@", "\t", "\r")
QUOTE = "'"  # before a text, a spreadsheet shows the rest as it is


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet would take it for one."""
    return cell.startswith(STARTS)


def neutral(cell: str) -> str:
    """The cell as it can be written into a file."""
    return f"{QUOTE}{cell}" if is_formula(cell) else cell


def plain(cell: str) -> str:
    """The cell of a file as it was before `neutral`."""
    return cell[1:] if cell.startswith(QUOTE) and is_formula(cell[1:]) else cell
