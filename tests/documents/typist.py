"""Types commands: each in a process of its own, forked from this one, in which Django is imported.

A line of JSON in, `{"words": […], "cwd": …}`; one out, `{"status": …, "said": …}`.
"""

import json
import os
import runpy
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any, NoReturn

import django
from django.conf import settings
from django.core.checks import run_checks


def main() -> None:
    django.setup()
    run_checks()  # imports every page, which each command would
    answer({"ready": True})
    for line in sys.stdin:
        order = json.loads(line)
        with tempfile.TemporaryFile() as said:
            pid = os.fork()
            if not pid:
                _type(order, said)
            _pid, ended = os.waitpid(pid, 0)
            said.seek(0)
            status = os.waitstatus_to_exitcode(ended)
            answer({"status": status, "said": said.read().decode()})


def answer(words: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def _type(order: dict[str, Any], said: Any) -> NoReturn:
    """As `python manage.py WORDS` in that folder."""
    status = 1
    try:
        for number in (1, 2):
            os.dup2(said.fileno(), number)
        os.chdir(order["cwd"])
        sys.argv = ["manage.py", *order["words"]]
        runpy.run_path(str(Path(settings.BASE_DIR) / "manage.py"), run_name="__main__")
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
