"""Mail to people about their sign-in: plain text, through the mail server of the alerts."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from channels import alerts
from channels.alerts.mailing import mail_url

logger = logging.getLogger(__name__)

# Beside the request: how long a page takes must not tell whether an address is known, and no
# page waits for a mail server. What a killed process loses can be asked for again.
_beside = ThreadPoolExecutor(2, thread_name_prefix="mail")


class Mailer(BaseEmailBackend):
    """Django's way to send mail, through Apprise."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        letters = [(to, message) for message in email_messages for to in message.to]
        for to, message in letters:
            _beside.submit(deliver, to, str(message.subject), str(message.body))
        return len(letters)


def deliver(to: str, subject: str, body: str) -> bool:
    """One mail, now; a failure is logged without what it says."""
    url = mail_url(to)
    is_taken = url is not None and alerts.notify(url, subject, body)
    if not is_taken:
        logger.error("a mail about signing in could not be sent (%s)", subject)
    return is_taken
