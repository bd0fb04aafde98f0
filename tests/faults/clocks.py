"""Another clock for the database, by libfaketime where it is installed."""

import os
from glob import glob
from pathlib import Path

import pytest

PLACES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib*/faketime/libfaketimeMT.so.1",
          "/usr/local/lib/faketime/libfaketimeMT.so.1")  # fmt: skip


def set_by(file: Path) -> dict[str, str]:
    """The environment of a process whose wall clock is shifted by what the file says, now and
    whenever it is changed."""
    libraries = [path for place in PLACES for path in glob(place)]  # noqa: PTH207
    if not libraries and os.environ.get("CI") == "true":
        pytest.fail("libfaketime is not installed (Debian: faketime)")
    if not libraries:
        pytest.skip("libfaketime is not installed (Debian: faketime)")
    return {
        "LD_PRELOAD": libraries[0],
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",  # its older name
    }
