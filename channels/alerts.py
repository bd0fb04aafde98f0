"""Alerts to administrators, through Apprise: the same URLs as for accounts."""

from django.conf import settings

from channels.apprise.allowed import NotAllowed, read
from channels.apprise.call import call
from channels.apprise.passage import Passage
from channels.outgoing import networks


def notify(url: str, title: str, body: str) -> bool:
    """Tell one place, now, in this thread: some seconds at most for each of its steps.
    False: it was not accepted, or the URL is not allowed. Raises nothing."""
    try:
        _service, fields = read(url)
    except NotAllowed:
        return False
    passage = Passage(networks(settings.TEIJI_OUTGOING_ALLOW))
    return call(fields, title=title, body=body, passage=passage).is_accepted
