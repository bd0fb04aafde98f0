"""Which key a command was given."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from config.backup.sealing import Key, read_key
from config.backup.trouble import Trouble


def add_key_arguments(parser: CommandParser) -> None:
    """`--key FILE`, or `--key-env NAME`."""
    keys = parser.add_mutually_exclusive_group()
    keys.add_argument("--key", type=Path, metavar="FILE", help="The file with the key.")
    keys.add_argument("--key-env", metavar="NAME", help="The variable that holds the key itself.")


def key_of(options: dict[str, Any]) -> Key:
    """The key from the file, or from the environment. Raises Trouble, OSError."""
    if options["key"]:
        return read_key(options["key"].read_text())
    if options["key_env"]:
        return read_key(os.environ.get(options["key_env"], ""))
    raise Trouble("Give the key: --key FILE or --key-env NAME. Make one with backup --new-key.")
