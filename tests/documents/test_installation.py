"""The commands of docs/operations.md, typed in its order into an installation of its own."""

import gzip
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.documents.installation import Installation
from tests.documents.reading import commands
from tests.documents.test_commands import manage_words
from tests.schedules.legacy import stage

pytestmark = [
    pytest.mark.processes,
    pytest.mark.any_database,  # each installation has its own
    pytest.mark.enable_socket,
    pytest.mark.timeout(300),
]

PAGE = "docs/operations.md"
# What cannot be typed here: why.
ELSEWHERE = {
    "bench": "it measures for minutes",
    "changepassword": "it asks a person",
}
ADDED = {
    "createsuperuser": ["--no-input", "--username", "root", "--email", "root@example.com"],
    "collectstatic": ["--dry-run"],  # it would write into the folder of this source
}
# Of these commands, which exit statuses besides 0 are no failure here.
ALSO = {
    "doctor": {1, 2},  # nobody is told of trouble, and no worker runs
    "fence": {1},  # it is up
    "move_unit": {1},  # something stands against it
    "audit": {1},  # the head of the example was never one of this chain
}
BARE = ("migrate", "createsuperuser", "check_channels", "archive_logs", "fence", "doctor")
LINES = [
    words
    for page, line in commands()
    if page == PAGE and (words := manage_words(line)) and words[0] not in ELSEWHERE
    if "mysql://" not in line and "postgres://" not in line  # of those who had an older system
    if len(words) > 1 or words[0] in BARE
]
BACKUP = "/var/lib/teiji-backups/teiji-20260301-034000.age"

New = Callable[[str], Installation]


@pytest.fixture
def new(tmp_path: Path) -> Iterator[New]:
    """Makes an installation in a folder of this name."""
    made = []

    def make(name: str) -> Installation:
        (tmp_path / name).mkdir()
        made.append(Installation(tmp_path / name))
        return made[-1]

    yield make
    for installation in made:
        installation.close()


def test_every_command_of_the_page_of_operations_is_carried_out(new: New, tmp_path: Path) -> None:
    here, there = new("here"), new("there")
    write_exports(here.folder)
    first, rest = split(LINES, "createsuperuser")
    before, after = split(rest, "retry_failed")
    carry_out(here, first, tmp_path)
    here.furnish()
    worker = here.worker()
    try:
        carry_out(here, before, tmp_path)
    finally:
        worker.send_signal(signal.SIGTERM)
        said, _nothing = worker.communicate(timeout=60)
    assert worker.returncode == 0, said
    carry_out(here, [words for words in after if words[0] != "restore"], tmp_path)
    carry_out(there, [words for words in LINES if words[0] == "restore"], tmp_path)
    assert "from the backup of" in there.manage("fence").said
    assert here.manage("fence", "--lift").status in (0, 2)
    assert there.manage("why", "kim", "xinyi", "approve").status == 0


def write_exports(folder: Path) -> None:
    """The older systems' tables, under the names that the page gives them."""
    stage.write_csv(
        folder,
        kb_schedule=[stage.schedule(1)],
        kb_schedule_logs=[stage.log(1, 1)],
        video=[stage.video(1)],
    )
    dump = stage.dump(campaigns=[stage.campaign(1)])
    (folder / "old.sql.gz").write_bytes(gzip.compress(dump.encode()))


def split(lines: list[list[str]], last: str) -> tuple[list[list[str]], list[list[str]]]:
    """Those up to the last one of this command that stands in the page's blocks, and the rest."""
    end = max(number for number, words in enumerate(lines) if words[0] == last) + 1
    return lines[:end], lines[end:]


def carry_out(installation: Installation, lines: list[list[str]], folder: Path) -> None:
    assert lines
    for words in lines:
        if "--lift" in words:
            installation.manage("fence", "--up", "to be lifted")
        typed = [place(word, folder) for word in words] + ADDED.get(words[0], [])
        answer = installation.manage(*typed)
        assert answer.status in {0} | ALSO.get(words[0], set()), (typed, answer.said)
        assert "Traceback" not in answer.said, (typed, answer.said)


def place(word: str, folder: Path) -> str:
    """Where it lies here what the page names."""
    if word == BACKUP:
        (made,) = (folder / "backups").glob("teiji-*.age")
        return str(made)
    places = {
        "/var/lib/teiji-backups": "backups",
        "/etc/teiji/backup.key": "backup.key",
        "backup.key": "backup.key",
    }
    return str(folder / places[word]) if word in places else word
