#!/usr/bin/env python
"""Runs Teiji's management commands."""

import os
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

WRONG_SETTINGS = 2  # exit status
INTERRUPTED, UNREAD = 130, 141  # as of a program that SIGINT or SIGPIPE has ended

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        settings.TEIJI_PROFILE  # noqa: B018  (read now: a command needs no traceback to say it)
    except ImproperlyConfigured as error:
        sys.stderr.write(f"Settings: {error}\n")
        sys.exit(WRONG_SETTINGS)
    try:
        try:
            execute_from_command_line(sys.argv)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped.\n")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # as by `head`, which reads no more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(UNREAD)
