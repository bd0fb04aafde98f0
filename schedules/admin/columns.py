"""What the columns of several lists have in common."""

from django.utils.html import format_html
from django.utils.safestring import SafeString


def two_lines(text: str, classes: str = "") -> SafeString:
    """A title of any length, cut after two lines; the whole of it on hover."""
    return format_html('<span class="tj-two-lines {}" title="{}">{}</span>', classes, text, text)
