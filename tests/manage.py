"""A command as somebody types it: its exit status and what it says."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any, NamedTuple

import pytest
from django.core.management import CommandError, call_command


class Said(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def manage() -> Callable[..., Said]:
    def run(*words: Any) -> Said:
        out, err, status = StringIO(), StringIO(), 0
        try:
            call_command(*map(str, words), stdout=out, stderr=err)
        except CommandError as error:
            status = error.returncode
            err.write(str(error))
        except SystemExit as end:
            status = int(end.code or 0)
        return Said(status, out.getvalue(), err.getvalue())

    return run
