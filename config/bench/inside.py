"""A measurement within a scratch installation, as a process of its own.

`ask` starts it: `python -m config.bench.inside MODULE TASK` prints as JSON what the module's
`work` gives for the task.
"""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import django
from django.conf import settings

from config.bench.scratch import Scratch, scratch


@contextmanager
def installed(database_url: str) -> Iterator[Scratch]:
    """A scratch installation with its tables."""
    with scratch(database_url, "") as place:
        _python(place, "manage.py", "migrate", "--verbosity", "0")
        yield place


def ask(place: Scratch, module: str, **task: Any) -> dict[str, Any]:
    """What that module does with this task. What it says goes to the screen."""
    said = _python(place, "-m", "config.bench.inside", module, json.dumps(task))
    found: dict[str, Any] = json.loads(said)
    return found


def main(module: str, task: str) -> None:
    """Answer: the module is imported when its models can be."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    work = importlib.import_module(module).work
    sys.stdout.write(json.dumps(work(**json.loads(task))))


def _python(place: Scratch, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603
        [sys.executable, *arguments],
        cwd=settings.BASE_DIR,
        env=place.environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments[:3])} failed, as said above.")
    return done.stdout


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
