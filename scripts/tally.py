"""Adds up pytest's reports: `python scripts/tally.py FOLDER`.

A test that was skipped in one run and ran in another (each database has some of its own) was
not skipped. With CI=true a test that ran nowhere counts as a failure.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

Outcomes = list[str | None]  # of one test: for each run "failed", the reason it was skipped, None


def main(folder: Path) -> int:
    """Print the sum, its last line as `N passed, N failed, N skipped`; the exit status."""
    outcomes: dict[str, Outcomes] = {}
    for name, outcome in (row for path in sorted(folder.glob("*.xml")) for row in read(path)):
        outcomes.setdefault(name, []).append(outcome)
    skipped = {name: found for name, found in outcomes.items() if is_skipped(found)}
    for name, reasons in sorted(skipped.items()):
        say(f"not run: {name} ({reasons[0]})")
    passed = sum(found.count(None) for found in outcomes.values())
    failed = sum(found.count("failed") for found in outcomes.values())
    if not outcomes:
        say("no test ran")
    say(f"{passed} passed, {failed} failed, {len(skipped)} skipped")
    strict = os.environ.get("CI") == "true"
    return int(bool(failed or not passed or (strict and skipped)))


def read(path: Path) -> Iterator[tuple[str, str | None]]:
    """The tests of one report, each with its outcome."""
    for case in ElementTree.parse(path).iter("testcase"):  # noqa: S314  (we wrote it ourselves)
        name = f"{case.get('classname')}.{case.get('name')}"
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            yield name, "failed"
        else:
            yield name, None if skip is None else skip.get("message", "skipped")


def is_skipped(outcomes: Outcomes) -> bool:
    return None not in outcomes and "failed" not in outcomes


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
